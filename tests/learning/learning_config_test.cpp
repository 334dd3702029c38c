#include "learning/learning_config.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"

using namespace synfire;

namespace {

network::NetworkSpec with_delays() {
  network::NetworkSpec spec;
  spec.nodes = {{"delays", {"input"}, network::DelayedLinearSpec{}}};
  return spec;
}

learning::LearningConfig read(const std::string& text, const network::NetworkSpec& spec = {}) {
  const Config config = Config::parse("[learning]\n" + text, "run.toml");
  const auto result = learning::read_learning_config(config.root().table("learning"), spec);
  config.root().finish();
  return result;
}

}  // namespace

TEST_CASE("a learning table with nothing but epochs has the documented defaults") {
  const auto config = read("epochs = 3");

  CHECK(config.epochs == 3);
  CHECK(config.batch_size == 16);
  CHECK(config.loss.kind == learning::LossKind::rate_cross_entropy);
  CHECK(config.groups[0].optimizer.kind == learning::OptimizerKind::adamw);
  CHECK(config.groups[0].optimizer.weight_decay == 0.01);
  CHECK(config.groups[0].schedule.kind == learning::ScheduleKind::one_cycle);
  CHECK(config.groups[0].schedule.learning_rate == 1e-3);
  CHECK(config.checkpoint_every_steps == 200);
  CHECK(config.selection == learning::Selection::best_validation);
}

TEST_CASE("every key of the learning table arrives") {
  const auto config = read(
      "epochs = 40\nbatch_size = 5\noptimizer = \"sgd\"\nmomentum = 0.8\nnesterov = true\nlearning_rate = 0.1\n"
      "weight_decay = 1e-4\nschedule = \"cosine\"\nwarmup_epochs = 1.5\nmin_learning_rate = 1e-3\n"
      "loss = \"max_cross_entropy\"\nlabel_smoothing = 0.1\nclip_norm = 2\nvalidate_every = 2\nearly_stop_epochs = 7\n"
      "checkpoint_every_steps = 0\nselection = \"last\"");

  CHECK(config.batch_size == 5);
  CHECK(config.groups[0].optimizer.kind == learning::OptimizerKind::sgd);
  CHECK(config.groups[0].optimizer.momentum == 0.8);
  CHECK(config.groups[0].optimizer.nesterov);
  CHECK(config.groups[0].optimizer.weight_decay == 1e-4);
  CHECK(config.groups[0].schedule.kind == learning::ScheduleKind::cosine);
  CHECK(config.groups[0].schedule.learning_rate == 0.1);
  CHECK(config.groups[0].schedule.min_learning_rate == 1e-3);
  CHECK(config.groups[0].schedule.warmup_epochs == 1.5);
  CHECK(config.loss.kind == learning::LossKind::max_cross_entropy);
  CHECK(config.loss.label_smoothing == 0.1);
  CHECK(config.clip_norm == 2.0);
  CHECK(config.validate_every == 2);
  CHECK(config.early_stop_epochs == 7);
  CHECK(config.checkpoint_every_steps == 0);
  CHECK(config.selection == learning::Selection::last);
}

TEST_CASE("what a learning table cannot mean is refused at its key") {
  CHECK_THROWS_AS(read(""), ConfigError);
  CHECK_THROWS_AS(read("epochs = 0"), ConfigError);
  CHECK_THROWS_AS(read("epochs = 3\nlearning_rate = -1.0"), ConfigError);
  CHECK_THROWS_AS(read("epochs = 3\nbeta2 = 1.0"), ConfigError);
  CHECK_THROWS_AS(read("epochs = 3\noptimizer = \"sgd\"\nmomentum = 0.0\nnesterov = true"), ConfigError);
  CHECK_THROWS_AS(read("epochs = 3\nloss = \"hinge\""), ConfigError);
  // Keys of another optimiser or schedule would have no effect.
  CHECK_THROWS_AS(read("epochs = 3\nmomentum = 0.9"), ConfigError);
  CHECK_THROWS_AS(read("epochs = 3\nwarmup_epochs = 1"), ConfigError);
}

TEST_CASE("positions and neurons take from [learning] what their tables do not say, but not its decay") {
  const auto config = read(
      "epochs = 150\noptimizer = \"adam\"\nbeta2 = 0.99\nweight_decay = 1e-5\nlearning_rate = 5e-3\nstep = \"epoch\"\n"
      "[learning.positions]\nlearning_rate = 0.1\nschedule = \"cosine\"\n"
      "[learning.neurons]\noptimizer = \"sgd\"\nweight_decay = 1e-3",
      with_delays());

  REQUIRE(config.groups.size() == 3);
  const auto &weights = config.groups[0], &neurons = config.groups[1], &positions = config.groups[2];
  CHECK(weights.kinds == std::vector{network::TensorKind::weight, network::TensorKind::offset});
  CHECK(weights.optimizer.weight_decay == 1e-5);
  CHECK(weights.schedule.kind == learning::ScheduleKind::one_cycle);
  CHECK(positions.kinds == std::vector{network::TensorKind::position, network::TensorKind::width});
  CHECK(positions.optimizer.kind == learning::OptimizerKind::adam);
  CHECK(positions.optimizer.beta2 == 0.99);
  CHECK(positions.optimizer.weight_decay == 0.0);
  CHECK(positions.schedule.kind == learning::ScheduleKind::cosine);
  CHECK(positions.schedule.learning_rate == 0.1);
  CHECK(positions.schedule.pace == learning::SchedulePace::epoch);
  CHECK(positions.end_epoch == learning::kNever);
  CHECK(neurons.kinds == std::vector{network::TensorKind::neuron});
  CHECK(neurons.optimizer.kind == learning::OptimizerKind::sgd);
  CHECK(neurons.optimizer.momentum == 0.9);
  CHECK(neurons.optimizer.weight_decay == 1e-3);
  CHECK(neurons.schedule.learning_rate == 5e-3);
}

TEST_CASE("bumps narrow over a quarter of the epochs unless told otherwise, and delays are rounded only if told") {
  const auto usual = read("epochs = 150", with_delays());
  CHECK(usual.delays.final_width == 0.23);
  CHECK(usual.delays.narrowing_epochs == 37);
  CHECK(usual.delays.round_from_epoch == learning::kNever);

  const auto told = read(
      "epochs = 60\n[learning.delays]\nfinal_width = 0.5\nnarrowing_epochs = 10\nround_from_epoch = 30", with_delays());
  CHECK(told.delays.final_width == 0.5);
  CHECK(told.delays.narrowing_epochs == 10);
  CHECK(told.delays.round_from_epoch == 30);
  CHECK(told.groups.back().end_epoch == 30);
  CHECK(told.groups.front().end_epoch == learning::kNever);
}

TEST_CASE("a network without learned delays knows no keys for them") {
  network::NetworkSpec fixed = with_delays();
  std::get<network::DelayedLinearSpec>(fixed.nodes[0].operation).learn_delays = false;
  for (const char* table : {"positions]\nlearning_rate = 0.1", "delays]\nfinal_width = 0.23"}) {
    CHECK_THROWS_AS(read(std::string("epochs = 3\n[learning.") + table, fixed), ConfigError);
    CHECK_THROWS_AS(read(std::string("epochs = 3\n[learning.") + table), ConfigError);
    CHECK_NOTHROW(read(std::string("epochs = 3\n[learning.") + table, with_delays()));
  }
  CHECK_THROWS_AS(read("epochs = 3\n[learning.delays]\nround_from_epoch = 4", with_delays()), ConfigError);
}
