#include "datasets/slicing.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire::datasets {

namespace {

constexpr std::int64_t kMaxWindows = std::int64_t{1} << 24;

void require(bool condition, const char* operation, const char* problem) {
  if (!condition) throw ShapeError(fmt::format("[{}] {}", operation, problem));
}

std::int64_t ceil_div(std::int64_t numerator, std::int64_t divisor) {
  return numerator / divisor + (numerator % divisor > 0 ? 1 : 0);
}

std::int64_t floor_div(std::int64_t numerator, std::int64_t divisor) {
  return numerator / divisor - (numerator % divisor < 0 ? 1 : 0);
}

/// ceil(k D / n) for 0 <= k <= n, without forming the product.
std::int64_t bin_edge(std::int64_t k, std::int64_t duration, std::int64_t n) {
  return k * (duration / n) + ceil_div(k * (duration % n), n);
}

/// First event at or after `t`.
template <class Time>
std::size_t lower(std::span<const Time> t_us, std::int64_t t) {
  const auto at = std::lower_bound(t_us.begin(), t_us.end(), t,
                                   [](Time event, std::int64_t value) { return std::int64_t{event} < value; });
  return static_cast<std::size_t>(at - t_us.begin());
}

/// First event at or after a time between two microseconds.
template <class Time>
std::size_t lower(std::span<const Time> t_us, double t) {
  return lower(t_us, static_cast<std::int64_t>(std::ceil(t)));
}

template <class Time>
TimeSpan whole(std::span<const Time> t_us) {
  return t_us.empty() ? TimeSpan{} : TimeSpan{std::int64_t{t_us.front()}, std::int64_t{t_us.back()}};
}

void check_bins(int bins, double overlap, Convention convention, const char* operation) {
  require(bins > 0, operation, "the number of bins must be positive");
  require(overlap >= 0.0 && overlap < 1.0, operation, "the overlap must be in [0, 1)");
  require(convention != Convention::spikingjelly || overlap == 0.0, operation, "spikingjelly has no overlap");
}

}  // namespace

template <class Time>
std::vector<IndexRange> slice_by_time(std::span<const Time> t_us, const TimeWindows& windows, Convention convention) {
  const char* operation = "slice_by_time";
  const std::int64_t window = windows.window_us, stride = window - windows.overlap_us;
  require(window > 0, operation, "the window must be positive");
  require(windows.overlap_us >= 0 && stride > 0, operation, "the overlap must be in [0, window)");
  require(convention == Convention::tonic || !windows.include_incomplete, operation,
          "include_incomplete belongs to tonic's rules");
  if (t_us.empty()) return {};

  const auto [begin, end] = windows.span.value_or(whole(t_us));
  const std::int64_t duration = end - begin;
  require(duration >= 0, operation, "the span must not end before it begins");

  std::int64_t count = 0;
  if (convention == Convention::tonic) {
    const std::int64_t after_first = duration - window;
    count = (windows.include_incomplete ? ceil_div(after_first, stride) : floor_div(after_first, stride)) + 1;
    count = std::max<std::int64_t>(count, 1);
  } else if (convention == Convention::spikingjelly) {
    require(windows.overlap_us == 0 && !windows.span, operation, "spikingjelly has neither overlap nor a span");
    count = ceil_div(duration, window);
    require(count > 0, operation, "spikingjelly has no window for events at one point in time");
  } else {
    count = duration <= window ? 1 : ceil_div(duration - window, stride) + 1;
  }

  // A window far too short for the recording is a slip of the unit, not a wish for gigabytes of windows.
  require(count <= kMaxWindows, operation, "the window is too short: more than 16 million of them");

  std::vector<IndexRange> ranges;
  ranges.reserve(static_cast<std::size_t>(count));
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t from = begin + k * stride, to = from + window;
    const bool closed = convention != Convention::tonic && k == count - 1 && to == end;
    ranges.push_back({lower(t_us, from), lower(t_us, closed ? to + 1 : to)});
  }
  return ranges;
}

std::vector<IndexRange> slice_by_count(std::size_t num_events, const CountWindows& windows, Convention convention) {
  const char* operation = "slice_by_count";
  const std::int64_t total = static_cast<std::int64_t>(num_events), stride = windows.count - windows.overlap;
  require(windows.count > 0, operation, "the count must be positive");
  require(windows.overlap >= 0 && stride > 0, operation, "the overlap must be in [0, count)");
  require(convention != Convention::spikingjelly, operation, "spikingjelly has no windows by count");
  require(convention == Convention::tonic || !windows.include_incomplete, operation,
          "include_incomplete belongs to tonic's rules");
  if (total == 0) return {};

  const std::int64_t after_first = total - std::min(windows.count, total);
  const bool partial = convention == Convention::synfire || windows.include_incomplete;
  const std::int64_t count = (partial ? ceil_div(after_first, stride) : after_first / stride) + 1;

  std::vector<IndexRange> ranges;
  ranges.reserve(static_cast<std::size_t>(count));
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t end = std::min(k * stride + windows.count, total);
    ranges.push_back({static_cast<std::size_t>(k * stride), static_cast<std::size_t>(end)});
  }
  return ranges;
}

