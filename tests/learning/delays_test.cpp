#include "network/delays.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.hpp"
#include "learning/trainer.hpp"
#include "tests/learning/training_fixture.hpp"

using namespace synfire;
using learning::Outcome;
using network::TensorKind;
using test::SyntheticSource;

namespace {

constexpr double kStartWidth = 3.0;

/// 12 -> 8 spiking neurons -> 3 outputs, both synapses with learned delays of up to 4 ticks.
template <class Scalar = float>
network::Network<Scalar> delay_network(std::uint64_t seed) {
  network::DelayedLinearSpec hidden, readout;
  hidden.out_features = 8;
  hidden.delay.max_delay = readout.delay.max_delay = 4;
  hidden.delay.extra_ticks = readout.delay.extra_ticks = 2;
  hidden.width = readout.width = kStartWidth;
  readout.out_features = static_cast<int>(SyntheticSource::kClasses);
  network::NetworkSpec spec;
  spec.dt_ms = 10.0;
  spec.nodes = {{"hidden", {"input"}, hidden},
                {"bn", {"hidden"}, network::BatchNormSpec{}},
                {"lif", {"bn"}, network::LifSpec{}},
                {"readout", {"lif"}, readout}};
  return network::build<Scalar>(spec, {SyntheticSource::kChannels}, seed);
}

learning::LearningConfig delay_config() {
  learning::LearningConfig config;
  config.epochs = 8;
  config.groups = {{.kinds = {TensorKind::weight, TensorKind::offset},
                    .optimizer = {.kind = learning::OptimizerKind::adam, .weight_decay = 1e-5},
                    .schedule = {.kind = learning::ScheduleKind::one_cycle,
                                 .learning_rate = 0.02,
                                 .pace = learning::SchedulePace::epoch}},
                   {.kinds = {TensorKind::position, TensorKind::width},
                    .optimizer = {.kind = learning::OptimizerKind::adam, .weight_decay = 0.0},
                    .schedule = {.kind = learning::ScheduleKind::cosine, .learning_rate = 0.3}}};
  config.delays.narrowing_epochs = 2;
  config.delays.round_from_epoch = 5;
  config.groups.back().end_epoch = 5;
  return config;
}

std::vector<float> of_kind(const network::Network<float>& network, TensorKind kind) {
  std::vector<float> values;
  for (const auto& tensor : network.tensors) {
    if (tensor.kind == kind) values.insert(values.end(), tensor.value.span().begin(), tensor.value.span().end());
  }
  return values;
}

const auto kNeverStop = [] { return false; };

/// Sees the network after each step, and what each epoch came to.
struct Witness : learning::Observer {
  explicit Witness(const network::Network<float>& of) : network(of) {}
  void on_step(const learning::StepReport&) override {
    positions.push_back(of_kind(network, TensorKind::position));
    weights.push_back(of_kind(network, TensorKind::weight));
  }
  void on_epoch(const learning::EpochReport& report) override {
    epochs.push_back(report.record);
    widths.push_back(report.mean_bump_width);
    validated_whole.push_back(report.validation != nullptr &&
                              report.validation->confusion.accuracy() == report.record.validation_accuracy);
  }

  const network::Network<float>& network;
  std::vector<std::vector<float>> positions, weights;
  std::vector<learning::EpochRecord> epochs;
  std::vector<double> widths;
  std::vector<bool> validated_whole;
};

}  // namespace

TEST_CASE("bumps narrow by the same factor in each epoch, to the widths of the delay reference") {
  // SHD: longest delay 24 ticks, width 12 at the start, 150 epochs. Widths s = width + 0.27 as the reference sets them.
  struct Row {
    int epoch;
    double s, digits;
  };
  const Row rows[] = {{0, 12.27, 1e-12},  {1, 11.0536, 5e-5}, {18, 2.02252, 5e-6},
                      {36, .52594, 5e-6}, {37, .5, 1e-12},    {149, .5, 1e-12}};
  network::DelayedLinearSpec layer;
  layer.out_features = 2;
  layer.width = 12.0;
  network::NetworkSpec spec;
  spec.nodes = {{"delays", {"input"}, layer}};
  const learning::DelayLearning delays{.final_width = 0.23, .narrowing_epochs = 37};
  for (const Row& row : rows) {
    CAPTURE(row.epoch);
    auto network = network::build<double>(spec, {3}, 1);
    network::narrow_bumps(network, learning::narrowing_share(delays, row.epoch), delays.final_width);
    for (const double width : network.tensor("delays.width").value.span())
      CHECK(std::abs(width + 0.27 - row.s) <= row.digits);
  }
  CHECK(learning::narrowing_share({.narrowing_epochs = 0}, 0) == 1.0);
}

