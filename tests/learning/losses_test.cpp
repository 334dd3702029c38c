#include "learning/losses.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using learning::LossConfig;
using learning::LossKind;
using learning::Targets;

namespace {

constexpr std::array kKinds{LossKind::rate_cross_entropy, LossKind::softmax_sum_cross_entropy,
                            LossKind::max_cross_entropy, LossKind::rate_mse};

struct Result {
  double value;
  std::vector<double> scores, grad;
};

Result run_with(const Targets& targets, const LossConfig& config, const Shape& shape,
                const std::vector<double>& output) {
  Result result{0.0, std::vector<double>(static_cast<std::size_t>(shape[1] * shape[2])),
                std::vector<double>(output.size(), 99.0)};
  result.value = learning::loss<double>(config, {output.data(), shape}, targets, result.scores,
                                        View<double>{result.grad.data(), shape});
  return result;
}

Result run(const LossConfig& config, const Shape& shape, const std::vector<double>& output,
           const std::vector<std::int32_t>& label) {
  return run_with({.label = label}, config, shape, output);
}

struct Worked {
  LossKind kind;
  double label_smoothing;
  double value;
  std::array<double, 9> grad;
  double digits;  ///< half a unit of the last digit that is given
};

}  // namespace

TEST_CASE("losses of three ticks and three classes are those of PyTorch") {
  // PyTorch 2.15.0 in float64: cross_entropy of u.mean(0), u.softmax(-1).sum(0) and u.max(0).values; mse by hand.
  const std::vector<double> u{0.2, 0.5, -0.1, 1.0, 0.0, 0.3, 0.4, 0.9, 0.1};
  const Worked worked[] = {
      {LossKind::rate_cross_entropy,
       0.0,
       1.0159477146,
       {0.12900639, -0.21264695, 0.08364056, 0.12900639, -0.21264695, 0.08364056, 0.12900639, -0.21264695, 0.08364056},
       5e-9},
      {LossKind::max_cross_entropy,
       0.0,
       0.9760613625,
       {0.0, 0.0, 0.0, 0.41641981, 0.0, 0.20678796, 0.0, -0.62320777, 0.0},
       5e-9},
      {LossKind::rate_cross_entropy,
       0.1,
       1.025947714566853,
       {0.117895279455905, -0.190424731621950, 0.072529452166045, 0.117895279455905, -0.190424731621950,
        0.072529452166045, 0.117895279455905, -0.190424731621950, 0.072529452166045},
       2e-15},
      {LossKind::max_cross_entropy,
       0.1,
       0.992728029145007,
       {0.0, 0.0, 0.0, 0.383086479351310, 0.0, 0.173454625853432, 0.0, -0.556541105204743, 0.0},
       2e-15},
      {LossKind::softmax_sum_cross_entropy,
       0.1,
       1.008308244342035,
       {0.139375934111826, -0.210591269951263, 0.071215335839437, 0.115707234927105, -0.137567215852723,
        0.021859980925618, 0.139629712152644, -0.213857808432175, 0.074228096279531},
       2e-15},
      {LossKind::rate_mse,
       0.0,
       0.1929629630,
       {0.11851852, -0.11851852, 0.02222222, 0.11851852, -0.11851852, 0.02222222, 0.11851852, -0.11851852, 0.02222222},
       5e-9},
  };
  for (const Worked& expected : worked) {
    CAPTURE(static_cast<int>(expected.kind));
    CAPTURE(expected.label_smoothing);

    const Result result = run({expected.kind, expected.label_smoothing}, {3, 1, 3}, u, {1});

    CHECK(std::abs(result.value - expected.value) <= expected.digits);
    for (std::size_t i = 0; i < 9; ++i) CHECK(std::abs(result.grad[i] - expected.grad[i]) <= expected.digits);
  }
  const Result summed = run({LossKind::softmax_sum_cross_entropy, 0.0}, {3, 1, 3}, u, {1});
  CHECK(std::abs(summed.value - 0.9962605073) <= 5e-11);
  CHECK(std::abs(summed.grad[1] + 0.23519124) <= 5e-9);
}

