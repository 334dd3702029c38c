#include "learning/trainer.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/parallel.hpp"
#include "core/random.hpp"
#include "tests/learning/training_fixture.hpp"
#include "tests/support/count_allocations.hpp"

using namespace synfire;
using learning::Outcome;
using test::SyntheticSource;

namespace {

struct Silent : learning::Observer {};

const auto kNeverStop = [] { return false; };

/// What a run leaves behind, to be compared bit by bit.
struct Result {
  Result() = default;
  Result(const network::Network<float>& network, const learning::Progress& progress)
      : values(test::all_values(network)), firing_rate(progress.firing_rates.at(2)), history(progress.history) {}

  std::vector<float> values;
  double firing_rate = 0.0;  ///< of the only spiking node
  std::vector<learning::EpochRecord> history;

  bool operator==(const Result&) const = default;
};

Result train_undisturbed(const learning::LearningConfig& config) {
  const test::TemporaryFolder folder;
  auto network = test::small_network(1);
  SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11);
  learning::Trainer trainer(network, config, 1, folder.path(), "");
  Silent silent;
  CHECK(trainer.run(train, &validation, silent, kNeverStop) == Outcome::finished);
  return {network, trainer.progress()};
}

}  // namespace

TEST_CASE("a small spiking network learns three classes of spike trains") {
  const test::TemporaryFolder folder;
  auto network = test::small_network(1);
  SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11), unseen(90, 16, false, 12);
  learning::Trainer trainer(network, test::small_config(), 1, folder.path(), "");
  Silent silent;

  const Outcome outcome = trainer.run(train, &validation, silent, kNeverStop);

  CHECK(outcome == Outcome::finished);
  const auto evaluation = learning::evaluate(trainer.runtime(), unseen, {}, [](auto, auto) { return true; });
  CHECK(evaluation.complete);
  CHECK(evaluation.confusion.total() == 90);
  CHECK(evaluation.confusion.correct() == 90);
  CHECK(evaluation.index.back() == 89);
  CHECK(evaluation.prediction[4] == 1);
  CHECK(evaluation.firing_rates[2] > 0.01);
  CHECK(std::isnan(evaluation.firing_rates[0]));
  const auto& history = trainer.progress().history;
  REQUIRE(history.size() == 6);
  CHECK(history.front().train_loss > history.back().train_loss);
  CHECK(history.back().step == 48);
}

TEST_CASE("a run that is interrupted or killed at random steps and resumed has the bits of one that was not") {
  learning::LearningConfig config = test::small_config();
  config.checkpoint_every_steps = 3;
  const Result expected = train_undisturbed(config);

  struct Killed {};
  struct Killer : learning::Observer {
    std::int64_t steps_left = 0;
    bool kill = false;
    void on_step(const learning::StepReport&) override {
      if (--steps_left == 0 && kill) throw Killed{};
    }
    void on_validation_batch(std::int64_t, std::int64_t) override {
      if (--steps_left == 0 && kill) throw Killed{};
    }
  };

  for (std::uint64_t attempt = 0; attempt < 8; ++attempt) {
    const RandomStream random(99, 0, static_cast<std::uint32_t>(attempt));
    const test::TemporaryFolder folder;
    Result result;
    Outcome outcome = Outcome::interrupted;
    for (std::uint64_t part = 0; outcome == Outcome::interrupted && part < 100; ++part) {
      // Another seed for the weights: all of the state has to come from the checkpoint.
      auto network = test::small_network(part + 1);
      SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11);
      learning::Trainer trainer(network, config, 1, folder.path(), "");
      if (std::filesystem::exists(learning::Trainer::last_checkpoint(folder.path()))) {
        trainer.resume();
      } else if (part > 0) {
        network = test::small_network(1);
      }
      Killer killer;
      // More than the steps between two checkpoints, or a run that is always killed would never end.
      killer.steps_left = 4 + static_cast<std::int64_t>(random.below(2 * part, 20));
      killer.kill = random.below(2 * part + 1, 2) == 0;
      try {
        outcome = trainer.run(train, &validation, killer, [&] { return killer.steps_left <= 0; });
      } catch (const Killed&) {
      }
      if (outcome == Outcome::finished) result = {network, trainer.progress()};
    }
    CAPTURE(attempt);
    CHECK(outcome == Outcome::finished);
    CHECK(result == expected);
  }
}

TEST_CASE("same seed, same bits, for 1 and 2 threads; another seed, other bits") {
  const int threads_before = num_threads();
  set_num_threads(1);
  const Result one = train_undisturbed(test::small_config());
  set_num_threads(2);
  const Result two = train_undisturbed(test::small_config());
  set_num_threads(threads_before);
  CHECK(one == two);

  const test::TemporaryFolder folder;
  auto network = test::small_network(1);
  SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11);
  learning::Trainer trainer(network, test::small_config(), 2, folder.path(), "");
  Silent silent;
  trainer.run(train, &validation, silent, kNeverStop);
  CHECK(test::all_values(network) != one.values);
}

