#include "neurons/silent_ticks.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::neurons;

namespace {

/// v after 0, 1, 2, ... ticks, stepped.
std::vector<double> stepped(SilentTicks c, int num_ticks) {
  std::vector<double> v{c.v};
  for (int n = 0; n < num_ticks; ++n) {
    c.i *= c.alpha;
    c.v = c.beta * c.v + c.gain * c.i;
    v.push_back(c.v);
  }
  return v;
}

}  // namespace

TEST_CASE("the current-based neuron rises and falls on the grid as in the worked example") {
  const SilentTicks c{.alpha = 0.8, .beta = 0.9, .gain = 1.0, .v = 0.1, .i = 0.7};

  const std::vector<double> given{0.1, 0.65, 1.033, 1.2881, 1.44601, 1.530785, 1.561207, 1.551887};
  for (std::size_t n = 0; n < given.size(); ++n) {
    CHECK(std::abs(c.at(static_cast<std::int64_t>(n)) - given[n]) < 0.6e-6);
  }
  CHECK(std::abs(c.at(10) - (5.7 * 0.3486784401 - 5.6 * 0.1073741824)) < 1e-14);  // A .9^10 + B .8^10
  CHECK(std::abs(c.turning_point() - 5.7347) < 0.6e-4);
  CHECK(first_crossing_tick(c, 1.0) == 2);
  CHECK(first_crossing_tick(c, 1.56) == 6);
  CHECK(first_crossing_tick(c, 1.57) == -1);
}

TEST_CASE("the first tick of a crossing is that of stepping, on random courses") {
  constexpr int kTicks = 400;
  int num_crossings = 0;
  for (std::uint32_t k = 0; k < 2000; ++k) {
    CAPTURE(k);
    const RandomStream random(5, 1, k);
    const auto between = [&](std::uint64_t draw, double low, double high) {
      return low + (high - low) * random.uniform(draw);
    };
    SilentTicks c{.alpha = between(0, 0.1, 0.97),
                  .beta = between(1, 0.1, 0.97),
                  .gain = between(2, 0.2, 1.5),
                  .v = between(3, -2.0, 1.0),
                  .i = between(4, -1.0, 1.0)};
    if (k % 3 == 0) c.alpha = c.beta;
    if (k % 3 == 1) c.alpha = c.beta * (1.0 + 1e-9 * between(0, -1.0, 1.0));
    if (k % 10 == 0) c.i = 0.0;
    const double level = between(5, -0.5, 1.0);

    const std::int64_t tick = first_crossing_tick(c, level);

    const std::vector<double> v = stepped(c, kTicks);
    // Each tick rounds three times what is at most the largest |v|, and the leak forgets it: a sum of 1 / (1 - beta).
    const double error = 3.0 / (1.0 - 0.97) * test::unit_roundoff<double> * (2.0 + 1.5 / (1.0 - 0.97));
    std::int64_t expected = -1;
    for (int n = kTicks; n >= 1; --n) {
      CHECK(std::abs(c.at(n) - v[static_cast<std::size_t>(n)]) < error);
      if (v[static_cast<std::size_t>(n)] >= level) expected = n;
    }
    CHECK(tick == expected);
    num_crossings += tick > 1;
  }
  CHECK(num_crossings > 100);
}