template <class Time>
std::vector<IndexRange> slice_time_bins(std::span<const Time> t_us, const TimeBins& bins, Convention convention) {
  const char* operation = "slice_time_bins";
  check_bins(bins.bins, bins.overlap, convention, operation);
  require(convention == Convention::synfire || !bins.span, operation, "a span belongs to synfire's rules");
  if (t_us.empty()) return std::vector<IndexRange>(static_cast<std::size_t>(bins.bins));

  const auto [begin, end] = bins.span.value_or(whole(t_us));
  const std::int64_t duration = end - begin, count = bins.bins;
  require(duration >= 0, operation, "the span must not end before it begins");

  std::vector<IndexRange> ranges;
  ranges.reserve(static_cast<std::size_t>(count));
  for (std::int64_t k = 0; k < count; ++k) {
    if (convention == Convention::synfire) {
      const auto longer_by = static_cast<std::int64_t>(
          std::ceil(static_cast<double>(duration) * bins.overlap / static_cast<double>(count)));
      const std::int64_t from = begin + bin_edge(k, duration, count);
      const std::int64_t to = begin + bin_edge(k + 1, duration, count) + longer_by;
      const bool closed = k == count - 1 || (longer_by > 0 && to >= end);
      ranges.push_back({lower(t_us, from), lower(t_us, closed ? end + 1 : to)});
    } else if (convention == Convention::tonic) {
      const double width = static_cast<double>(duration / count) * (1.0 + bins.overlap);
      const double from = static_cast<double>(begin) + static_cast<double>(k) * width * (1.0 - bins.overlap);
      ranges.push_back({lower(t_us, from), lower(t_us, from + width)});
    } else {
      const std::int64_t from = begin + k * (duration / count);
      const IndexRange range{lower(t_us, from), lower(t_us, from + duration / count)};
      require(range.size() > 0, operation, "spikingjelly has no rule for a bin without events");
      ranges.push_back({range.begin, k == count - 1 ? t_us.size() : range.end});
    }
  }
  return ranges;
}

std::vector<IndexRange> slice_event_bins(std::size_t num_events, const EventBins& bins, Convention convention) {
  check_bins(bins.bins, bins.overlap, convention, "slice_event_bins");
  const std::size_t count = static_cast<std::size_t>(bins.bins);

  std::vector<IndexRange> ranges;
  ranges.reserve(count);
  for (std::size_t k = 0; k < count; ++k) {
    if (convention == Convention::synfire) {
      const std::size_t enlarged =
          static_cast<std::size_t>(static_cast<double>(num_events) * bins.overlap / static_cast<double>(count));
      ranges.push_back({k * num_events / count, std::min((k + 1) * num_events / count + enlarged, num_events)});
    } else if (convention == Convention::tonic) {
      const auto size = static_cast<std::size_t>(static_cast<double>(num_events / count) * (1.0 + bins.overlap));
      const auto stride = static_cast<std::size_t>(static_cast<double>(size) * (1.0 - bins.overlap));
      ranges.push_back({k * stride, k * stride + size});
    } else {
      const std::size_t size = num_events / count;
      ranges.push_back({k * size, k == count - 1 ? num_events : (k + 1) * size});
    }
  }
  return ranges;
}

std::size_t num_events_outside(std::span<const IndexRange> ranges, std::size_t num_events) {
  std::size_t inside = 0, covered = 0;
  for (const IndexRange& range : ranges) {
    const std::size_t begin = std::max(range.begin, covered), end = std::min(range.end, num_events);
    if (begin >= end) continue;
    inside += end - begin;
    covered = end;
  }
  return num_events - inside;
}

template std::vector<IndexRange> slice_by_time(std::span<const std::int64_t>, const TimeWindows&, Convention);
template std::vector<IndexRange> slice_by_time(std::span<const std::uint32_t>, const TimeWindows&, Convention);
template std::vector<IndexRange> slice_time_bins(std::span<const std::int64_t>, const TimeBins&, Convention);
template std::vector<IndexRange> slice_time_bins(std::span<const std::uint32_t>, const TimeBins&, Convention);

}  // namespace synfire::datasets
