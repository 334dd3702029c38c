#include "datasets/compact_events.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/error.hpp"

namespace synfire::datasets {

void CompactEvents::resize(std::size_t count) {
  t_us.resize(count);
  x.resize(count);
  y.resize(count);
  on.resize(count);
}

IndexRange CompactEvents::between(std::int64_t begin_us, std::int64_t end_us) const {
  const auto at_or_after = [&](std::int64_t time_us) {
    const auto found = std::lower_bound(t_us.begin(), t_us.end(), time_us - origin_us,
                                        [](std::uint32_t t, std::int64_t value) { return std::int64_t{t} < value; });
    return static_cast<std::size_t>(found - t_us.begin());
  };
  const std::size_t begin = at_or_after(begin_us);
  return {begin, std::max(begin, at_or_after(end_us))};
}

CompactEvents compact(const EventStream& events, const std::string& file) {
  CompactEvents result;
  if (events.empty()) return result;
  const auto [earliest, latest] = std::minmax_element(events.t_us.begin(), events.t_us.end());
  if (*latest - *earliest > std::int64_t{std::numeric_limits<std::uint32_t>::max()})
    throw FormatError(file, "more than 71 minutes between its first and its last event; cut it into parts");

  result.origin_us = *earliest;
  result.resize(events.size());
  const auto put = [&](std::size_t to, std::size_t from) {
    result.t_us[to] = static_cast<std::uint32_t>(events.t_us[from] - result.origin_us);
    result.x[to] = events.x[from];
    result.y[to] = events.y[from];
    result.on[to] = events.on[from];
  };
  if (std::is_sorted(events.t_us.begin(), events.t_us.end())) {
    for (std::size_t i = 0; i < events.size(); ++i) put(i, i);
  } else {
    std::vector<std::size_t> order(events.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return events.t_us[a] < events.t_us[b]; });
    for (std::size_t i = 0; i < order.size(); ++i) put(i, order[i]);
  }
  return result;
}

EventStream expand(const CompactEvents& events, const IndexRange& range, int width, int height) {
  EventStream result;
  result.width = width;
  result.height = height;
  result.resize(range.size());
  for (std::size_t i = 0; i < range.size(); ++i) {
    result.t_us[i] = events.origin_us + events.t_us[range.begin + i];
    result.x[i] = events.x[range.begin + i];
    result.y[i] = events.y[range.begin + i];
    result.on[i] = events.on[range.begin + i];
  }
  return result;
}

}  // namespace synfire::datasets
