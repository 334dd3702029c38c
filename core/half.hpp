#pragma once

#include <bit>
#include <cstdint>

namespace synfire {

/// A real number of 16 bits (IEEE 754 binary16) as its bits: 1 sign, 5 exponent, 10 fraction. For files; it is
/// converted before anything is computed.
struct Half {
  std::uint16_t bits = 0;
  bool operator==(const Half&) const = default;
};

/// The nearest half, of two equally near ones the even one. From 65520 on that is infinity; a NaN stays one.
inline Half to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  const auto with_sign = [sign](std::uint32_t rest) { return Half{static_cast<std::uint16_t>(sign | rest)}; };
  if (magnitude > 0x7F800000U) return with_sign(0x7E00U);
  if (magnitude >= 0x477FF000U) return with_sign(0x7C00U);
  if (magnitude < 0x38800000U) {
    // Below 2^-14 a half counts in steps of 2^-24. Adding 0.5, whose last place is 2^-24, rounds to such a step.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return with_sign(std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5F));
  }
  // 13 bits of fraction go; half of their step, less one if the last bit that stays is even, makes ties go to even.
  const std::uint32_t rounded = magnitude + 0x0FFFU + ((magnitude >> 13U) & 1U);
  return with_sign((rounded - 0x38000000U) >> 13U);
}

/// Exact: every half is a float.
inline float to_float(Half half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half.bits & 0x8000U) << 16U;
  const std::uint32_t magnitude = half.bits & 0x7FFFU;
  if (magnitude >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | ((magnitude & 0x03FFU) << 13U));
  if (magnitude < 0x0400U) {
    const float value = static_cast<float>(magnitude) * 0x1.0p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
  }
  return std::bit_cast<float>(sign | ((magnitude << 13U) + 0x38000000U));
}

}  // namespace synfire
