#pragma once

#include <cstdint>

#include "core/config.hpp"
#include "learning/losses.hpp"
#include "learning/optimizers.hpp"
#include "learning/schedules.hpp"

namespace synfire::learning {

/// Which weights a finished run leaves in the network.
enum class Selection : std::uint8_t {
  best_validation,  ///< of the epoch with the highest validation accuracy; of equal ones, the lowest loss
  last
};

struct LearningConfig {
  int epochs = 1;
  int batch_size = 16;  ///< for whoever makes the BatchSource
  OptimizerConfig optimizer;
  ScheduleConfig schedule;     ///< its warmup_steps are set by the trainer
  double warmup_epochs = 0.0;  ///< constant and cosine
  LossConfig loss;
  double clip_norm = 0.0;                   ///< global norm of the gradients; 0: no clipping
  int validate_every = 1;                   ///< epochs; the last epoch is always validated
  int early_stop_epochs = 0;                ///< stop this many epochs after the best one; 0: never
  std::int64_t checkpoint_every_steps = 0;  ///< besides the one after each epoch; 0: none
  Selection selection = Selection::best_validation;
};

/// Reads `[learning]`. Only the keys that matter for the chosen optimiser and schedule are known:
///
///     [learning]
///     epochs = 30
///     batch_size = 16
///     loss = "rate_cross_entropy"   # softmax_sum_cross_entropy max_cross_entropy rate_mse
///     label_smoothing = 0.0
///     mask_padding = false          # of samples that end before their batch only their own ticks count
///     optimizer = "adamw"           # adam (beta1, beta2, epsilon), sgd (momentum, nesterov)
///     learning_rate = 1e-3          # the highest one
///     weight_decay = 0.01           # default 0 for adam and sgd
///     clip_norm = 0.0               # 0: off
///     schedule = "one_cycle"        # constant (warmup_epochs), cosine (warmup_epochs, min_learning_rate)
///     rise_fraction = 0.3           # one_cycle; also start_divisor, final_divisor, cycle_momentum
///     validate_every = 1            # epochs
///     early_stop_epochs = 0         # 0: off
///     checkpoint_every_steps = 200  # 0: only after each epoch
///     selection = "best_validation" # last
///
/// \throws ConfigError that names file, line and key
LearningConfig read_learning_config(const ConfigTable& table);

}  // namespace synfire::learning
