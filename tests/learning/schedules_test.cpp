#include "learning/schedules.hpp"

#include <cmath>
#include <cstdint>
#include <initializer_list>

#include <doctest/doctest.h>

using namespace synfire;
using learning::ScheduleConfig;
using learning::ScheduleKind;

// A few roundings of cos and of products of numbers below 1.
constexpr double kTolerance = 4e-16;

/// A run of one epoch.
static learning::RunTime in_steps(std::int64_t step, std::int64_t total) { return {step, total, 1}; }

TEST_CASE("one_cycle has the values of PyTorch's OneCycleLR with its defaults") {
  struct Row {
    std::int64_t step;
    double learning_rate, momentum;
  };
  // PyTorch 2.15.0: OneCycleLR(AdamW, max_lr=0.002, total_steps=20).
  const Row rows[] = {
      {0, 7.9999999999999993e-05, 0.94999999999999996},  {1, 0.00026334368540005038, 0.94045084971874737},
      {4, 0.0018166563145999494, 0.85954915028125256},   {5, 0.002, 0.84999999999999998},
      {6, 0.001974928012470175, 0.8512536043909088},     {10, 0.0014338860035826015, 0.87830581304412203},
      {18, 2.5079987529825107e-05, 0.94874639560909113}, {19, 8.0000000000000005e-09, 0.94999999999999996},
  };
  const ScheduleConfig config{.kind = ScheduleKind::one_cycle, .learning_rate = 0.002};
  for (const Row& row : rows) {
    const auto value = learning::schedule_at(config, in_steps(row.step, 20));
    CAPTURE(row.step);
    CHECK(std::abs(value.learning_rate - row.learning_rate) <= kTolerance);
    CHECK(std::abs(value.momentum - row.momentum) <= kTolerance);
  }
}

TEST_CASE("one_cycle without cycle_momentum leaves the momentum alone") {
  const ScheduleConfig config{.kind = ScheduleKind::one_cycle, .cycle_momentum = false};
  CHECK(std::isnan(learning::schedule_at(config, in_steps(3, 20)).momentum));
}

TEST_CASE("one_cycle is finite for runs of one, two and three steps, wherever its top lies") {
  for (const double rise_fraction : {0.0, 0.3, 0.5, 1.0}) {
    const ScheduleConfig config{.kind = ScheduleKind::one_cycle, .learning_rate = 1.0, .rise_fraction = rise_fraction};
    for (std::int64_t total = 1; total <= 3; ++total) {
      for (std::int64_t step = 0; step <= total; ++step) {
        const double rate = learning::schedule_at(config, in_steps(step, total)).learning_rate;
        CHECK(rate >= 0.0);
        CHECK(rate <= 1.0);
      }
    }
  }
}

TEST_CASE("cosine has the values of PyTorch's CosineAnnealingLR") {
  // PyTorch 2.15.0: CosineAnnealingLR(SGD(lr=0.1), T_max=10, eta_min=0.01).
  const double expected[] = {
      0.1,   0.097797543233281922, 0.091405764746872634, 0.08145033635316129, 0.068905764746872641,
      0.055, 0.041094235253127373, 0.028549663646838717, 0.01859423525312737, 0.012202456766718092};
  const ScheduleConfig config{.kind = ScheduleKind::cosine, .learning_rate = 0.1, .min_learning_rate = 0.01};
  for (std::int64_t step = 0; step < 10; ++step)
    CHECK(std::abs(learning::schedule_at(config, in_steps(step, 10)).learning_rate - expected[step]) <= kTolerance);
}

TEST_CASE("the warm-up rises linearly and the cosine begins behind it") {
  ScheduleConfig config{.kind = ScheduleKind::cosine, .learning_rate = 0.8, .warmup_epochs = 4.0};

  CHECK(learning::schedule_at(config, {0, 1, 14}).learning_rate == 0.2);
  CHECK(learning::schedule_at(config, {3, 1, 14}).learning_rate == 0.8);
  CHECK(learning::schedule_at(config, {4, 1, 14}).learning_rate == 0.8);
  CHECK(std::abs(learning::schedule_at(config, {9, 1, 14}).learning_rate - 0.4) <= kTolerance);

  config.kind = ScheduleKind::constant;
  CHECK(learning::schedule_at(config, {1, 1, 14}).learning_rate == 0.4);
  CHECK(learning::schedule_at(config, {13, 1, 14}).learning_rate == 0.8);
}

TEST_CASE("a schedule that steps by epoch has the delay reference's values in every batch of an epoch") {
  struct Row {
    int epoch;
    double rate, beta1, position_rate;
  };
  // Learning rates and beta1 of 150 epochs of SHD as the reference sets them, to the digits that were noted.
  const Row rows[] = {{0, 2e-4, .95, .1},         {10, 7.8620e-4, .937788, .0989074}, {22, 2.6e-3, .9, .0947856},
                      {44, 5e-3, .85, .0802300},  {75, 3.99956e-3, .870009, .05},     {100, 2.23869e-3, .905226, .025},
                      {149, 2e-8, .95, 1.0966e-5}};
  const ScheduleConfig weights{
      .kind = ScheduleKind::one_cycle, .learning_rate = 5e-3, .pace = learning::SchedulePace::epoch};
  const ScheduleConfig positions{
      .kind = ScheduleKind::cosine, .learning_rate = 0.1, .pace = learning::SchedulePace::epoch};
  constexpr std::int64_t kBatches = 32;
  for (const Row& row : rows) {
    CAPTURE(row.epoch);
    for (const std::int64_t batch : {std::int64_t{0}, kBatches - 1}) {
      const learning::RunTime now{row.epoch * kBatches + batch, kBatches, 150};
      const auto weight = learning::schedule_at(weights, now), position = learning::schedule_at(positions, now);
      // Half a unit of the fifth digit of a number that begins with 1, and a unit of the sixth of beta1.
      CHECK(std::abs(weight.learning_rate - row.rate) <= 5e-5 * row.rate);
      CHECK(std::abs(weight.momentum - row.beta1) <= 1e-6);
      CHECK(std::abs(position.learning_rate - row.position_rate) <= 5e-5 * row.position_rate);
    }
  }
}

TEST_CASE("a warm-up by epoch takes whole epochs") {
  const ScheduleConfig config{.learning_rate = 0.8, .pace = learning::SchedulePace::epoch, .warmup_epochs = 2.0};

  CHECK(learning::schedule_at(config, {9, 10, 5}).learning_rate == 0.4);
  CHECK(learning::schedule_at(config, {10, 10, 5}).learning_rate == 0.8);
}
