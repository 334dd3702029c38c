#pragma once

#include <cstdint>
#include <type_traits>

#include "core/simd.hpp"

/// Elementary functions of vectors, without a branch or a call. Not installed.
namespace synfire::neurons {

template <class Scalar>
struct PackBitsOf;
template <>
struct PackBitsOf<float> {
  typedef std::uint32_t type __attribute__((vector_size(32)));
};
template <>
struct PackBitsOf<double> {
  typedef std::uint64_t type __attribute__((vector_size(32)));
};
template <class Scalar>
using PackBits = typename PackBitsOf<Scalar>::type;

template <int k, int kLast, bool kFactorial, class Scalar>
inline Pack<Scalar> pack_series(Pack<Scalar> x) {
  constexpr auto kCoefficient = [] {
    double factorial = 1.0;
    for (int i = 2; i <= k; ++i) factorial *= i;
    return static_cast<Scalar>(1.0 / (kFactorial ? factorial : 2.0 * k + 1.0));
  }();
  if constexpr (k == kLast) {
    return broadcast(kCoefficient);
  } else {
    return multiply_add(pack_series<k + 1, kLast, kFactorial, Scalar>(x), x, broadcast(kCoefficient));
  }
}

/// exp(-x) for x >= 0 by the operations of neurons/exp_decay.hpp: within 2 ulp where the processor has a fused
/// multiply-add.
template <class Scalar>
inline Pack<Scalar> exp_decay_pack(Pack<Scalar> x) {
  constexpr bool kIsFloat = std::is_same_v<Scalar, float>;
  constexpr int kMantissaBits = kIsFloat ? 23 : 52;
  constexpr Scalar kLargest = kIsFloat ? Scalar(87.3) : Scalar(708.3);
  constexpr Scalar kRounder = kIsFloat ? Scalar(0x1.8p23) : Scalar(0x1.8p52);
  constexpr Scalar kLn2High = kIsFloat ? Scalar(0x1.62ep-1) : Scalar(0x1.62e42feep-1);
  constexpr Scalar kLn2Low = kIsFloat ? Scalar(0x1.0bfbe8p-15) : Scalar(0x1.a39ef35793c76p-33);
  constexpr int kDegree = kIsFloat ? 7 : 13;
  const auto within = x < broadcast(kLargest);
  const Pack<Scalar> clamped = within ? x : broadcast(kLargest);
  const Pack<Scalar> shifted = multiply_add(clamped, broadcast(Scalar(-1.44269504088896340736)), broadcast(kRounder));
  const Pack<Scalar> minus_n = broadcast(kRounder) - shifted;
  const Pack<Scalar> r =
      multiply_add(minus_n, broadcast(kLn2Low), multiply_add(minus_n, broadcast(kLn2High), -clamped));
  const PackBits<Scalar> exponent = (PackBits<Scalar>)shifted << kMantissaBits;
  const Pack<Scalar> result = (Pack<Scalar>)((PackBits<Scalar>)pack_series<0, kDegree, true, Scalar>(r) + exponent);
  return within ? result : Pack<Scalar>{};
}

/// Element by element; b where either is not a number.
template <class Scalar>
inline Pack<Scalar> smaller(Pack<Scalar> a, Pack<Scalar> b) {
#if defined(__AVX__)
  if constexpr (std::is_same_v<Scalar, float>) return _mm256_min_ps(a, b);
  if constexpr (std::is_same_v<Scalar, double>) return _mm256_min_pd(a, b);
#endif
  return a < b ? a : b;
}

/// 2^f for |f| <= 1/2.
inline Pack<float> exp2_near_zero(Pack<float> f) {
  // The polynomial of degree 6 through (0, 1) with the smallest relative error, 2e-9.
  Pack<float> result = broadcast(0x1.41fbbcp-13F);
  for (const float coefficient : {0x1.5f3e54p-10F, 0x1.3b2d4cp-7F, 0x1.c6aee8p-5F, 0x1.ebfbdcp-3F, 0x1.62e43p-1F, 1.0F})
    result = multiply_add(result, f, broadcast(coefficient));
  return result;
}
inline Pack<double> exp2_near_zero(Pack<double> f) {
  return pack_series<0, 13, true, double>(f * broadcast(0.693147180559945309417));
}

/// 2^-x for x >= 0, within 1 ulp for float and 2 for double; from 126 and 1022 on it stays what it is there, which is
/// as good as 0. Cheaper than exp_decay_pack.
template <class Scalar>
inline Pack<Scalar> exp2_decay_pack(Pack<Scalar> x) {
  constexpr bool kIsFloat = std::is_same_v<Scalar, float>;
  constexpr int kMantissaBits = kIsFloat ? 23 : 52;
  constexpr Scalar kRounder = kIsFloat ? Scalar(0x1.8p23) : Scalar(0x1.8p52);
  const Pack<Scalar> clamped = smaller<Scalar>(x, broadcast(Scalar(kIsFloat ? 126 : 1022)));
  const Pack<Scalar> shifted = broadcast(kRounder) - clamped;
  const Pack<Scalar> f = (broadcast(kRounder) - shifted) - clamped;
  const PackBits<Scalar> exponent = (PackBits<Scalar>)shifted << kMantissaBits;
  return (Pack<Scalar>)((PackBits<Scalar>)exp2_near_zero(f) + exponent);
}

/// From here on softplus(x) is x, in both passes.
inline constexpr int kSoftplusLinear = 20;

/// log(1 + exp(x)), accurate for every x: max(x, 0) + log1p(exp(-|x|)), the logarithm by 2 artanh(z / (2 + z)), whose
/// argument is at most 1/3.
template <class Scalar>
inline Pack<Scalar> softplus_pack(Pack<Scalar> x) {
  constexpr int kTerms = std::is_same_v<Scalar, float> ? 8 : 17;  // the next would be below u / 4
  const Pack<Scalar> zero{};
  const Pack<Scalar> z = exp_decay_pack<Scalar>(x < zero ? -x : x);
  const Pack<Scalar> s = z / (z + Scalar(2));
  const Pack<Scalar> log1p = (s + s) * pack_series<0, kTerms, false, Scalar>(s * s);
  const Pack<Scalar> result = log1p + (x < zero ? zero : x);
  return x > broadcast(Scalar(kSoftplusLinear)) ? x : result;
}

/// The derivative of softplus_pack.
template <class Scalar>
inline Pack<Scalar> softplus_slope_pack(Pack<Scalar> x) {
  const Pack<Scalar> zero{}, one = broadcast(Scalar(1));
  const Pack<Scalar> z = exp_decay_pack<Scalar>(x < zero ? -x : x);
  const Pack<Scalar> slope = (x < zero ? z : one) / (one + z);
  return x > broadcast(Scalar(kSoftplusLinear)) ? one : slope;
}

}  // namespace synfire::neurons
