#pragma once

#include <cstdint>

namespace synfire::learning {

enum class ScheduleKind : std::uint8_t {
  constant,
  cosine,    ///< half a cosine from learning_rate to min_learning_rate
  one_cycle  ///< up and down again, the momentum the other way; [Smith2018]
};

/// When the learning rate moves on.
enum class SchedulePace : std::uint8_t { batch, epoch };

/// How the learning rate moves from step to step, a step being a batch or an epoch. The values are those of PyTorch's
/// OneCycleLR and CosineAnnealingLR when these are stepped after every batch, or every epoch.
struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::constant;
  double learning_rate = 1e-3;  ///< the highest one
  SchedulePace pace = SchedulePace::batch;
  /// constant and cosine: a linear rise before; step i of its w steps has (i + 1) / w of the learning rate.
  double warmup_epochs = 0.0;
  double min_learning_rate = 0.0;  ///< cosine: reached after the last step
  // one_cycle
  double rise_fraction = 0.3;   ///< of all steps
  double start_divisor = 25.0;  ///< first learning rate = learning_rate / start_divisor
  double final_divisor = 1e4;   ///< last learning rate = first learning rate / final_divisor
  bool cycle_momentum = true;   ///< move SGD's momentum or Adam's beta1 too
  double base_momentum = 0.85;  ///< where the learning rate is highest
  double max_momentum = 0.95;   ///< in the first and the last step
};

struct ScheduleValue {
  double learning_rate;
  double momentum;  ///< NaN: as in the optimiser's configuration
};

/// Where a run stands, and how long it will be.
struct RunTime {
  std::int64_t batch = 0;  ///< since its start, from 0
  std::int64_t batches_per_epoch = 1;
  int num_epochs = 1;
};

/// The values for a batch of a run. Later batches keep the last value.
ScheduleValue schedule_at(const ScheduleConfig& config, const RunTime& now);

}  // namespace synfire::learning
