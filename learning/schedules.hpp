#pragma once

#include <cstdint>

namespace synfire::learning {

enum class ScheduleKind : std::uint8_t {
  constant,
  cosine,    ///< half a cosine from learning_rate to min_learning_rate
  one_cycle  ///< up and down again, the momentum the other way; [Smith2018]
};

/// How the learning rate moves from step to step. The values are those of PyTorch's OneCycleLR and CosineAnnealingLR
/// when these are stepped after every batch.
struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::constant;
  double learning_rate = 1e-3;  ///< the highest one
  /// constant and cosine: steps of a linear rise before; step i of w has (i + 1) / w of the learning rate.
  std::int64_t warmup_steps = 0;
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

/// The values for step `step` (from 0) of `total_steps`. Later steps keep the last value.
ScheduleValue schedule_at(const ScheduleConfig& config, std::int64_t step, std::int64_t total_steps);

}  // namespace synfire::learning
