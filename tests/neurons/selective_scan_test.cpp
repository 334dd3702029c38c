#include "neurons/selective_scan.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "neurons/pack_math.hpp"
#include "tests/neurons/scan_run.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using test::ScanForm;
using test::ScanProblem;

namespace {

const std::vector<Shape> kShapes{Shape{3, 2, 3, 5, 7},   Shape{1, 1, 1, 1, 1}, Shape{1, 3, 2, 3, 33},
                                 Shape{2, 1, 5, 13, 17}, Shape{67, 2, 18},     Shape{130, 1, 1, 2, 5},
                                 Shape{2, 35, 1, 2, 3},  Shape{3, 1, 300}};

/// Largest difference, over the largest value.
template <class A, class B>
double error_of(const std::vector<A>& ours, const std::vector<B>& expected) {
  REQUIRE(ours.size() == expected.size());
  double largest = 1e-30, worst = 0.0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    worst = std::max(worst, std::abs(static_cast<double>(ours[i]) - static_cast<double>(expected[i])));
  }
  return worst / largest;
}

/// Rounding of a slow lane is some u / (1 - a); the slowest of random_scan has a step of .01 and a rate of .13. Chunks
/// join in another order, so this is also how far two orders may be apart.
template <class Scalar>
constexpr double kScanTolerance = 20.0 * test::unit_roundoff<Scalar> / 1e-3;

std::vector<double> reference_y(const ScanProblem& problem) {
  std::vector<double> state(static_cast<std::size_t>(problem.state_shape().size()));
  return test::selective_scan_reference(problem.u, problem.order, static_cast<std::size_t>(problem.states),
                                        problem.values, state);
}

/// The example of the selective-scan specification: D = ln 2 everywhere, A = (-1, -2).
ScanProblem worked_example() {
  ScanProblem problem;
  problem.u = Shape{3, 1, 1};
  problem.order = {SequenceAxis::time, SequenceDirection::forward};
  problem.states = 2;
  problem.values = {{1, 0, 2}, {0, 0, 0}, {1, 1, 1, 0, 1, 0, 1, 1, .5, 1, 0, 2}, {0, std::log(2.0)}, {1}, {0}};
  problem.grad_y.assign(3, 1.0 / (1.0 + std::exp(-1.0)));  // dL/do = 1 behind a gate SiLU(1)
  problem.state.assign(2, 0.0);
  return problem;
}

void check_near(const std::vector<double>& ours, const std::vector<double>& expected) {
  REQUIRE(ours.size() == expected.size());
  for (std::size_t i = 0; i < ours.size(); ++i) CHECK(std::abs(ours[i] - expected[i]) <= 1.1e-9);
}

double loss_of(const ScanProblem& problem) {
  const auto result = test::run_scan<double>(problem, ScanForm::sequential, false);
  double sum = 0.0;
  for (std::size_t i = 0; i < result.y.size(); ++i) sum += result.y[i] * problem.grad_y[i];
  for (std::size_t i = 0; i < problem.grad_state.size(); ++i) sum += result.state[i] * problem.grad_state[i];
  return sum;
}

/// Of a central difference that is improved once: the error of step h is a third of the difference between those of 2h
/// and h; rounding is some hundreds of u over h.
void check_slopes(std::vector<double>& values, const std::vector<double>& analytic, const ScanProblem& problem) {
  REQUIRE(values.size() == analytic.size());
  constexpr double kStep = 1e-4;
  double largest = 0.0;
  for (std::size_t i = 0; i < values.size(); i += 1 + values.size() / 40) {
    const double at = values[i];
    const auto difference = [&](double h) {
      values[i] = at + h;
      const double above = loss_of(problem);
      values[i] = at - h;
      const double below = loss_of(problem);
      values[i] = at;
      return (above - below) / (2.0 * h);
    };
    const double fd = difference(kStep), truncation = std::abs(difference(2.0 * kStep) - fd);
    CHECK(std::abs(fd - analytic[i]) <= truncation + 1000.0 * test::unit_roundoff<double> * 30.0 / kStep);
    largest = std::max(largest, std::abs(analytic[i]));
  }
  CHECK(largest > 1e-3);
}

template <class Scalar, class Function, class Exact>
double worst_ulps(double low, double high, const Function& function, const Exact& exact) {
  double worst = 0.0;
  constexpr int kPoints = 40000;
  for (int i = 0; i < kPoints; ++i) {
    const auto x = static_cast<Scalar>(low + (high - low) * i / kPoints);
    const auto expected = exact(static_cast<long double>(x));
    const double ulp = 2.0 * test::unit_roundoff<Scalar> * std::abs(static_cast<double>(expected));
    const auto ours = function(broadcast(x));
    worst = std::max(worst, static_cast<double>(std::abs(static_cast<long double>(ours[0]) - expected)) / ulp);
  }
  return worst;
}

}  // namespace