TEST_CASE("a run stops early after its patience, and again at once when resumed") {
  const test::TemporaryFolder folder;
  auto network = test::small_network(1);
  SyntheticSource train(16, 8, true, 10), validation(8, 8, false, 11);
  learning::LearningConfig config = test::small_config();
  config.epochs = 50;
  // Accuracy and loss stay what they are: no rate, and running statistics that do not move.
  config.groups.front().schedule.learning_rate = 0.0;
  std::get<network::BatchNormSpec>(network.spec.nodes[1].operation).config.momentum = 0.0;
  config.early_stop_epochs = 2;
  Silent silent;
  {
    learning::Trainer trainer(network, config, 1, folder.path(), "");
    CHECK(trainer.run(train, &validation, silent, kNeverStop) == Outcome::stopped_early);
    CHECK(trainer.progress().best_epoch == 0);
    CHECK(trainer.progress().epoch == 3);
  }
  learning::Trainer resumed(network, config, 1, folder.path(), "");
  resumed.resume();
  CHECK(resumed.run(train, &validation, silent, kNeverStop) == Outcome::stopped_early);
  CHECK(resumed.progress().epoch == 3);
}

TEST_CASE("a finished run leaves the weights that the configuration selects") {
  for (const auto selection : {learning::Selection::best_validation, learning::Selection::last}) {
    const test::TemporaryFolder folder;
    auto network = test::small_network(1), best = test::small_network(2), last = test::small_network(2);
    // The validation set is noise to the network, so the last epoch is not the best one.
    SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11);
    learning::LearningConfig config = test::small_config();
    config.selection = selection;
    config.groups.front().schedule = {.kind = learning::ScheduleKind::constant, .learning_rate = 0.5};
    learning::Trainer trainer(network, config, 1, folder.path(), "");
    Silent silent;
    trainer.run(train, &validation, silent, kNeverStop);

    learning::read_checkpoint_weights(learning::Trainer::best_checkpoint(folder.path()), best);
    learning::read_checkpoint_weights(learning::Trainer::last_checkpoint(folder.path()), last);
    REQUIRE(test::all_values(best) != test::all_values(last));
    const bool wants_best = selection == learning::Selection::best_validation;
    CHECK(test::all_values(network) == test::all_values(wants_best ? best : last));
    CHECK(trainer.progress().history[static_cast<std::size_t>(trainer.progress().best_epoch)].validation_accuracy ==
          trainer.progress().best_accuracy);
  }
}

TEST_CASE("an input that is not a number ends the run with a clear error and keeps the checkpoint of before") {
  struct Poisoned : SyntheticSource {
    using SyntheticSource::SyntheticSource;
    int countdown = 6;
    bool next(Batch& batch) override {
      if (!SyntheticSource::next(batch)) return false;
      if (--countdown == 0) batch.input[3] = std::numeric_limits<float>::quiet_NaN();
      return true;
    }
  };
  const test::TemporaryFolder folder;
  // No spiking neuron in between: a NaN membrane does not reach its threshold, and the NaN would end there.
  network::NetworkSpec spec;
  spec.nodes = {{"fc", {"input"}, network::LinearSpec{3, true}}};
  auto network = network::build<float>(spec, {SyntheticSource::kChannels}, 1);
  Poisoned train(60, 8, true, 10);
  learning::LearningConfig config = test::small_config();
  config.selection = learning::Selection::last;
  config.checkpoint_every_steps = 1;
  learning::Trainer trainer(network, config, 1, folder.path(), "");
  Silent silent;

  std::string message;
  try {
    trainer.run(train, nullptr, silent, kNeverStop);
  } catch (const learning::DivergedError& error) {
    message = error.what();
  }
  CHECK(message.starts_with("[train] the loss is nan in step 5 (epoch 0"));

  learning::Trainer resumed(network, config, 1, folder.path(), "");
  resumed.resume();
  CHECK(resumed.progress().step == 5);
  for (const float value : test::all_values(network)) CHECK(std::isfinite(value));
}

