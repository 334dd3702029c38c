#include "neurons/membrane_course.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

#include "core/random.hpp"
#include "tests/reference/membrane_course_reference.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::neurons;

namespace {

/// Of a time that is given with 15 digits: half a unit of the last one, and the slope of the membrane at the crossing,
/// which is not small in these cases.
constexpr double kGivenDigits = 1e-12;

MembraneCourse course(double tau_mem, double tau_syn, double v0, double i, double v_inf) {
  return {tau_mem, tau_syn, v0 - v_inf, i};
}

void check_crossing(const MembraneCourse& c, double level, double expected_ms) {
  CHECK(std::abs(first_crossing_ms(c, level) - expected_ms) < kGivenDigits * std::max(1.0, expected_ms));
  CHECK(std::abs(first_crossing_by_bracket_ms(c, level) - expected_ms) < kGivenDigits * std::max(1.0, expected_ms));
}

void check_no_crossing(const MembraneCourse& c, double level) {
  CHECK(first_crossing_ms(c, level) == kNoCrossing);
  CHECK(first_crossing_by_bracket_ms(c, level) == kNoCrossing);
}

}  // namespace

TEST_CASE("the potential after one arrival peaks where it should") {
  // tau_mem 10, tau_syn 2, C 250, w 100; worked out from the solution of the equation, to the digits given.
  const double peak = synaptic_kernel_peak_ms(10.0, 2.0);
  CHECK(std::abs(peak - 4.02359478109) < 1e-11);
  CHECK(std::abs(100.0 / 250.0 * synaptic_kernel_ms(peak, 10.0, 2.0) - 0.534992243981) < 1e-12);
  // NEST 3.10 at steps of .01 ms has its maximum at 4.02.
  CHECK(std::abs(0.4 * synaptic_kernel_ms(4.02, 10.0, 2.0) - 0.5349920710215) < 1e-13);

  CHECK(synaptic_kernel_peak_ms(10.0, 10.0) == doctest::Approx(10.0).epsilon(1e-15));
  CHECK(std::abs(0.4 * synaptic_kernel_ms(10.0, 10.0, 10.0) - 1.47151776469) < 1e-11);
}

TEST_CASE("time constants that differ by a rounding error cross over to the limit of equal ones") {
  // K depends smoothly on tau_syn: relative changes of both are alike. Two exponentials and their difference would have
  // lost all digits.
  const double limit = synaptic_kernel_ms(7.0, 10.0, 10.0);
  for (const double relative : {0x1p-52, 0x1p-40, 0x1p-30}) {
    for (const double tau_syn : {10.0 * (1.0 + relative), 10.0 * (1.0 - relative)}) {
      CHECK(std::abs(synaptic_kernel_ms(7.0, 10.0, tau_syn) / limit - 1.0) < relative + 1e-15);
      CHECK(std::abs(synaptic_kernel_peak_ms(10.0, tau_syn) - 10.0) < 10.0 * relative + 1e-14);
      const MembraneCourse near{10.0, tau_syn, 0.1, 0.3}, equal{10.0, 10.0, 0.1, 0.3};
      CHECK(std::abs(near.turning_point_ms() - equal.turning_point_ms()) < 20.0 * relative + 1e-14);
      CHECK(std::abs(first_crossing_ms(near, 0.8) - first_crossing_ms(equal, 0.8)) < 20.0 * relative + 1e-13);
    }
  }
}

TEST_CASE("far times and far time constants neither overflow nor lose the sign") {
  for (const auto& [tau_mem, tau_syn] : {std::pair{1e-3, 1e3}, {1e3, 1e-3}, {1e-9, 1e12}, {1e12, 1e-9}}) {
    for (const double t : {0.0, 1e-12, 1.0, 1e6, 1e15}) {
      const double k = synaptic_kernel_ms(t, tau_mem, tau_syn);
      CHECK(std::isfinite(k));
      CHECK(k >= 0.0);
      CHECK(k <= std::min(tau_mem, tau_syn) * (1.0 + 1e-15));
    }
  }
}

TEST_CASE("a drive alone reaches the threshold when the exponential does") {
  // tau 10, v_inf 1.5, threshold 1: 10 ln 3.
  check_crossing({10.0, 0.0, -1.5, 0.0}, -0.5, 10.986122886681098);
  check_no_crossing({10.0, 0.0, -0.5, 0.0}, 0.0);
  check_no_crossing({10.0, 0.0, -0.5, 0.0}, 0.1);
  CHECK(first_crossing_ms({10.0, 0.0, 0.5, 0.0}, 0.5) == 0.0);
}

