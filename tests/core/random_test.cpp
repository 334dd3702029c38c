#include "core/random.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using namespace synfire;

// The known answers of philox4x32 with 10 rounds, from the file kat_vectors that comes with [Salmon2011].
TEST_CASE("Philox gives the known answers of its authors") {
  CHECK(Philox::block({0U, 0U}, {0U, 0U, 0U, 0U}) == Philox::Block{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U});
  CHECK(Philox::block({0xffffffffU, 0xffffffffU}, {0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU}) ==
        Philox::Block{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU});
  CHECK(Philox::block({0xa4093822U, 0x299f31d0U}, {0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}) ==
        Philox::Block{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U});
}

TEST_CASE("seed, stream, step and element all change the words, high halves included") {
  const RandomStream stream(1, 2, 3);
  const std::uint64_t high = std::uint64_t{1} << 32U;

  CHECK(stream.words(4) == RandomStream(1, 2, 3).words(4));
  CHECK(stream.words(4) == Philox::block({1U, 0U}, {4U, 0U, 2U, 3U}));
  CHECK(stream.words(4) != stream.words(5));
  CHECK(stream.words(4) != stream.words(4 + high));
  CHECK(stream.words(4) != RandomStream(1 + high, 2, 3).words(4));
  CHECK(stream.words(4) != RandomStream(2, 2, 3).words(4));
  CHECK(stream.words(4) != RandomStream(1, 3, 3).words(4));
  CHECK(stream.words(4) != RandomStream(1, 2, 4).words(4));
}

TEST_CASE("uniform numbers lie in [0, 1) with the mean and the variance of the uniform distribution") {
  constexpr int kCount = 100000;
  const RandomStream stream(7, 0, 0);
  double sum = 0.0;
  double sum_squares = 0.0;
  bool inside = true;
  for (int i = 0; i < kCount; ++i) {
    const double value = stream.uniform(static_cast<std::uint64_t>(i));
    inside = inside && value >= 0.0 && value < 1.0;
    sum += value;
    sum_squares += value * value;
  }

  CHECK(inside);
  // Five standard errors: of a mean sqrt(Var / n), with Var(U) = 1/12 and Var(U^2) = 1/5 - 1/9 = 4/45.
  CHECK(std::abs(sum / kCount - 0.5) <= 5.0 * std::sqrt(1.0 / 12.0 / kCount));
  CHECK(std::abs(sum_squares / kCount - 1.0 / 3.0) <= 5.0 * std::sqrt(4.0 / 45.0 / kCount));
}

TEST_CASE("normal numbers have the first four moments of the standard normal distribution") {
  constexpr int kCount = 100000;
  const RandomStream stream(7, 1, 0);
  std::array<double, 4> sum{};
  for (int i = 0; i < kCount; ++i) {
    const double value = stream.normal(static_cast<std::uint64_t>(i));
    double power = 1.0;
    for (double& moment : sum) moment += power *= value;
  }

  // Five standard errors; Var(Z^k) = E[Z^2k] - E[Z^k]^2 is 1, 2, 15 and 105 - 9.
  constexpr std::array<double, 4> kMean{0.0, 1.0, 0.0, 3.0};
  constexpr std::array<double, 4> kVariance{1.0, 2.0, 15.0, 96.0};
  for (std::size_t k = 0; k < 4; ++k)
    CHECK(std::abs(sum[k] / kCount - kMean[k]) <= 5.0 * std::sqrt(kVariance[k] / kCount));
}

TEST_CASE("below(n) gives every value of [0, n) about equally often, and nothing else") {
  constexpr std::uint64_t kSides = 6;
  constexpr int kCount = 60000;
  const RandomStream stream(7, 2, 0);
  std::vector<int> count(kSides);
  for (int i = 0; i < kCount; ++i) ++count.at(stream.below(static_cast<std::uint64_t>(i), kSides));

  // Five standard deviations of a binomial count.
  const double expected = static_cast<double>(kCount) / kSides;
  for (const int c : count) CHECK(std::abs(c - expected) <= 5.0 * std::sqrt(expected * (1.0 - 1.0 / kSides)));
}

TEST_CASE("below(n) is the high half of the exact 128-bit product of a 64-bit word and n") {
  const RandomStream stream(11, 3, 0);
  __extension__ using Wide = unsigned __int128;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Philox::Block w = stream.words(i);
    const std::uint64_t word = (std::uint64_t{w[1]} << 32U) | w[0];
    for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{0xffffffffU}, UINT64_MAX - i})
      CHECK(stream.below(i, n) == static_cast<std::uint64_t>((Wide{word} * n) >> 64U));
  }
}
