#include "learning/learning_config.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace synfire::learning {

namespace {

constexpr double kLargest = 1e6;  // of learning rates, divisors and norms: beyond it is a slip of the pen
constexpr std::int64_t kMostEpochs = 1'000'000;

template <class Kind, std::size_t N>
Kind choose(const ConfigTable& table, const std::string& key,
            const std::array<std::pair<const char*, Kind>, N>& kinds) {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds) names.emplace_back(name);
  const std::string chosen = table.choice(key, names, names.front());
  return std::find_if(kinds.begin(), kinds.end(), [&](const auto& entry) { return entry.first == chosen; })->second;
}

OptimizerConfig read_optimizer(const ConfigTable& table) {
  OptimizerConfig config;
  config.kind = choose(table, "optimizer",
                       std::array{std::pair{"adamw", OptimizerKind::adamw}, std::pair{"adam", OptimizerKind::adam},
                                  std::pair{"sgd", OptimizerKind::sgd}});
  config.weight_decay = table.number("weight_decay", config.kind == OptimizerKind::adamw ? 0.01 : 0.0, 0.0, kLargest);
  if (config.kind == OptimizerKind::sgd) {
    config.momentum = table.number("momentum", 0.9, 0.0, 1.0);
    config.nesterov = table.flag("nesterov", false);
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

void read_schedule(const ConfigTable& table, LearningConfig& config) {
  ScheduleConfig& schedule = config.schedule;
  schedule.kind =
      choose(table, "schedule",
             std::array{std::pair{"one_cycle", ScheduleKind::one_cycle}, std::pair{"cosine", ScheduleKind::cosine},
                        std::pair{"constant", ScheduleKind::constant}});
  schedule.learning_rate = table.number("learning_rate", schedule.learning_rate, 0.0, kLargest);
  if (schedule.kind == ScheduleKind::one_cycle) {
    schedule.rise_fraction = table.number("rise_fraction", schedule.rise_fraction, 0.0, 1.0);
    schedule.start_divisor = table.number("start_divisor", schedule.start_divisor, 1.0, kLargest);
    schedule.final_divisor = table.number("final_divisor", schedule.final_divisor, 1.0, kLargest);
    schedule.cycle_momentum = table.flag("cycle_momentum", schedule.cycle_momentum);
  } else {
    config.warmup_epochs = table.number("warmup_epochs", 0.0, 0.0, config.epochs);
    if (schedule.kind == ScheduleKind::cosine)
      schedule.min_learning_rate = table.number("min_learning_rate", 0.0, 0.0, schedule.learning_rate);
  }
}

}  // namespace

LearningConfig read_learning_config(const ConfigTable& table) {
  LearningConfig config;
  config.epochs = static_cast<int>(table.integer("epochs", {}, 1, kMostEpochs));
  config.batch_size = static_cast<int>(table.integer("batch_size", config.batch_size, 1, 1 << 20));
  config.loss.kind = choose(table, "loss",
                            std::array{std::pair{"rate_cross_entropy", LossKind::rate_cross_entropy},
                                       std::pair{"softmax_sum_cross_entropy", LossKind::softmax_sum_cross_entropy},
                                       std::pair{"max_cross_entropy", LossKind::max_cross_entropy},
                                       std::pair{"rate_mse", LossKind::rate_mse}});
  config.loss.label_smoothing = table.number("label_smoothing", 0.0, 0.0, 1.0);
  config.loss.mask_padding = table.flag("mask_padding", false);
  config.optimizer = read_optimizer(table);
  read_schedule(table, config);
  config.clip_norm = table.number("clip_norm", 0.0, 0.0, kLargest);
  config.validate_every = static_cast<int>(table.integer("validate_every", 1, 1, kMostEpochs));
  config.early_stop_epochs = static_cast<int>(table.integer("early_stop_epochs", 0, 0, kMostEpochs));
  config.checkpoint_every_steps = table.integer("checkpoint_every_steps", 200, 0);
  config.selection =
      choose(table, "selection",
             std::array{std::pair{"best_validation", Selection::best_validation}, std::pair{"last", Selection::last}});
  return config;
}

}  // namespace synfire::learning
