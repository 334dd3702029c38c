#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/event_stream.hpp"
#include "datasets/slicing.hpp"

namespace synfire::datasets {

/// A recording as it waits in memory: nine bytes an event, times counted from the first one and never decreasing.
struct CompactEvents {
  std::int64_t origin_us = 0;       ///< time of the first event
  std::vector<std::uint32_t> t_us;  ///< since `origin_us`
  std::vector<std::uint16_t> x;
  std::vector<std::uint16_t> y;
  std::vector<std::uint8_t> on;

  std::size_t size() const { return t_us.size(); }
  bool empty() const { return t_us.empty(); }
  void resize(std::size_t count);
  /// Time from the first to the last event.
  std::uint32_t duration_us() const { return empty() ? 0 : t_us.back(); }
  /// Events with begin <= t < end, in absolute time.
  IndexRange between(std::int64_t begin_us, std::int64_t end_us) const;
};

/// The same events, sorted by time if they are not (equal times keep their order). \throws FormatError naming `file`
/// for more than 2^32 us (71 minutes) between the first and the last event
CompactEvents compact(const EventStream& events, const std::string& file);

/// The events of `range` with absolute times.
EventStream expand(const CompactEvents& events, const IndexRange& range, int width, int height);

}  // namespace synfire::datasets
