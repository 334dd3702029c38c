#include "core/spike_queue.hpp"

#include <fmt/format.h>

namespace synfire {

QueueFullError::QueueFullError(const char* queue, std::int64_t now, std::size_t waiting)
    : Error(fmt::format("[{}] at time {}: {} events wait, and no more are allowed", queue, now, waiting)),
      time(now),
      count(waiting) {}

namespace detail {

void refuse_delay(std::int64_t delay, std::int64_t max_delay) {
  throw Error(fmt::format("[tick_queue] a delay must be 0 to {} ticks, got {}", max_delay, delay));
}

void refuse_level(int level, int num_levels) {
  throw Error(fmt::format("[tick_queue] a level must be 0 to {}, got {}", num_levels - 1, level));
}

void refuse_same_level(std::int64_t tick, int level) {
  throw Error(fmt::format("[tick_queue] level {} of tick {} has been visited already", level, tick));
}

void refuse_skip(std::int64_t from, std::int64_t to, std::int64_t waiting_tick) {
  if (to <= from) {
    throw Error(fmt::format("[tick_queue] cannot go from tick {} to {}, which is not later", from, to));
  }
  throw Error(
      fmt::format("[tick_queue] cannot go from tick {} to {}: events wait for tick {}", from, to, waiting_tick));
}

void refuse_past(std::int64_t time, std::int64_t now) {
  throw Error(fmt::format("[time_queue] time {} is over, now is {}", time, now));
}

void refuse_empty() { throw Error("[time_queue] nothing waits"); }

std::size_t checked_ring(std::int64_t max_delay, int num_levels) {
  constexpr std::int64_t kMaxBuckets = std::int64_t{1} << 24;
  if (max_delay < 0 || num_levels < 1) {
    throw ShapeError(
        fmt::format("[tick_queue] needs max_delay >= 0 and num_levels >= 1, got {} and {}", max_delay, num_levels));
  }
  if (max_delay >= kMaxBuckets / num_levels) {
    throw ShapeError(fmt::format("[tick_queue] delays of up to {} ticks on {} levels need more than {} buckets",
                                 max_delay, num_levels, kMaxBuckets));
  }
  return static_cast<std::size_t>((max_delay + 1) * num_levels);
}

}  // namespace detail
}  // namespace synfire
