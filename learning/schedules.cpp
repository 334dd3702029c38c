#include "learning/schedules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace synfire::learning {

namespace {

constexpr double kUnchanged = std::numeric_limits<double>::quiet_NaN();

/// From `start` to `end` along half a cosine.
double cosine_between(double start, double end, double fraction) {
  return end + (start - end) / 2.0 * (1.0 + std::cos(std::numbers::pi * fraction));
}

ScheduleValue one_cycle(const ScheduleConfig& config, double step, double total_steps) {
  const double first = config.learning_rate / config.start_divisor;
  const double top_step = config.rise_fraction * total_steps - 1.0;
  const bool rising = step <= top_step;
  // A cycle of one step is at its top; a rise of no step starts there.
  const double length = rising ? top_step : total_steps - 1.0 - top_step;
  const double fraction = length > 0.0 ? (rising ? step : step - top_step) / length : 1.0;
  const double momentum = rising ? cosine_between(config.max_momentum, config.base_momentum, fraction)
                                 : cosine_between(config.base_momentum, config.max_momentum, fraction);
  return {rising ? cosine_between(first, config.learning_rate, fraction)
                 : cosine_between(config.learning_rate, first / config.final_divisor, fraction),
          config.cycle_momentum ? momentum : kUnchanged};
}

}  // namespace

ScheduleValue schedule_at(const ScheduleConfig& config, const RunTime& now) {
  const bool by_batch = config.pace == SchedulePace::batch;
  const std::int64_t steps_per_epoch = by_batch ? now.batches_per_epoch : 1;
  const std::int64_t total_steps = now.num_epochs * steps_per_epoch;
  const std::int64_t last_step = std::max<std::int64_t>(0, total_steps - 1);
  const std::int64_t step =
      std::clamp<std::int64_t>(by_batch ? now.batch : now.batch / now.batches_per_epoch, 0, last_step);
  if (config.kind == ScheduleKind::one_cycle)
    return one_cycle(config, static_cast<double>(step), static_cast<double>(total_steps));

  const std::int64_t warmup_steps = std::llround(config.warmup_epochs * static_cast<double>(steps_per_epoch));
  if (step < warmup_steps) {
    const double fraction = static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
    return {config.learning_rate * fraction, kUnchanged};
  }
  if (config.kind == ScheduleKind::constant) return {config.learning_rate, kUnchanged};
  const auto length = static_cast<double>(std::max<std::int64_t>(1, total_steps - warmup_steps));
  const double fraction = static_cast<double>(step - warmup_steps) / length;
  return {cosine_between(config.learning_rate, config.min_learning_rate, fraction), kUnchanged};
}

}  // namespace synfire::learning
