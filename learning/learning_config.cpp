#include "learning/learning_config.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "network/delays.hpp"

namespace synfire::learning {

namespace {

constexpr double kLargest = 1e6;  // of learning rates, divisors and norms: beyond it is a slip of the pen
constexpr std::int64_t kMostEpochs = 1'000'000;
constexpr double kWidest = 1e5;  // ticks

template <class Kind, std::size_t N>
Kind choose(const ConfigTable& table, const std::string& key, const std::array<std::pair<const char*, Kind>, N>& kinds,
            Kind fallback) {
  std::vector<std::string> names;
  std::string fallback_name;
  for (const auto& [name, kind] : kinds) {
    names.emplace_back(name);
    if (kind == fallback) fallback_name = name;
  }
  const std::string chosen = table.choice(key, names, fallback_name);
  return std::find_if(kinds.begin(), kinds.end(), [&](const auto& entry) { return entry.first == chosen; })->second;
}

/// \param fallback  what is used where the table says nothing
OptimizerConfig read_optimizer(const ConfigTable& table, const OptimizerConfig& fallback) {
  OptimizerConfig config = fallback;
  config.kind = choose(table, "optimizer",
                       std::array{std::pair{"adamw", OptimizerKind::adamw}, std::pair{"adam", OptimizerKind::adam},
                                  std::pair{"sgd", OptimizerKind::sgd}},
                       fallback.kind);
  const double usual_decay = config.kind == fallback.kind ? fallback.weight_decay : 0.0;
  config.weight_decay = table.number("weight_decay", usual_decay, 0.0, kLargest);
  if (config.kind == OptimizerKind::sgd) {
    config.momentum = table.number("momentum", config.momentum, 0.0, 1.0);
    config.nesterov = table.flag("nesterov", config.nesterov);
    if (config.nesterov && config.momentum == 0.0) table.fail("nesterov", "needs a momentum above 0");
  } else {
    config.beta1 = table.number("beta1", config.beta1, 0.0, 1.0);
    config.beta2 = table.number("beta2", config.beta2, 0.0, 1.0);
    if (config.beta1 == 1.0) table.fail("beta1", "must be below 1");
    if (config.beta2 == 1.0) table.fail("beta2", "must be below 1");
    config.epsilon = table.number("epsilon", config.epsilon, 0.0, 1.0);
  }
  return config;
}

ScheduleConfig read_schedule(const ConfigTable& table, const ScheduleConfig& fallback, int epochs) {
  ScheduleConfig schedule = fallback;
  schedule.kind =
      choose(table, "schedule",
             std::array{std::pair{"one_cycle", ScheduleKind::one_cycle}, std::pair{"cosine", ScheduleKind::cosine},
                        std::pair{"constant", ScheduleKind::constant}},
             fallback.kind);
  schedule.learning_rate = table.number("learning_rate", schedule.learning_rate, 0.0, kLargest);
  schedule.pace = choose(table, "step",
                         std::array{std::pair{"batch", SchedulePace::batch}, std::pair{"epoch", SchedulePace::epoch}},
                         fallback.pace);
  if (schedule.kind == ScheduleKind::one_cycle) {
    schedule.rise_fraction = table.number("rise_fraction", schedule.rise_fraction, 0.0, 1.0);
    schedule.start_divisor = table.number("start_divisor", schedule.start_divisor, 1.0, kLargest);
    schedule.final_divisor = table.number("final_divisor", schedule.final_divisor, 1.0, kLargest);
    schedule.cycle_momentum = table.flag("cycle_momentum", schedule.cycle_momentum);
  } else {
    schedule.warmup_epochs = table.number("warmup_epochs", schedule.warmup_epochs, 0.0, epochs);
    if (schedule.kind == ScheduleKind::cosine) {
      const double lowest = std::min(schedule.min_learning_rate, schedule.learning_rate);
      schedule.min_learning_rate = table.number("min_learning_rate", lowest, 0.0, schedule.learning_rate);
    }
  }
  return schedule;
}

/// The group of the table `key`, with the optimiser and the schedule of `base` where the table says nothing else.
OptimizerGroup read_group(const ConfigTable& learning, const std::string& key, std::vector<network::TensorKind> kinds,
                          const OptimizerGroup& base, int epochs) {
  OptimizerGroup group = base;
  group.kinds = std::move(kinds);
  group.optimizer.weight_decay = 0.0;
  if (learning.has(key)) {
    group.optimizer = read_optimizer(learning.table(key), group.optimizer);
    group.schedule = read_schedule(learning.table(key), group.schedule, epochs);
  }
  return group;
}

DelayLearning read_delays(const ConfigTable& table, int epochs) {
  DelayLearning delays;
  delays.final_width = table.number("final_width", delays.final_width, 0.0, kWidest);
  delays.narrowing_epochs = static_cast<int>(table.integer("narrowing_epochs", epochs / 4, 0, epochs));
  if (table.has("round_from_epoch"))
    delays.round_from_epoch = static_cast<int>(table.integer("round_from_epoch", {}, 0, epochs));
  return delays;
}

}  // namespace

const char* selection_text(Selection selection) {
  switch (selection) {
    case Selection::best_validation:
      return "best epoch on held-out training data";
    case Selection::last:
      return "last epoch";
    case Selection::best_test:
      return "best epoch on the test set; not a held-out figure";
  }
  return "";
}

double narrowing_share(const DelayLearning& delays, int epoch) {
  if (epoch >= delays.narrowing_epochs) return 1.0;
  return static_cast<double>(epoch) / static_cast<double>(delays.narrowing_epochs);
}

LearningConfig read_learning_config(const ConfigTable& table, const network::NetworkSpec& spec) {
  using network::TensorKind;
  LearningConfig config;
  config.epochs = static_cast<int>(table.integer("epochs", {}, 1, kMostEpochs));
  config.batch_size = static_cast<int>(table.integer("batch_size", config.batch_size, 1, 1 << 20));
  config.loss.kind = choose(table, "loss",
                            std::array{std::pair{"rate_cross_entropy", LossKind::rate_cross_entropy},
                                       std::pair{"softmax_sum_cross_entropy", LossKind::softmax_sum_cross_entropy},
                                       std::pair{"max_cross_entropy", LossKind::max_cross_entropy},
                                       std::pair{"rate_mse", LossKind::rate_mse}},
                            config.loss.kind);
  config.loss.label_smoothing = table.number("label_smoothing", 0.0, 0.0, 1.0);
  config.loss.mask_padding = table.flag("mask_padding", false);

  OptimizerGroup weights;
  weights.kinds = {TensorKind::weight, TensorKind::offset};
  weights.optimizer = read_optimizer(table, {.momentum = 0.9});
  weights.schedule = read_schedule(table, {.kind = ScheduleKind::one_cycle}, config.epochs);
  config.groups = {weights, read_group(table, "neurons", {TensorKind::neuron}, weights, config.epochs)};
  if (network::has_learned_delays(spec)) {
    config.delays = read_delays(table.table("delays"), config.epochs);
    OptimizerGroup positions =
        read_group(table, "positions", {TensorKind::position, TensorKind::width}, weights, config.epochs);
    positions.end_epoch = config.delays.round_from_epoch;
    config.groups.push_back(positions);
  }

  config.clip_norm = table.number("clip_norm", 0.0, 0.0, kLargest);
  config.validate_every = static_cast<int>(table.integer("validate_every", 1, 1, kMostEpochs));
  config.early_stop_epochs = static_cast<int>(table.integer("early_stop_epochs", 0, 0, kMostEpochs));
  config.checkpoint_every_steps = table.integer("checkpoint_every_steps", 200, 0);
  config.selection =
      choose(table, "selection",
             std::array{std::pair{"best_validation", Selection::best_validation}, std::pair{"last", Selection::last},
                        std::pair{"best_test", Selection::best_test}},
             config.selection);
  return config;
}

}  // namespace synfire::learning