TEST_CASE("three tokens of one channel give the numbers of the worked example") {
  const auto result = test::run_scan<double>(worked_example());

  check_near(result.y, {1.693147181, .519860385, 4.859232120});
  check_near(result.state, {1.25 * std::log(2.0), 2.0625 * std::log(2.0)});
  check_near(result.gradients[0], {1.681179565, 1.237789771, 1.744520964});
  check_near(result.gradients[1], {.5 * 1.370734835, .5 * -.633413991, .5 * 2.797551516});
  check_near(result.gradients[2], {.760096789, .190024197, .506731193, .506731193, 0, 0, .253365596, .126682798, 0,
                                   2.026924770, .633413991, 1.045133085});
  check_near(result.gradients[3], {-.175619649, -.351239297});
  check_near(result.gradients[4], {2.193175736});
  check_near(result.gradients[5], {1.767436180});
}

TEST_CASE_TEMPLATE("the scan agrees with slow loops on every axis, both ways, for sizes around a tile and a chunk",
                   Scalar, float, double) {
  for (const Shape& shape : kShapes) {
    for (const SequenceOrder order : test::all_orders()) {
      for (const bool spikes : {false, true}) {
        CAPTURE(shape.text());
        CAPTURE(test::order_text(order));
        const ScanProblem problem = test::random_scan(shape, order, shape.channels() == 7 ? 16 : 3, spikes);

        const auto result = test::run_scan<Scalar>(problem, ScanForm::sequential, false);

        CHECK(error_of(result.y, reference_y(problem)) <= kScanTolerance<Scalar>);
      }
    }
  }
}

TEST_CASE("selective_scan_backward is the derivative of selective_scan_forward") {
  for (const SequenceOrder order : test::all_orders()) {
    for (const Shape& shape : {Shape{3, 2, 2, 2, 3}, Shape{70, 1, 1, 2, 2}, Shape{2, 1, 6, 6, 11}}) {
      CAPTURE(test::order_text(order));
      ScanProblem problem = test::random_scan(shape, order, 4);
      problem.values.delta[1] = 25.0;  // beyond where softplus is linear
      problem.state = test::uniform_values(problem.state_shape().size(), 11, -1.0, 1.0);
      problem.grad_state = test::uniform_values(problem.state_shape().size(), 12, -1.0, 1.0);
      const auto result = test::run_scan<double>(problem);

      check_slopes(problem.values.u, result.gradients[0], problem);
      check_slopes(problem.values.delta, result.gradients[1], problem);
      check_slopes(problem.values.bc, result.gradients[2], problem);
      check_slopes(problem.values.a_log, result.gradients[3], problem);
      check_slopes(problem.values.d, result.gradients[4], problem);
      check_slopes(problem.values.dt_bias, result.gradients[5], problem);
      check_slopes(problem.state, result.grad_state, problem);
    }
  }
}

TEST_CASE_TEMPLATE("the chunked form and token by token give what the sequential form gives", Scalar, float, double) {
  for (const Shape& shape : {Shape{200, 2, 18}, Shape{2, 3, 7, 11, 5}, Shape{130, 1, 1, 2, 35}, Shape{1, 1, 1, 1, 3}}) {
    for (const SequenceOrder order : test::all_orders()) {
      CAPTURE(shape.text());
      CAPTURE(test::order_text(order));
      const ScanProblem problem = test::random_scan(shape, order, 5);
      const auto sequential = test::run_scan<Scalar>(problem);

      const auto chunked = test::run_scan<Scalar>(problem, ScanForm::chunked);

      CHECK(error_of(chunked.y, sequential.y) <= std::min(1e-5, kScanTolerance<Scalar>));
      if (!chunked.chunk_states.empty()) {
        CHECK(error_of(chunked.chunk_states, sequential.chunk_states) <= std::min(1e-5, kScanTolerance<Scalar>));
      }
      for (std::size_t k = 0; k < 6; ++k) CHECK(error_of(chunked.gradients[k], sequential.gradients[k]) <= 1e-5);
    }
  }
  // One tick of a stream at a time, with the state carried on.
  const Shape shape{70, 2, 3, 1, 18};
  const SequenceOrder order{SequenceAxis::time, SequenceDirection::forward};
  ScanProblem whole = test::random_scan(shape, order, 3);
  whole.state.assign(static_cast<std::size_t>(whole.state_shape().size()), 0.0);
  const auto expected = test::run_scan<Scalar>(whole, ScanForm::sequential, false);
  ScanProblem tick = whole;
  tick.u = Shape{1, 2, 3, 1, 18};
  const auto part = [](const std::vector<double>& of, std::ptrdiff_t size, std::ptrdiff_t t) {
    return std::vector<double>(of.begin() + t * size, of.begin() + (t + 1) * size);
  };
  std::vector<Scalar> y;
  for (std::ptrdiff_t t = 0; t < shape[0]; ++t) {
    tick.values.u = part(whole.values.u, tick.u.size(), t);
    tick.values.delta = part(whole.values.delta, tick.u.size(), t);
    tick.values.bc = part(whole.values.bc, tick.bc().size(), t);
    const auto result = test::run_scan<Scalar>(tick, ScanForm::sequential, false);
    y.insert(y.end(), result.y.begin(), result.y.end());
    tick.state.assign(result.state.begin(), result.state.end());
  }
  CHECK(y == expected.y);
  CHECK(std::equal(tick.state.begin(), tick.state.end(), expected.state.begin()));
}

