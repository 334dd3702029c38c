#include "neurons/exact_lif.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "tests/reference/membrane_course_reference.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::neurons;

TEST_CASE("a silent neuron follows the solution of its equation") {
  const ExactLif neuron({.tau_mem_ms = 10.0,
                         .tau_syn_ms = 2.0,
                         .capacitance = 250.0,
                         .v_rest = -70.0,
                         .v_th = -55.0,
                         .v_reset = -70.0,
                         .drive = 300.0});
  const ExactLifState start{-65.0, 120.0};

  const ExactLifState later = neuron.advance(start, 3.0);

  // v_inf = -70 + 300 * 10 / 250 = -58.
  CHECK(neuron.v_inf() == doctest::Approx(-58.0).epsilon(1e-15));
  const auto v = -58.0 + static_cast<double>(test::course_reference(10.0L, 2.0L, -7.0L, 120.0L / 250.0L, 3.0L));
  CHECK(std::abs(later.v - v) < 10.0 * test::unit_roundoff<double> * 70.0);
  CHECK(std::abs(later.i - 120.0 * std::exp(-1.5)) < 10.0 * test::unit_roundoff<double> * 120.0);
}

TEST_CASE("two steps in time are one") {
  const ExactLif neuron({.tau_mem_ms = 7.0, .tau_syn_ms = 7.5, .drive = 0.1});
  const ExactLifState start{0.3, -0.2};

  const ExactLifState once = neuron.advance(start, 5.0);
  const ExactLifState twice = neuron.advance(neuron.advance(start, 1.25), 3.75);

  CHECK(std::abs(once.v - twice.v) < 20.0 * test::unit_roundoff<double>);
  CHECK(std::abs(once.i - twice.i) < 20.0 * test::unit_roundoff<double>);
  CHECK(neuron.advance(start, 0.0).v == start.v);
  CHECK(neuron.advance(start, 0.0).i == start.i);
}

TEST_CASE("a driven neuron crosses its threshold on the spot that NEST's precise model finds") {
  // tau_mem 10, C 1, I .15: NEST 3.10's first spike, for iaf_psc_delta_ps and iaf_psc_exp_ps.
  for (const double tau_syn : {0.0, 2.0}) {
    const ExactLif neuron({.tau_mem_ms = 10.0, .tau_syn_ms = tau_syn, .drive = 0.15});
    CHECK(std::abs(neuron.first_crossing_ms({0.0, 0.0}) - 10.9861228866811) < 1e-12);
  }
}

TEST_CASE("a neuron at or above its threshold crosses it now") {
  const ExactLif neuron({.tau_mem_ms = 10.0, .tau_syn_ms = 2.0});
  CHECK(neuron.first_crossing_ms({1.0, -5.0}) == 0.0);
  CHECK(neuron.first_crossing_ms({2.0, 0.0}) == 0.0);
}

TEST_CASE("the filter never hides a crossing, and hides most of what is none") {
  int num_crossings = 0, num_hidden = 0, num_silent = 0;
  for (std::uint32_t k = 0; k < 2000; ++k) {
    CAPTURE(k);
    const RandomStream random(3, 1, k);
    const auto between = [&](std::uint64_t draw, double low, double high) {
      return low + (high - low) * random.uniform(draw);
    };
    const ExactLif neuron({.tau_mem_ms = between(0, 5.0, 20.0),
                           .tau_syn_ms = k % 4 == 0 ? 0.0 : between(1, 1.0, 20.0),
                           .drive = between(2, -0.1, 0.12)});
    const ExactLifState state{between(3, -1.0, 0.999), neuron.config().tau_syn_ms == 0.0 ? 0.0 : between(4, -0.4, 0.4)};
    const MembraneCourse course{neuron.config().tau_mem_ms, neuron.config().tau_syn_ms, state.v - neuron.v_inf(),
                                state.i};

    const double without_filter = first_crossing_by_bracket_ms(course, 1.0 - neuron.v_inf());

    CHECK((neuron.first_crossing_ms(state) == kNoCrossing) == (without_filter == kNoCrossing));
    if (without_filter != kNoCrossing) {
      ++num_crossings;
      CHECK(neuron.could_cross(state));
    } else {
      ++num_silent;
      num_hidden += neuron.could_cross(state) ? 0 : 1;
    }
  }
  CHECK(num_crossings > 200);
  CHECK(num_hidden > num_silent / 2);
}

TEST_CASE("a neuron that cannot be is refused by the name of its constant") {
  const auto key_of = [](const ExactLifConfig& config) -> std::string {
    try {
      const ExactLif neuron(config);
    } catch (const ConfigError& error) {
      return error.key;
    }
    return "none";
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
  CHECK(key_of({}) == "none");
  CHECK(key_of({.tau_mem_ms = 0.0}) == "tau_mem_ms");
  CHECK(key_of({.tau_mem_ms = kNan}) == "tau_mem_ms");
  CHECK(key_of({.tau_syn_ms = -1.0}) == "tau_syn_ms");
  CHECK(key_of({.capacitance = 0.0}) == "capacitance");
  CHECK(key_of({.v_rest = kInfinity}) == "v_rest");
  CHECK(key_of({.v_th = kNan}) == "v_th");
  CHECK(key_of({.v_reset = 1.0}) == "v_reset");
  CHECK(key_of({.drive = kNan}) == "drive");
  CHECK(key_of({.t_ref_ms = -1.0}) == "t_ref_ms");
}