TEST_CASE("the gradient of every loss is its finite difference") {
  const Shape shape{4, 3, 5};
  const RandomStream random(7, 0, 0);
  std::vector<double> u(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = random.normal(i);
  const std::vector<std::int32_t> label{4, 0, 2};

  // Central difference of step h = u^(1/3). Truncation: h^2 |f'''| / 6, |f'''| < 6 for inputs of order 1. Rounding: a
  // loss below 8 from sums of some 20 terms carries 8 * 20 u, over 2 h: < 80 u / h = 80 h^2.
  const double h = std::cbrt(test::unit_roundoff<double>);
  for (const LossKind kind : kKinds) {
    const LossConfig config{kind, 0.1};
    const Result analytic = run(config, shape, u, label);
    double largest = 0.0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      std::vector<double> above = u, below = u;
      above[i] += h;
      below[i] -= h;
      const double difference =
          (run(config, shape, above, label).value - run(config, shape, below, label).value) / (2.0 * h);
      CAPTURE(static_cast<int>(kind));
      CHECK(std::abs(difference - analytic.grad[i]) <= 81.0 * h * h);
      largest = std::max(largest, std::abs(analytic.grad[i]));
    }
    CHECK(largest > 0.01);
  }
}

TEST_CASE("the loss of a batch is the mean of its samples") {
  const std::vector<double> first{0.1, 0.7, 0.3, -0.2}, second{1.5, 0.2, -0.4, 0.9};
  const std::vector<double> both{0.1, 0.7, 1.5, 0.2, 0.3, -0.2, -0.4, 0.9};  // [T = 2, B = 2, K = 2]
  for (const LossKind kind : kKinds) {
    const double separate =
        run({kind, 0.0}, {2, 1, 2}, first, {0}).value + run({kind, 0.0}, {2, 1, 2}, second, {1}).value;

    const Result together = run({kind, 0.0}, {2, 2, 2}, both, {0, 1});

    CHECK(std::abs(together.value - separate / 2.0) <= 4.0 * test::unit_roundoff<double>);
  }
}

TEST_CASE("the maximum's gradient goes to the first of two equal ticks") {
  const Result result = run({LossKind::max_cross_entropy, 0.0}, {3, 1, 2}, {0.0, 0.0, 1.0, 2.0, 1.0, 2.0}, {0});

  CHECK(result.grad[2] != 0.0);
  CHECK(result.grad[3] != 0.0);
  CHECK(result.grad[4] == 0.0);
  CHECK(result.grad[5] == 0.0);
}

TEST_CASE("large scores neither overflow nor lose the loss") {
  const Result right = run({LossKind::rate_cross_entropy, 0.0}, {1, 1, 2}, {1000.0, -1000.0}, {0});
  const Result wrong = run({LossKind::rate_cross_entropy, 0.0}, {1, 1, 2}, {1000.0, -1000.0}, {1});

  CHECK(right.value == 0.0);
  CHECK(wrong.value == 2000.0);
}

TEST_CASE("a NaN in the output reaches every loss") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const LossKind kind : kKinds) {
    for (std::size_t where = 0; where < 4; ++where) {
      std::vector<double> u{0.5, 0.25, 0.75, 0.125};
      u[where] = nan;
      CHECK(std::isnan(run({kind, 0.0}, {2, 1, 2}, u, {1}).value));
    }
  }
}

TEST_CASE("the prediction is the largest score, the first of equal ones, and never a NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(learning::predicted_class(std::vector{0.1, 0.7, 0.7, 0.2}) == 1);
  CHECK(learning::predicted_class(std::vector{-1.0, -3.0}) == 0);
  CHECK(learning::predicted_class(std::vector{nan, -3.0, nan}) == 1);
}