TEST_CASE("the scan gives the same bits for any number of threads and in any batch") {
  for (const SequenceOrder order : test::all_orders()) {
    CAPTURE(test::order_text(order));
    const ScanProblem problem = test::random_scan({4, 5, 5, 7, 150}, order, 4);
    const int before = num_threads();
    set_num_threads(1);
    const auto one = test::run_scan<float>(problem);
    const auto one_chunked = test::run_scan<float>(problem, ScanForm::chunked);
    for (const int count : {2, 8}) {
      set_num_threads(count);
      CHECK(one == test::run_scan<float>(problem));
      CHECK(one_chunked == test::run_scan<float>(problem, ScanForm::chunked));
    }
    set_num_threads(before);

    ScanProblem alone = problem;
    alone.u = Shape{4, 1, 5, 7, 150};
    const auto take = [&](const std::vector<double>& of, std::ptrdiff_t width) {
      std::vector<double> result;
      for (std::ptrdiff_t t = 0; t < 4; ++t) {
        const auto at = of.begin() + (t * 5 + 3) * 35 * width;
        result.insert(result.end(), at, at + 35 * width);
      }
      return result;
    };
    alone.values.u = take(problem.values.u, 150);
    alone.values.delta = take(problem.values.delta, 150);
    alone.values.bc = take(problem.values.bc, 8);
    const auto of_alone = test::run_scan<float>(alone, ScanForm::sequential, false);
    const std::vector<double> clip = take({one.y.begin(), one.y.end()}, 150);
    CHECK(std::equal(clip.begin(), clip.end(), of_alone.y.begin()));
  }
}

TEST_CASE("one tick of tokens is a frame, and time with one token is the tokens") {
  const auto run = [](const Shape& shape, SequenceAxis axis) {
    return test::run_scan<float>(test::random_scan(shape, {axis, SequenceDirection::forward}, 3));
  };
  const auto same = [](const auto& a, const auto& b) { return a.y == b.y && a.gradients == b.gradients; };
  CHECK(same(run({1, 3, 5, 4, 6}, SequenceAxis::tokens), run({1, 3, 5, 4, 6}, SequenceAxis::frame)));
  CHECK(same(run({90, 3, 1, 1, 6}, SequenceAxis::tokens), run({90, 3, 1, 1, 6}, SequenceAxis::time)));
}

TEST_CASE("a step of one and the rate of a leaky integrator give its membrane") {
  // softplus(raw) = 1; A = ln beta, B = C = 1: h[l] = beta h[l-1] + u[l].
  constexpr double kBeta = 0.9;
  ScanProblem problem = test::random_scan({40, 1, 1}, {SequenceAxis::time, SequenceDirection::forward}, 1);
  problem.values.delta.assign(40, std::log(std::expm1(1.0)));
  problem.values.dt_bias = problem.values.d = {0.0};
  problem.values.bc.assign(80, 1.0);
  problem.values.a_log = {std::log(-std::log(kBeta))};

  const auto result = test::run_scan<float>(problem, ScanForm::sequential, false);

  double v = 0.0;
  std::vector<double> expected;
  for (const double u : problem.values.u) expected.push_back(v = kBeta * v + u);
  CHECK(error_of(result.y, expected) <= 1e-6);
}

TEST_CASE("silence decays by the sum of its steps, and a step of zero holds the state") {
  ScanProblem problem = test::random_scan({50, 1, 3}, {SequenceAxis::time, SequenceDirection::forward}, 2);
  problem.values.u.assign(150, 0.0);
  problem.state = {1, 2, 3, 4, 5, 6};
  const auto decayed = test::run_scan<double>(problem, ScanForm::sequential, false);
  for (std::size_t e = 0; e < 3; ++e) {
    double sum = 0.0;
    for (std::size_t t = 0; t < 50; ++t) {
      sum += std::log1p(std::exp(problem.values.delta[t * 3 + e] + problem.values.dt_bias[e]));
    }
    for (std::size_t n = 0; n < 2; ++n) {
      const double expected = problem.state[n * 3 + e] * std::exp(-std::exp(problem.values.a_log[e * 2 + n]) * sum);
      // exp(-x) has the error of x times u, and 50 roundings.
      CHECK(decayed.state[n * 3 + e] == doctest::Approx(expected).epsilon(1e-12));
    }
  }
  problem.values.delta.assign(150, -50.0);
  const auto held = test::run_scan<float>(problem, ScanForm::sequential, false);
  CHECK(std::equal(held.state.begin(), held.state.end(), problem.state.begin()));
}