TEST_CASE("delays are learned within their range, and from the epoch of rounding on they are whole and stay") {
  const test::TemporaryFolder folder;
  auto network = delay_network(1);
  const std::vector<float> start = of_kind(network, TensorKind::position);
  SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11);
  learning::Trainer trainer(network, delay_config(), 1, folder.path(), "");
  Witness witness(network);

  trainer.run(train, &validation, witness, kNeverStop);

  REQUIRE(witness.positions.size() == 64);
  CHECK(witness.positions[0] != start);
  int at_an_end = 0;
  for (const auto& positions : witness.positions) {
    for (const float position : positions) {
      CHECK(std::abs(position) <= 2.0F);
      at_an_end += std::abs(position) == 2.0F;
    }
  }
  CHECK(at_an_end > 0);  // without bounds some would have gone further
  std::vector<float> rounded = witness.positions[39];
  for (float& position : rounded) position = std::nearbyint(position);
  CHECK(rounded != witness.positions[39]);
  for (std::size_t step = 40; step < 64; ++step) {
    CHECK(witness.positions[step] == rounded);
    CHECK(witness.weights[step] != witness.weights[step - 1]);
  }
  const double narrow = 0.23;
  const double expected[] = {kStartWidth, std::sqrt(kStartWidth * narrow), narrow, narrow};
  for (std::size_t epoch = 0; epoch < 4; ++epoch)
    CHECK(std::abs(witness.widths[epoch] - expected[epoch]) <= 1e-6 * kStartWidth);  // a float's digits
  CHECK(std::isnan(witness.widths[5]));
}

TEST_CASE("an epoch is validated with delays on whole ticks and, until they are, with bumps") {
  const test::TemporaryFolder folder;
  auto network = delay_network(1);
  SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11);
  learning::LearningConfig config = delay_config();
  config.epochs = 3;  // ends before the rounding
  config.selection = learning::Selection::last;
  learning::Trainer trainer(network, config, 1, folder.path(), "");
  Witness witness(network);

  trainer.run(train, &validation, witness, kNeverStop);

  const auto with = [&](bool rounded) {
    network::ClockedRuntime<float> runtime(network);
    runtime.use_rounded_delays(rounded);
    return learning::evaluate(runtime, validation, config.loss, [](auto, auto) { return true; });
  };
  const auto bumps = with(false), whole = with(true);
  CHECK(bumps.mean_loss != whole.mean_loss);
  const learning::EpochRecord& last = witness.epochs.back();
  CHECK(last.validation_loss == whole.mean_loss);
  CHECK(last.validation_accuracy == whole.confusion.accuracy());
  CHECK(last.validation_accuracy_unrounded == bumps.confusion.accuracy());
  CHECK(std::count(witness.validated_whole.begin(), witness.validated_whole.end(), false) == 0);

  const auto both = learning::evaluate_rounded(trainer.runtime(), validation, config.loss, [](auto done, auto all) {
    CHECK(done <= all);
    return done < 5;  // of 4 and 4
  });
  CHECK(both.rounded.complete);
  CHECK_FALSE(both.complete());
  network::round_delays(network);
  const auto once =
      learning::evaluate_rounded(trainer.runtime(), validation, config.loss, [](auto, auto) { return true; });
  CHECK_FALSE(once.unrounded.has_value());
  CHECK(once.rounded.mean_loss == whole.mean_loss);
  CHECK(std::isnan(once.unrounded_accuracy()));
}

TEST_CASE("a run with learned delays that is stopped in every epoch ends with the bits of one that was not") {
  struct Silent : learning::Observer {};
  Silent silent;
  const auto run_in_parts = [&](int steps_per_part) {
    const test::TemporaryFolder folder;
    Outcome outcome = Outcome::interrupted;
    std::pair<std::vector<float>, std::vector<learning::EpochRecord>> result;
    for (std::uint64_t part = 0; outcome == Outcome::interrupted && part < 100; ++part) {
      auto network = delay_network(part + 1);
      SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11);
      learning::Trainer trainer(network, delay_config(), 1, folder.path(), "");
      if (part > 0) trainer.resume();
      int left = steps_per_part;
      outcome = trainer.run(train, &validation, silent, [&] { return --left == 0; });
      result = {test::all_values(network), trainer.progress().history};
    }
    CHECK(outcome == Outcome::finished);
    return result;
  };

  const auto whole = run_in_parts(-1);
  REQUIRE(whole.second.size() == 8);
  CHECK_FALSE(std::isnan(whole.second[4].validation_accuracy_unrounded));
  CHECK(std::isnan(whole.second[5].validation_accuracy_unrounded));
  for (const int steps : {17, 23}) {  // an epoch is 8 batches and up to 8 of its validations, which are not resumed
    const auto parts = run_in_parts(steps);
    CHECK(parts.first == whole.first);
    CHECK(parts.second == whole.second);
  }
}
