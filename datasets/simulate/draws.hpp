#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/random.hpp"

namespace synfire::datasets {

/// Random numbers drawn one after the other from a named stream.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint32_t stream, std::uint32_t step) : stream_(seed, stream, step) {}

  double uniform(double from, double to) { return from + (to - from) * stream_.uniform(next_++); }
  /// Normal, cut at 2.5 standard deviations: people vary, but not without end.
  double normal(double mean, double deviation) {
    return mean + deviation * std::clamp(stream_.normal(next_++), -2.5, 2.5);
  }
  /// A factor whose logarithm is normal with mean 0.
  double factor(double deviation) { return std::exp(normal(0.0, deviation)); }
  bool chance(double probability) { return uniform(0.0, 1.0) < probability; }

 private:
  RandomStream stream_;
  std::uint64_t next_ = 0;
};

}  // namespace synfire::datasets