TEST_CASE("the exponential and softplus are within some units of the last place") {
  const auto exact_exp = [](long double x) { return std::exp(-x); };
  const auto exact_softplus = [](long double x) { return x > 20.0L ? x : std::log1p(std::exp(x)); };
  const auto exact_slope = [](long double x) { return x > 20.0L ? 1.0L : 1.0L / (1.0L + std::exp(-x)); };
  const auto exact_exp2 = [](long double x) { return std::exp2(-x); };
  CHECK(worst_ulps<float>(0.0, 126.0, neurons::exp2_decay_pack<float>, exact_exp2) <= 1.0);
  CHECK(worst_ulps<double>(0.0, 1022.0, neurons::exp2_decay_pack<double>, exact_exp2) <= 2.0);
  CHECK(neurons::exp2_decay_pack<float>(broadcast(0.0F))[0] == 1.0F);
  CHECK(neurons::exp2_decay_pack<float>(broadcast(1e30F))[0] < 1.2e-38F);
  // exp_decay: 2 ulp. softplus: those, a quotient, a series and a sum.
  CHECK(worst_ulps<float>(0.0, 87.0, neurons::exp_decay_pack<float>, exact_exp) <= 2.0);
  CHECK(worst_ulps<double>(0.0, 700.0, neurons::exp_decay_pack<double>, exact_exp) <= 2.0);
  CHECK(worst_ulps<float>(-80.0, 30.0, neurons::softplus_pack<float>, exact_softplus) <= 6.0);
  CHECK(worst_ulps<double>(-80.0, 30.0, neurons::softplus_pack<double>, exact_softplus) <= 6.0);
  CHECK(worst_ulps<float>(-80.0, 30.0, neurons::softplus_slope_pack<float>, exact_slope) <= 6.0);
  CHECK(worst_ulps<double>(-80.0, 30.0, neurons::softplus_slope_pack<double>, exact_slope) <= 6.0);
  CHECK(neurons::softplus_pack<float>(broadcast(25.0F))[0] == 25.0F);
  CHECK(neurons::exp_decay_pack<float>(broadcast(1e30F))[0] == 0.0F);
}

TEST_CASE("the scan refuses what does not fit, and takes nothing") {
  const SequenceOrder order{};
  const auto nothing = test::run_scan<float>(test::random_scan({0, 2, 3, 3, 4}, order, 2));
  CHECK(nothing.gradients[3] == std::vector<float>(8, 0.0F));
  CHECK(test::run_scan<float>(test::random_scan({3, 0, 4}, order, 2)).y.empty());

  const ScanProblem good = test::random_scan({3, 2, 4}, order, 2);
  ScanProblem wrong = good;
  wrong.states = 300;
  wrong.values.bc.assign(6 * 600, 0.0);
  wrong.values.a_log.assign(4 * 300, 0.0);
  CHECK_THROWS_AS(test::run_scan<float>(wrong), ShapeError);

  Tensor<float> u({3, 2, 4}), bc({3, 2, 4}), a_log({4, 2}), row(Shape{4}), y({3, 2, 4}), short_bc({3, 2, 2});
  std::vector<std::byte> scratch(neurons::scan_forward_scratch_bytes<float>(u.shape(), order, 2));
  const auto forward = [&](View<const float> of_bc, View<float> of_state, std::size_t bytes) {
    neurons::selective_scan_forward<float>({{u.shape(), u.data(), nullptr, Device::cpu}, u.view(), of_bc},
                                           {a_log.view(), row.view(), row.view()}, order, y.view(), {}, of_state,
                                           std::span(scratch).first(bytes));
  };
  CHECK_NOTHROW(forward(bc.view(), {}, scratch.size()));
  CHECK_THROWS_AS(forward(short_bc.view(), {}, scratch.size()), ShapeError);
  CHECK_THROWS_AS(forward(bc.view(), y.view(), scratch.size()), ShapeError);
  CHECK_THROWS_AS(forward(bc.view(), {}, scratch.size() - 1), ShapeError);
  CHECK_THROWS_AS(Sequences(Shape{3, 4}, order), ShapeError);
}