TEST_CASE("crossings of courses with closed forms") {
  const MembraneCourse halves = course(10.0, 5.0, 0.2, 0.35, 0.1);
  check_crossing(halves, 0.9, 5.10825623765991);
  CHECK(std::abs(halves.turning_point_ms() - 6.649763) < 1e-6);
  CHECK(std::abs(halves.at(halves.turning_point_ms()) + 0.1 - 1.025714) < 1e-6);

  check_crossing(course(10.0, 10.0, 0.2, 0.3, 0.1), 0.8, 3.42111135597205);
  check_crossing(course(10.0, 10.0, 0.2, 0.2, 1.2), -0.3, 2.97938216323590);
  check_crossing(course(10.0, 10.0, 0.2, -0.3, 1.5), -0.6, 27.7527531169495);
  check_no_crossing(course(10.0, 10.0, 0.2, 0.2, 0.1), 0.8);
  check_no_crossing(course(10.0, 10.0, 0.2, -0.2, 0.9), 0.0);
  // (p + q t) e^(-t/tau) = 0 at t = -p/q = 2.
  check_crossing(course(10.0, 10.0, 0.1, 0.4, 0.9), 0.0, 2.0);
}

TEST_CASE("a crossing without a closed form is found by the bracket") {
  check_crossing(course(10.0, 2.0, 0.0, 1.0, 0.0), 1.0, 1.57996476817914);
}

TEST_CASE("a crossing that a cancelling closed form would lose is found all the same") {
  // p / (q tau) = -1e7: the exponential of Lambert's argument overflows.
  const MembraneCourse weak{10.0, 10.0, -1.0, 1e-8};
  const double t = first_crossing_ms(weak, -0.5);
  CHECK(std::abs(weak.at(t) + 0.5) < 1e-15);
  CHECK(std::abs(t - 10.0 * std::log(2.0)) < 1e-5);
}

TEST_CASE("a course that only touches the level from below counts") {
  const MembraneCourse touching{10.0, 2.0, 0.0, 1.0};
  const double top = touching.at(touching.turning_point_ms());

  CHECK(first_crossing_ms(touching, top) <= touching.turning_point_ms());
  // Near a top of curvature v'' the level is reached sqrt(2 d / |v''|) earlier, d the rounding of v.
  CHECK(first_crossing_ms(touching, top) > touching.turning_point_ms() - 1e-6);
  CHECK(first_crossing_ms(touching, std::nextafter(top, 2.0)) == kNoCrossing);
}

TEST_CASE("crossings agree with dense sampling on random courses") {
  constexpr int kCases = 600, kSamples = 4000;
  int num_crossings = 0;
  for (int k = 0; k < kCases; ++k) {
    CAPTURE(k);
    const RandomStream random(7, 3, static_cast<std::uint32_t>(k));
    const auto between = [&](std::uint64_t draw, double low, double high) {
      return low + (high - low) * random.uniform(draw);
    };
    const double tau_mem = between(0, 1.0, 30.0);
    // Every kind of ratio: any, two to one, one to two, equal, almost equal.
    const double tau_syn = k % 5 == 0   ? between(1, 0.5, 40.0)
                           : k % 5 == 1 ? tau_mem / 2.0
                           : k % 5 == 2 ? tau_mem * 2.0
                           : k % 5 == 3 ? tau_mem
                                        : tau_mem * (1.0 + 1e-4 * between(1, -1.0, 1.0));
    const double v_inf = between(2, -1.0, 1.5), v0 = between(3, -1.0, 1.0);
    const double slope = k % 7 == 0 ? 0.0 : between(4, -1.0, 1.0) * 4.0 / std::min(tau_mem, tau_syn);
    const MembraneCourse c{tau_mem, tau_syn, v0 - v_inf, slope};
    const double level = 1.0 - v_inf;
    const auto reference = [&](double t) { return test::course_reference(tau_mem, tau_syn, v0 - v_inf, slope, t); };
    // Ten roundings of our terms, and what the difference in the reference loses of its long double.
    const double factor = tau_mem == tau_syn ? 0.0 : tau_mem * tau_syn / std::abs(tau_mem - tau_syn);
    const double v_error = 10.0 * test::unit_roundoff<double> * (std::abs(v0 - v_inf) + std::abs(slope) * 30.0) +
                           4.0 * test::unit_roundoff<long double> * std::abs(slope) * factor;

    const double t = first_crossing_ms(c, level);
    const double by_bracket = first_crossing_by_bracket_ms(c, level);

    const double horizon = 12.0 * std::max(tau_mem, tau_syn);
    const double end = std::min(t, horizon);
    for (int sample = 0; sample < kSamples; ++sample) {
      const double at = end * sample / kSamples;
      if (!(reference(at) < level + v_error)) FAIL("a crossing before " << t << " at " << at);
    }
    CHECK((t == kNoCrossing) == (by_bracket == kNoCrossing));
    if (t == kNoCrossing) continue;
    ++num_crossings;
    CHECK(std::abs(static_cast<double>(reference(t)) - level) <= v_error + 4.0 * test::unit_roundoff<double>);
    const double v_slope = std::abs(static_cast<double>(reference(t + 1e-4) - reference(t))) / 1e-4;
    CHECK(std::abs(t - by_bracket) <= 2.0 * v_error / v_slope + 4.0 * test::unit_roundoff<double> * t);
  }
  CHECK(num_crossings > kCases / 4);
  CHECK(num_crossings < kCases * 3 / 4);
}