TEST_CASE("a loss of an empty batch is 0, and what does not fit is a ShapeError") {
  CHECK(run({}, {3, 0, 4}, {}, {}).value == 0.0);
  CHECK_THROWS_AS(run({}, {0, 1, 4}, {}, {0}), ShapeError);
  CHECK_THROWS_AS(run({}, {1, 1, 2}, {0.0, 0.0}, {0, 1}), ShapeError);
  CHECK_THROWS_WITH_AS(run({}, {1, 1, 2}, {0.0, 0.0}, {2}), "[loss] label of sample 0 must be in 0..1, got 2",
                       ShapeError);
  CHECK_THROWS_AS(run({}, {1, 1, 2}, {0.0, 0.0}, {-1}), ShapeError);
}

TEST_CASE("of a padded batch each sample has the loss and the gradient that it has alone") {
  // [T = 4, B = 2, K = 3]: the first sample has 2 ticks, the second one 4; what fills the first one up is anything.
  const Shape shape{4, 2, 3};
  const RandomStream random(9, 0, 0);
  std::vector<double> u(24);
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = random.normal(i);
  const std::vector<std::int32_t> label{2, 0};
  const std::vector<std::int64_t> num_ticks{1, 3};  // of an input that is a tick shorter than the output
  const auto sample = [&](std::size_t b, std::size_t ticks) {
    std::vector<double> alone;
    for (std::size_t t = 0; t < ticks; ++t)
      for (std::size_t k = 0; k < 3; ++k) alone.push_back(u[(t * 2 + b) * 3 + k]);
    return alone;
  };
  for (const LossKind kind : kKinds) {
    CAPTURE(static_cast<int>(kind));
    const LossConfig config{kind, 0.1};
    const Result first = run(config, {2, 1, 3}, sample(0, 2), {2}), second = run(config, {4, 1, 3}, sample(1, 4), {0});

    const Result both = run_with({.label = label, .num_ticks = num_ticks, .extra_ticks = 1}, config, shape, u);

    CHECK(std::abs(both.value - 0.5 * (first.value + second.value)) <= 4.0 * test::unit_roundoff<double>);
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(both.scores[k] == first.scores[k]);
      CHECK(both.scores[3 + k] == second.scores[k]);
      for (std::size_t t = 0; t < 4; ++t) {
        // Halved by the batch of two, which is exact; a division by T B rounds once more than one by T.
        const double of_first = t < 2 ? 0.5 * first.grad[t * 3 + k] : 0.0;
        CHECK(std::abs(both.grad[t * 6 + k] - of_first) <= 2.0 * test::unit_roundoff<double> * std::abs(of_first));
        const double of_second = 0.5 * second.grad[t * 3 + k];
        CHECK(std::abs(both.grad[t * 6 + 3 + k] - of_second) <=
              2.0 * test::unit_roundoff<double> * std::abs(of_second));
      }
    }
  }
}

TEST_CASE("masked losses of two ticks and three classes are the worked numbers") {
  // Python's math in float64: a third tick that would change every score is left out. m = (0.6, 0.25, 0.1) for the
  // rate, (1.0, 0.5, 0.3) for the maximum.
  const std::vector<double> u{0.2, 0.5, -0.1, 1.0, 0.0, 0.3, 9.0, 9.0, -9.0};
  const std::vector<std::int32_t> label{1};
  const std::vector<std::int64_t> num_ticks{2};
  const Targets targets{.label = label, .num_ticks = num_ticks};
  struct Case {
    LossKind kind;
    double value;
    std::array<double, 3> scores;
  };
  const Case cases[] = {
      {LossKind::rate_cross_entropy, 1.187774982559684, {0.6, 0.25, 0.1}},
      {LossKind::softmax_sum_cross_entropy,
       1.1420556735193643,
       {0.8599006649624891, 0.6340628372265823, 0.5060364978109286}},
      {LossKind::max_cross_entropy, 1.2434200371423099, {1.0, 0.5, 0.3}},
      {LossKind::rate_mse, 0.31083333333333335, {0.6, 0.25, 0.1}},
  };
  for (const Case& expected : cases) {
    CAPTURE(static_cast<int>(expected.kind));

    const Result result = run_with(targets, {expected.kind, 0.0}, {3, 1, 3}, u);

    CHECK(std::abs(result.value - expected.value) <= 5e-15);
    for (std::size_t k = 0; k < 3; ++k) CHECK(std::abs(result.scores[k] - expected.scores[k]) <= 5e-15);
    for (std::size_t k = 6; k < 9; ++k) CHECK(result.grad[k] == 0.0);
    for (std::size_t k = 0; k < 6; ++k) CHECK(result.grad[k] != 99.0);
  }
}

