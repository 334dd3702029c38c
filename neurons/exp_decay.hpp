#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "core/host_device.hpp"

namespace synfire::neurons {

/// The terms r^(k - kFirst) / k! of the exponential series from k = kFirst to kLast, summed by Horner's rule.
template <int kFirst, int kLast, class Scalar>
SYNFIRE_HOST_DEVICE inline Scalar exp_series(Scalar r) {
  constexpr auto kCoefficient = [] {
    double factorial = 1.0;
    for (int k = 2; k <= kFirst; ++k) factorial *= k;
    return static_cast<Scalar>(1.0 / factorial);
  }();
  if constexpr (kFirst == kLast) {
    return kCoefficient;
  } else {
    return std::fma(exp_series<kFirst + 1, kLast>(r), r, kCoefficient);
  }
}

/// exp(-x) for x >= 0, by the same operations on every device and without a branch or a call, so that loops over it
/// become vector code. Within 2 ulp; 0 where exp(-x) would be no normal number. (The library's exp is neither the same
/// on the GPU nor inlined.)
template <class Scalar>
SYNFIRE_HOST_DEVICE inline Scalar exp_decay(Scalar x) {
  constexpr bool kIsFloat = std::is_same_v<Scalar, float>;
  using Bits = std::conditional_t<kIsFloat, std::uint32_t, std::uint64_t>;
  constexpr int kMantissaBits = kIsFloat ? 23 : 52;
  constexpr Scalar kLargest = kIsFloat ? Scalar(87.3) : Scalar(708.3);
  // Adding it leaves the nearest integer in the low bits of the sum.
  constexpr Scalar kRounder = kIsFloat ? Scalar(0x1.8p23) : Scalar(0x1.8p52);
  // ln 2 in two parts; the first has so few bits that its products with integers are exact.
  constexpr Scalar kLn2High = kIsFloat ? Scalar(0x1.62ep-1) : Scalar(0x1.62e42feep-1);
  constexpr Scalar kLn2Low = kIsFloat ? Scalar(0x1.0bfbe8p-15) : Scalar(0x1.a39ef35793c76p-33);
  constexpr int kDegree = kIsFloat ? 7 : 13;  // |r| <= ln 2 / 2: r^(n+1)/(n+1)! is below u / 4
  const Scalar clamped = x < kLargest ? x : kLargest;
  const Scalar shifted = std::fma(clamped, Scalar(-1.44269504088896340736), kRounder);
  const Scalar n = shifted - kRounder;
  const Scalar r = std::fma(-n, kLn2Low, std::fma(-n, kLn2High, -clamped));  // exp(-x) = 2^n exp(r)
  const Bits exponent = std::bit_cast<Bits>(shifted) << kMantissaBits;
  const Scalar result = std::bit_cast<Scalar>(std::bit_cast<Bits>(exp_series<0, kDegree>(r)) + exponent);
  return x < kLargest ? result : Scalar(0);
}

}  // namespace synfire::neurons