TEST_CASE("dropout draws other masks in every step") {
  struct Losses : learning::Observer {
    std::vector<double> values;
    void on_step(const learning::StepReport& report) override { values.push_back(report.loss); }
  };
  const test::TemporaryFolder folder;
  auto network = test::small_network(1);
  SyntheticSource train(8, 8, false, 10);  // The same batch in every step, and no learning.
  learning::LearningConfig config = test::small_config();
  config.groups.front().schedule.learning_rate = 0.0;
  config.selection = learning::Selection::last;
  learning::Trainer trainer(network, config, 1, folder.path(), "");
  Losses losses;
  trainer.run(train, nullptr, losses, kNeverStop);

  REQUIRE(losses.values.size() == 6);
  for (std::size_t i = 1; i < 6; ++i) CHECK(losses.values[i] != losses.values[i - 1]);
}

TEST_CASE("a step allocates nothing") {
  struct Allocations : learning::Observer {
    std::vector<std::int64_t> counts;
    void on_step(const learning::StepReport&) override { counts.push_back(test::num_allocations()); }
  };
  const test::TemporaryFolder folder;
  auto network = test::small_network(1);
  SyntheticSource train(80, 8, true, 10);
  learning::LearningConfig config = test::small_config();
  config.epochs = 1;
  config.selection = learning::Selection::last;
  learning::Trainer trainer(network, config, 1, folder.path(), "");
  Allocations allocations;
  allocations.counts.reserve(10);
  trainer.run(train, nullptr, allocations, kNeverStop);

  REQUIRE(allocations.counts.size() == 10);
  // The first step plans the arena and sizes the buffers.
  CHECK(allocations.counts[0] > 0);
  for (std::size_t i = 2; i < 10; ++i) CHECK(allocations.counts[i] == allocations.counts[1]);
}

TEST_CASE("the observer sees every step, and every epoch with its validation") {
  struct Counter : learning::Observer {
    std::vector<learning::StepReport> steps;
    std::vector<learning::EpochRecord> epochs;
    int validated = 0, best = 0;
    void on_step(const learning::StepReport& report) override { steps.push_back(report); }
    void on_epoch(const learning::EpochReport& report) override {
      epochs.push_back(report.record);
      validated += report.validation != nullptr;
      best += report.is_best;
      CHECK(report.samples_per_second > 0.0);
      CHECK(report.firing_rates.size() == 5);
    }
  };
  const test::TemporaryFolder folder;
  auto network = test::small_network(1);
  SyntheticSource train(60, 8, true, 10), validation(30, 8, false, 11);
  learning::LearningConfig config = test::small_config();
  config.epochs = 5;
  config.validate_every = 2;
  learning::Trainer trainer(network, config, 1, folder.path(), "");
  Counter counter;
  trainer.run(train, &validation, counter, kNeverStop);

  REQUIRE(counter.steps.size() == 40);
  CHECK(counter.steps[9].epoch == 1);
  CHECK(counter.steps[9].batch == 1);
  CHECK(counter.steps[9].num_batches == 8);
  CHECK(counter.steps[7].num_samples == 4);
  CHECK(counter.steps[12].gradient_norm > 0.0);
  REQUIRE(counter.epochs.size() == 5);
  CHECK(counter.validated == 3);
  CHECK(counter.best >= 1);
  CHECK(std::isnan(counter.epochs[0].validation_loss));
  CHECK_FALSE(std::isnan(counter.epochs[4].validation_loss));
  double loss = 0.0;
  for (std::size_t i = 0; i < 8; ++i) loss += counter.steps[i].loss * static_cast<double>(counter.steps[i].num_samples);
  CHECK(counter.epochs[0].train_loss == loss / 60.0);
}

TEST_CASE("data that does not fit the network or the run is refused") {
  const test::TemporaryFolder folder;
  SyntheticSource train(60, 8, true, 10), other_size(60, 12, true, 10), nothing(0, 8, true, 10);
  Silent silent;
  auto network = test::small_network(1);
  learning::LearningConfig config = test::small_config();
  config.epochs = 1;
  {
    learning::Trainer trainer(network, config, 1, folder.path(), "");
    CHECK_THROWS_WITH(
        trainer.run(train, nullptr, silent, kNeverStop),
        "[train] learning.selection = \"best_validation\" needs validation data; without it, use \"last\"");
    CHECK_THROWS_AS(trainer.run(nothing, &train, silent, kNeverStop), Error);
    network.node_shapes.back() = {4};
    CHECK_THROWS_WITH_AS(trainer.run(train, &train, silent, kNeverStop),
                         "[network] the output must be one value for each of the 3 classes, is [4]", ShapeError);
    network.node_shapes.back() = {3};
    trainer.run(train, &train, silent, kNeverStop);
  }
  learning::Trainer resumed(network, config, 1, folder.path(), "");
  resumed.resume();
  CHECK_THROWS_WITH(resumed.run(other_size, &train, silent, kNeverStop),
                    "[train] the run was begun with 8 batches an epoch, the training data now has 5");
}
