#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/event_program.hpp"
#include "neurons/lif_step.hpp"

/// The neurons of one population of the event engine: constants and the arithmetic of a tick. Private to the room.
namespace synfire::network {

/// No tick.
inline constexpr std::int32_t kNever = -1;

/// What does not change from sample to sample.
class EventNeurons {
 public:
  explicit EventNeurons(const Population& population)
      : params_(population.params),
        unit_(static_cast<float>(std::ldexp(1.0, -population.shift))),
        drive_(static_cast<std::size_t>(population.size())),
        target_(static_cast<std::size_t>(population.size())),
        whole_drive_(population.drive) {
    whole_drive_.resize(drive_.size());
    const double leak = 1.0 - static_cast<double>(static_cast<float>(params_.decay));
    for (std::size_t n = 0; n < drive_.size(); ++n) {
      drive_[n] = current(0, n);
      const double pull = static_cast<double>(static_cast<float>(params_.gain)) * static_cast<double>(drive_[n]);
      const double rest = params_.hard_reset ? params_.v_reset : 0.0;
      // Where the membrane would settle, were there no threshold. Without a leak it moves on and on.
      target_[n] = leak > 0.0 ? rest + pull / leak : pull > 0.0 ? HUGE_VAL : pull < 0.0 ? -HUGE_VAL : rest;
    }
    // Rounding errors of a tick add up over as many ticks as the leak remembers.
    const double margin = std::clamp(0x1p-20 / std::max(leak, 1e-30), 1e-4, 0.5);
    threshold_ = params_.v_th - margin * std::max(std::abs(params_.v_th), std::abs(params_.v_reset));
    any_driven_ = std::any_of(target_.begin(), target_.end(), [&](double to) { return to > threshold_; });
    rests_ = leak == 0.0 && std::all_of(drive_.begin(), drive_.end(), [](float x) { return x == 0.0F; });
    log_decay_ = params_.decay > 0.0 ? std::log(static_cast<double>(static_cast<float>(params_.decay))) : -HUGE_VAL;
  }

  float start() const { return static_cast<float>(params_.hard_reset ? params_.v_reset : 0.0); }

  /// x of neuron n from the sum of its weights: one rounding, of a sum that is exact.
  float current(std::int32_t sum, std::size_t n) const {
    return static_cast<float>(sum + (whole_drive_.empty() ? 0 : whole_drive_[n])) * unit_;
  }

  /// Takes neurons [first, last) through `ticks` ticks in which nothing arrives and none of them fires.
  void replay(std::ptrdiff_t first, std::ptrdiff_t last, std::int32_t ticks, float* v) const {
    const neurons::LifStep<Hard, float> step{neurons::LifConstants<float>(params_)};
    if (rests_) return;
    for (std::int32_t k = 0; k < ticks; ++k) {
      for (std::ptrdiff_t n = first; n < last; ++n) v[n] = step.charge(v[n], drive_[static_cast<std::size_t>(n)]);
    }
  }

  /// One tick of neurons [first, last): charge, fire, reset; the sums are used up. Calls `fired(n)` in order.
  template <class Fired>
  void tick(std::ptrdiff_t first, std::ptrdiff_t last, std::int32_t* sums, float* v, const Fired& fired) const {
    if (params_.hard_reset) {
      tick_by<Hard>(first, last, sums, v, fired);
    } else {
      tick_by<Soft>(first, last, sums, v, fired);
    }
  }

  /// In how many ticks one of the neurons [first, last) could fire if nothing arrives, at the earliest; kNever if none
  /// can. Never too late: the crossing is that of a threshold that is lower by more than all rounding.
  /// \param computed  is raised by the crossings that had to be computed
  std::int32_t could_fire_in(std::ptrdiff_t first, std::ptrdiff_t last, const float* v, std::int32_t horizon,
                             std::uint64_t& computed) const {
    // Below the threshold, as a hard reset leaves every membrane, only a drive can bring it there.
    if (params_.hard_reset && !any_driven_) return kNever;
    double earliest = HUGE_VAL;
    for (std::ptrdiff_t n = first; n < last; ++n) {
      const auto now = static_cast<double>(v[n]), to = target_[static_cast<std::size_t>(n)];
      if (to <= threshold_ && params_.hard_reset) continue;
      if (now >= threshold_) return 1;
      if (to <= threshold_) continue;
      ++computed;
      if (std::isinf(to)) {
        const double pull = static_cast<double>(static_cast<float>(params_.gain)) *
                            static_cast<double>(drive_[static_cast<std::size_t>(n)]);
        earliest = std::min(earliest, (threshold_ - now) / pull);
      } else {
        earliest = std::min(earliest, std::log((to - threshold_) / (to - now)) / log_decay_);
      }
    }
    if (earliest > static_cast<double>(horizon)) return kNever;
    return std::max<std::int32_t>(1, static_cast<std::int32_t>(std::floor(earliest * kEarlier)));
  }

  /// One tick of a leaky integrator, or the current itself.
  float read(bool has_membrane, std::int32_t sum, std::size_t n, float v) const {
    const float x = current(sum, n);
    if (!has_membrane) return x;
    const neurons::LifStep<Hard, float> step{neurons::LifConstants<float>(params_)};
    return step.charge(v, x);
  }

 private:
  using Hard = neurons::LifRule<neurons::SurrogateKind::atan, false, true, true>;
  using Soft = neurons::LifRule<neurons::SurrogateKind::atan, false, false, true>;
  /// For sums without a leak, whose errors grow with their number.
  static constexpr double kEarlier = 0.999;

  template <class Rule, class Fired>
  void tick_by(std::ptrdiff_t first, std::ptrdiff_t last, std::int32_t* sums, float* v, const Fired& fired) const {
    const neurons::LifStep<Rule, float> step{neurons::LifConstants<float>(params_)};
    constexpr std::ptrdiff_t kStrip = 64;
    std::array<float, kStrip> spikes;
    for (std::ptrdiff_t from = first; from < last; from += kStrip) {
      const std::ptrdiff_t count = std::min(kStrip, last - from);
      float* const membrane = v + from;
      std::int32_t* const sum = sums + from;
      const std::int32_t* const drive = whole_drive_.data() + from;
      float any = 0.0F;
      for (std::ptrdiff_t k = 0; k < count; ++k) {
        const float x = static_cast<float>(sum[k] + drive[k]) * unit_;
        const float h = step.charge(membrane[k], x);
        const float s = step.spike(h);
        sum[k] = 0;
        membrane[k] = step.reset(h, s);
        spikes[static_cast<std::size_t>(k)] = s;
        any = std::max(any, s);
      }
      if (any == 0.0F) continue;
      for (std::ptrdiff_t k = 0; k < count; ++k) {
        if (spikes[static_cast<std::size_t>(k)] > 0.0F) fired(from + k);
      }
    }
  }

  neurons::LifParams params_;
  float unit_;
  std::vector<float> drive_;    ///< current of a tick in which nothing arrives
  std::vector<double> target_;  ///< membrane after endless such ticks
  std::vector<std::int32_t> whole_drive_;
  double threshold_ = 0.0;  ///< a little below the true one
  double log_decay_ = 0.0;
  bool any_driven_ = false;  ///< of any neuron beyond the threshold
  bool rests_ = false;       ///< without input, no membrane moves
};

}  // namespace synfire::network
