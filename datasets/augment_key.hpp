#pragma once

#include <cstdint>

namespace synfire::datasets {

/// What the random numbers of a sample depend on, and nothing else: the same key gives the same sample, on whatever
/// thread and in whatever order.
struct AugmentKey {
  std::uint64_t seed = 0;
  int epoch = 0;
  std::int64_t sample = 0;
};

}  // namespace synfire::datasets
