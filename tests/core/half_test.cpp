#include "core/half.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

using namespace synfire;

namespace {

/// What the 16 bits mean, from IEEE 754 alone.
double meaning(std::uint16_t bits) {
  const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 31;
  const double fraction = (bits & 0x3FF) / 1024.0;
  if (exponent == 31) return fraction == 0.0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  return exponent == 0 ? sign * std::ldexp(fraction, -14) : sign * std::ldexp(1.0 + fraction, exponent - 15);
}

}  // namespace

TEST_CASE("every half becomes the float that its bits mean, and comes back") {
  for (std::uint32_t i = 0; i <= 0xFFFFU; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float value = to_float(Half{bits});

    if (std::isnan(meaning(bits))) {
      REQUIRE(std::isnan(value));
      REQUIRE(std::isnan(to_float(to_half(value))));
      continue;
    }
    REQUIRE(static_cast<double>(value) == meaning(bits));
    REQUIRE(to_half(value) == Half{bits});
  }
}

TEST_CASE("a float becomes the nearest half, and the even one of two") {
  for (std::uint32_t i = 0; i < 0x7C00U; ++i) {
    const auto low = static_cast<std::uint16_t>(i);
    const auto high = static_cast<std::uint16_t>(i + 1);
    const std::uint16_t even = i % 2 == 0 ? low : high;
    // The step above the largest half counts as if the exponents went on.
    const double above = high == 0x7C00U ? 65536.0 : meaning(high);
    const auto middle = static_cast<float>(0.5 * (meaning(low) + above));

    REQUIRE(to_half(middle) == Half{even});
    REQUIRE(to_half(std::nextafter(middle, 0.0F)) == Half{low});
    REQUIRE(to_half(std::nextafter(middle, 1e9F)) == Half{high});
    REQUIRE(to_half(-middle) == Half{static_cast<std::uint16_t>(even | 0x8000U)});
  }
}

TEST_CASE("what is too large for a half is infinite") {
  CHECK(to_half(65519.996F) == Half{0x7BFF});
  CHECK(to_half(1e30F) == Half{0x7C00});
  CHECK(to_half(-std::numeric_limits<float>::infinity()) == Half{0xFC00});
}