TEST_CASE("a mixed target is the mixture of the two losses") {
  const Shape shape{3, 2, 4};
  const RandomStream random(10, 0, 0);
  std::vector<double> u(24);
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = random.normal(i);
  const std::vector<std::int32_t> label{1, 3}, mixed{2, 3};
  const std::vector<float> weight{0.75F, 0.25F};
  for (const LossKind kind :
       {LossKind::rate_cross_entropy, LossKind::softmax_sum_cross_entropy, LossKind::max_cross_entropy}) {
    const LossConfig config{kind, 0.1};
    const Result of_label = run(config, shape, u, {1, 3}), of_mixed = run(config, shape, u, {2, 3});

    const Result result = run_with({.label = label, .mixed_label = mixed, .label_weight = weight}, config, shape, u);

    // A cross entropy is linear in its target: 3/4 and 1/4 of the first sample, the second one's two classes are one.
    CHECK(std::abs(result.value - (0.75 * of_label.value + 0.25 * of_mixed.value)) <= 1e-15);
    for (std::size_t t = 0; t < 3; ++t)
      for (std::size_t k = 0; k < 8; ++k) {
        const std::size_t i = t * 8 + k;
        CHECK(std::abs(result.grad[i] - (0.75 * of_label.grad[i] + 0.25 * of_mixed.grad[i])) <= 1e-15);
      }
    CHECK(result.scores == of_label.scores);
  }
  // The squared error is not linear: target (0.75, 0.25) of scores (0.5, 1): ((-0.25)^2 + 0.75^2) / 2.
  const std::vector<std::int32_t> one{0}, other{1};
  const std::vector<float> share{0.75F};
  CHECK(run_with({.label = one, .mixed_label = other, .label_weight = share}, {LossKind::rate_mse, 0.0}, {1, 1, 2},
                 {0.5, 1.0})
            .value == 0.3125);
}

TEST_CASE("the targets of a batch are its own ticks only where padding is masked") {
  Batch batch;
  batch.input = Tensor<float>({5, 2, 1});
  batch.label = {0, 1};
  batch.num_ticks = {5, 3};

  CHECK(learning::targets_of({.mask_padding = false}, batch, 7).num_ticks.empty());
  const Targets masked = learning::targets_of({.mask_padding = true}, batch, 7);
  CHECK(masked.num_ticks[1] == 3);
  CHECK(masked.extra_ticks == 2);
  batch.num_ticks.clear();
  CHECK(learning::targets_of({.mask_padding = true}, batch, 7).num_ticks.empty());
}

TEST_CASE("targets that do not fit the output are a ShapeError") {
  const std::vector<std::int32_t> label{0}, mixed{2};
  const std::vector<std::int64_t> none{0}, many{3};
  const std::vector<float> half{0.5F}, two{2.0F};
  const std::vector<double> u{0.0, 0.0, 0.0, 0.0};
  CHECK_THROWS_WITH_AS(run_with({.label = label, .num_ticks = many}, {}, {2, 1, 2}, u),
                       "[loss] sample 0 must have 1 to 2 ticks that count, has 3", ShapeError);
  CHECK_THROWS_AS(run_with({.label = label, .num_ticks = none}, {}, {2, 1, 2}, u), ShapeError);
  CHECK_THROWS_AS(run_with({.label = label, .mixed_label = label}, {}, {2, 1, 2}, u), ShapeError);
  CHECK_THROWS_AS(run_with({.label = label, .mixed_label = mixed, .label_weight = half}, {}, {2, 1, 2}, u), ShapeError);
  CHECK_THROWS_AS(run_with({.label = label, .mixed_label = label, .label_weight = two}, {}, {2, 1, 2}, u), ShapeError);
}
