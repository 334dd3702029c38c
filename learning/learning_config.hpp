#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "learning/losses.hpp"
#include "learning/optimizers.hpp"
#include "learning/schedules.hpp"
#include "network/spec.hpp"

namespace synfire::learning {

/// Which weights a finished run leaves in the network.
enum class Selection : std::uint8_t {
  best_validation,  ///< of the epoch with the highest validation accuracy; of equal ones, the lowest loss
  last,
  best_test  ///< as best_validation with the test split for validation: a published protocol, and no held-out figure
};

/// What an accuracy on the test split means after such a selection: "last epoch", ...
const char* selection_text(Selection selection);

inline constexpr int kNever = std::numeric_limits<int>::max();

/// The optimiser and the schedule of some of the tensors.
struct OptimizerGroup {
  std::vector<network::TensorKind> kinds;  ///< empty: all
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  int end_epoch = kNever;  ///< from this epoch on its tensors stay as they are
};

/// How the bumps of learned delays become single ticks.
struct DelayLearning {
  double final_width = 0.23;
  int narrowing_epochs = 0;       ///< until the final width; 0: it is there from the start
  int round_from_epoch = kNever;  ///< from this epoch on delays are whole and stay, and the weights learn for them
};

/// How far along the bumps are in an epoch: 0 at their start width, 1 at the final one (network::narrow_bumps).
double narrowing_share(const DelayLearning& delays, int epoch);

struct LearningConfig {
  int epochs = 1;
  int batch_size = 16;                                   ///< for whoever makes the BatchSource
  std::vector<OptimizerGroup> groups{OptimizerGroup{}};  ///< the learning rate of the first is reported
  DelayLearning delays;
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
///     weight_decay = 0.01           # of weights; default 0 for adam and sgd
///     clip_norm = 0.0               # 0: off
///     schedule = "one_cycle"        # constant (warmup_epochs), cosine (warmup_epochs, min_learning_rate)
///     step = "batch"                # or "epoch": when the schedule moves on
///     rise_fraction = 0.3           # one_cycle; also start_divisor, final_divisor, cycle_momentum
///     validate_every = 1            # epochs
///     early_stop_epochs = 0         # 0: off
///     checkpoint_every_steps = 200  # 0: only after each epoch
///     selection = "best_validation" # last best_test
///
///     [learning.neurons]            # learned constants of neurons; [learning.positions]: learned delays and widths
///     learning_rate = 1e-3          # and any other key of the optimiser and the schedule; what is not given is as in
///                                   # [learning], but for weight_decay, which is 0
///     [learning.delays]
///     final_width = 0.23            # of the bumps, in ticks
///     narrowing_epochs = 7          # until they are as narrow; default: a quarter of the epochs
///     round_from_epoch = 20         # from then on the delays are whole and stay; default: never
///
/// \param spec  `positions` and `delays` are known only where it has learned delays
/// \throws ConfigError that names file, line and key
LearningConfig read_learning_config(const ConfigTable& table, const network::NetworkSpec& spec);

}  // namespace synfire::learning
