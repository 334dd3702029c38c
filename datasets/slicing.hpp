#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Cuts of a recording into windows, as ranges of indices; nothing is copied.
namespace synfire::datasets {

/// Events [begin, end) of a stream.
struct IndexRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
  bool operator==(const IndexRange&) const = default;
};

/// Whose rules a cut follows.
enum class Convention {
  synfire,       ///< half-open windows, the last one closed at the end: without overlap every event is in exactly one
  tonic,         ///< tonic 1.x, what it loses at the end included
  spikingjelly,  ///< spikingjelly's `integrate_events_*`
};

/// Both ends of the time that is cut; by default the times of the first and of the last event.
struct TimeSpan {
  std::int64_t begin_us = 0;
  std::int64_t end_us = 0;
};

struct TimeWindows {
  std::int64_t window_us = 0;
  std::int64_t overlap_us = 0;        ///< must be smaller than the window
  std::optional<TimeSpan> span = {};  ///< not in spikingjelly's rules
  bool include_incomplete = false;    ///< tonic's rules only: keep a last, shorter window
};

struct CountWindows {
  std::int64_t count = 0;
  std::int64_t overlap = 0;         ///< must be smaller than the count
  bool include_incomplete = false;  ///< tonic's rules only
};

struct TimeBins {
  int bins = 0;
  double overlap = 0.0;               ///< in [0, 1): each bin is longer by this share of itself
  std::optional<TimeSpan> span = {};  ///< synfire's rules only
};

struct EventBins {
  int bins = 0;
  double overlap = 0.0;  ///< in [0, 1)
};

/// Windows of equal duration. `t_us` must not decrease; Time is std::int64_t or std::uint32_t. An empty stream has no
/// windows.
///
/// - synfire: windows start every `window - overlap` until one reaches the end; a window that ends exactly there is
///   closed.
/// - tonic: the last partial window is lost unless `include_incomplete`, and so is an event at the very end of a
///   duration that is a multiple of the window.
/// - spikingjelly: ceil(duration / window) windows, the last one closed; no overlap.
///
/// \throws ShapeError for parameters outside their range, or when spikingjelly's rule has no window (one point in time)
template <class Time>
std::vector<IndexRange> slice_by_time(std::span<const Time> t_us, const TimeWindows& windows,
                                      Convention convention = Convention::synfire);

/// Windows of equal numbers of events. synfire keeps a last, shorter window; tonic does so on request.
/// spikingjelly has no such rule. \throws ShapeError
std::vector<IndexRange> slice_by_count(std::size_t num_events, const CountWindows& windows,
                                       Convention convention = Convention::synfire);

/// Exactly `bins` windows over the duration.
///
/// - synfire: bin k is [k D / bins, (k + 1 + overlap) D / bins) of the span, the last one closed.
/// - tonic: width floor(D / bins) (1 + overlap), stride width (1 - overlap): up to `bins` us at the end are lost, and
///   with overlap the bins do not reach the end at all.
/// - spikingjelly: width D div bins, the last bin takes the rest. No overlap.
///
/// \throws ShapeError, also for a bin without events under spikingjelly's rule, which has no answer for it
template <class Time>
std::vector<IndexRange> slice_time_bins(std::span<const Time> t_us, const TimeBins& bins,
                                        Convention convention = Convention::synfire);

/// Exactly `bins` windows of nearly equal numbers of events.
///
/// - synfire: sizes differ by at most one.
/// - tonic: floor(N / bins) events each, the rest is lost.
/// - spikingjelly: N div bins events each, the last takes the rest. No overlap.
///
/// \throws ShapeError
std::vector<IndexRange> slice_event_bins(std::size_t num_events, const EventBins& bins,
                                         Convention convention = Convention::synfire);

/// Events of [0, num_events) that are in none of `ranges`, which must be sorted by their begin.
std::size_t num_events_outside(std::span<const IndexRange> ranges, std::size_t num_events);

}  // namespace synfire::datasets
