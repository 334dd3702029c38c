#include "learning/learning_config.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/error.hpp"

using namespace synfire;

namespace {

learning::LearningConfig read(const std::string& text) {
  const Config config = Config::parse("[learning]\n" + text, "run.toml");
  const auto result = learning::read_learning_config(config.root().table("learning"));
  config.root().finish();
  return result;
}

}  // namespace

TEST_CASE("a learning table with nothing but epochs has the documented defaults") {
  const auto config = read("epochs = 3");

  CHECK(config.epochs == 3);
  CHECK(config.batch_size == 16);
  CHECK(config.loss.kind == learning::LossKind::rate_cross_entropy);
  CHECK(config.optimizer.kind == learning::OptimizerKind::adamw);
  CHECK(config.optimizer.weight_decay == 0.01);
  CHECK(config.schedule.kind == learning::ScheduleKind::one_cycle);
  CHECK(config.schedule.learning_rate == 1e-3);
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
  CHECK(config.optimizer.kind == learning::OptimizerKind::sgd);
  CHECK(config.optimizer.momentum == 0.8);
  CHECK(config.optimizer.nesterov);
  CHECK(config.optimizer.weight_decay == 1e-4);
  CHECK(config.schedule.kind == learning::ScheduleKind::cosine);
  CHECK(config.schedule.learning_rate == 0.1);
  CHECK(config.schedule.min_learning_rate == 1e-3);
  CHECK(config.warmup_epochs == 1.5);
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
