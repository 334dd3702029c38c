#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "core/host_device.hpp"

namespace synfire {

/// Philox4x32-10, a counter-based generator: the same (key, counter) gives the same four words on every device and for
/// any number of threads. See [Salmon2011] in docs/references.md.
struct Philox {
  using Block = std::array<std::uint32_t, 4>;

  SYNFIRE_HOST_DEVICE static Block block(std::array<std::uint32_t, 2> key, Block counter) {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter[0];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter[2];
      counter = {
          static_cast<std::uint32_t>(product1 >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
          static_cast<std::uint32_t>(product0 >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
      key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
    }
    return counter;
  }
};

/// A stream of random numbers named by (seed, stream, step); element `i` of it can be drawn on its own, in any order.
/// `stream` says what the numbers are for (a layer's index, a purpose), `step` when they are drawn.
class RandomStream {
 public:
  SYNFIRE_HOST_DEVICE RandomStream(std::uint64_t seed, std::uint32_t stream, std::uint32_t step)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)}, stream_(stream), step_(step) {}

  /// Four independent 32-bit words of element `i`.
  SYNFIRE_HOST_DEVICE Philox::Block words(std::uint64_t i) const {
    return Philox::block(key_, {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32U), stream_, step_});
  }
  /// Uniform in [0, 1) with 53 bits.
  SYNFIRE_HOST_DEVICE double uniform(std::uint64_t i) const { return to_unit(words(i)[0], words(i)[1]); }
  /// Standard normal (Box-Muller).
  SYNFIRE_HOST_DEVICE double normal(std::uint64_t i) const {
    const Philox::Block w = words(i);
    const double radius = std::sqrt(-2.0 * std::log(1.0 - to_unit(w[0], w[1])));
    return radius * std::cos(6.283185307179586476925 * to_unit(w[2], w[3]));
  }
  /// Uniform integer in [0, n), n > 0; bias below n / 2^64.
  SYNFIRE_HOST_DEVICE std::uint64_t below(std::uint64_t i, std::uint64_t n) const {
    const Philox::Block w = words(i);
    const std::uint64_t wide = (std::uint64_t{w[1]} << 32U) | w[0];
    // The high half of the 128-bit product, without a 128-bit type.
    const std::uint64_t a0 = wide & 0xFFFFFFFFU, a1 = wide >> 32U, b0 = n & 0xFFFFFFFFU, b1 = n >> 32U;
    const std::uint64_t middle = a1 * b0 + ((a0 * b0) >> 32U);
    return a1 * b1 + (middle >> 32U) + (((middle & 0xFFFFFFFFU) + a0 * b1) >> 32U);
  }

 private:
  SYNFIRE_HOST_DEVICE static double to_unit(std::uint32_t low, std::uint32_t high) {
    const std::uint64_t wide = (std::uint64_t{high} << 32U) | low;
    return static_cast<double>(wide >> 11U) * 0x1.0p-53;
  }

  std::array<std::uint32_t, 2> key_;
  std::uint32_t stream_;
  std::uint32_t step_;
};

}  // namespace synfire
