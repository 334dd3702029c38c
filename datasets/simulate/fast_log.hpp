#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace synfire::datasets {

/// Natural logarithm of positive normal numbers, with no branch or call, so that loops over it are vectorised. With
/// x = m 2^e, m in [sqrt(1/2), sqrt(2)), and s = (m - 1) / (m + 1): ln x = e ln 2 + 2 (s + s^3/3 + s^5/5 + s^7/7),
/// which leaves out less than 2 s^9 / 9 / (1 - s^2) < 3.1e-8.
inline float fast_log(float x) {
  constexpr std::int32_t kSqrtHalfBits = 0x3f3504f3;
  const auto bits = std::bit_cast<std::int32_t>(x);
  const std::int32_t exponent = (bits - kSqrtHalfBits) >> 23;
  const auto m = std::bit_cast<float>(bits - exponent * (1 << 23));
  const float s = (m - 1.0F) / (m + 1.0F);
  const float square = s * s;
  const float series = s * (1.0F + square * (1.0F / 3.0F + square * (0.2F + square * (1.0F / 7.0F))));
  return static_cast<float>(exponent) * 0.693147181F + 2.0F * series;
}

}  // namespace synfire::datasets
