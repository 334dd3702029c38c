#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "network/event_program.hpp"
#include "network/event_runtime.hpp"
#include "network/lif_lanes.hpp"
#include "network/neuron_state.hpp"
#include "neurons/lif_step.hpp"

/// LIF neurons of the event engine that make the steps of the clocked one. Private to the room.
namespace synfire::network {

/// A model of network/event_neurons.hpp. The ticks that a block was not computed in are made up for when it is, one by
/// one. `last` is kept by block.
class SteppedLif {
 public:
  explicit SteppedLif(const Population& population)
      : params_(population.params),
        constants_(params_),
        block_(population.block()),
        has_membrane_(population.has_membrane),
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
    const bool driven = std::any_of(drive_.begin(), drive_.end(), [](float x) { return x != 0.0F; });
    rests_ = leak == 0.0 && !driven;
    decays_only_ = constants_.v_reset == 0.0F && !driven;
    log_decay_ = params_.decay > 0.0 ? std::log(static_cast<double>(static_cast<float>(params_.decay))) : -HUGE_VAL;
  }

  void prepare(std::int32_t) {}

  void start(NeuronState& state) const {
    state.values.assign(drive_.size(), static_cast<float>(params_.hard_reset ? params_.v_reset : 0.0));
    state.last.assign(drive_.size() / static_cast<std::size_t>(block_), -1);
  }

  template <class Fired>
  void tick(std::int32_t tick, std::int32_t block, NeuronState& state, std::int32_t* sums, EventCounts& counts,
            const Fired& fired) const {
    const std::ptrdiff_t first = block * block_;
    std::int32_t& last = state.last[static_cast<std::size_t>(block)];
    const std::int32_t missed = tick - last - 1;
    if (params_.hard_reset) {
      replay<Hard>(first, missed, state.values.data());
      step<Hard>(first, sums, state.values.data(), fired);
    } else {
      replay<Soft>(first, missed, state.values.data());
      step<Soft>(first, sums, state.values.data(), fired);
    }
    last = tick;
    counts.neuron_updates += static_cast<std::uint64_t>(block_);
    counts.replayed_ticks += static_cast<std::uint64_t>(block_) * static_cast<std::uint64_t>(missed);
  }

  /// Never too late: the crossing is that of a threshold that is lower by more than all rounding.
  std::int32_t could_fire_in(std::int32_t, std::int32_t block, std::int32_t horizon, NeuronState& state,
                             EventCounts& counts) const {
    // Below the threshold, as a hard reset leaves every membrane, only a drive can bring it there.
    if (params_.hard_reset && !any_driven_) return kNever;
    double earliest = HUGE_VAL;
    for (std::ptrdiff_t n = block * block_; n < (block + 1) * block_; ++n) {
      const auto k = static_cast<std::size_t>(n);
      const auto now = static_cast<double>(state.values[k]), to = target_[k];
      if (to <= threshold_ && params_.hard_reset) continue;
      if (now >= threshold_) return 1;
      if (to <= threshold_) continue;
      ++counts.looks_computed;
      if (std::isinf(to)) {
        const double pull = static_cast<double>(static_cast<float>(params_.gain)) * static_cast<double>(drive_[k]);
        earliest = std::min(earliest, (threshold_ - now) / pull);
      } else {
        earliest = std::min(earliest, std::log((to - threshold_) / (to - now)) / log_decay_);
      }
    }
    if (earliest > static_cast<double>(horizon)) return kNever;
    return std::max<std::int32_t>(1, static_cast<std::int32_t>(std::floor(earliest * kEarlier)));
  }

  float charged(std::int32_t, std::size_t n, const NeuronState& state, std::int32_t sum) const {
    return charge_of<Hard>().charge(state.values[n], current(sum, n));
  }

  void read(std::int32_t, NeuronState& state, std::int32_t* sums, float* out, EventCounts& counts) const {
    for (std::size_t n = 0; n < state.values.size(); ++n) {
      out[n] = has_membrane_ ? charged(0, n, state, sums[n]) : current(sums[n], n);
      state.values[n] = out[n];
      sums[n] = 0;
    }
    counts.neuron_updates += state.values.size();
  }

 private:
  using Hard = neurons::LifRule<neurons::SurrogateKind::atan, false, true, true>;
  using Soft = neurons::LifRule<neurons::SurrogateKind::atan, false, false, true>;
  /// For sums without a leak, whose errors grow with their number.
  static constexpr double kEarlier = 0.999;

  template <class Rule>
  neurons::LifStep<Rule, float> charge_of() const {
    return {constants_};
  }

  /// x of neuron n from the sum of its weights: one rounding, of a sum that is exact.
  float current(std::int32_t sum, std::size_t n) const {
    return static_cast<float>(sum + (whole_drive_.empty() ? 0 : whole_drive_[n])) * unit_;
  }

  /// Takes a block through `ticks` ticks in which nothing arrives and none of its neurons fires.
  template <class Rule>
  void replay(std::ptrdiff_t first, std::int32_t ticks, float* v) const {
    if (rests_ || ticks == 0) return;
    const LifLanes<Rule> lanes(constants_);
    const float* const drive = drive_.data();
    std::ptrdiff_t n = first;
    const std::ptrdiff_t end = first + block_;
    for (; n + 16 <= end; n += 16) {
      Float8 low = load_lanes(v + n), high = load_lanes(v + n + 8);
      if (decays_only_) {
        for (std::int32_t k = 0; k < ticks; ++k) {
          low *= constants_.decay;
          high *= constants_.decay;
        }
      } else {
        const Float8 low_drive = load_lanes(drive + n), high_drive = load_lanes(drive + n + 8);
        for (std::int32_t k = 0; k < ticks; ++k) {
          low = lanes.charge(low, low_drive);
          high = lanes.charge(high, high_drive);
        }
      }
      store_lanes(low, v + n);
      store_lanes(high, v + n + 8);
    }
    const neurons::LifStep<Rule, float> rule = charge_of<Rule>();
    for (; n < end; ++n) {
      for (std::int32_t k = 0; k < ticks; ++k) v[n] = rule.charge(v[n], drive[n]);
    }
  }

  /// Charge, fire, reset of a block; the sums are used up.
  template <class Rule, class Fired>
  void step(std::ptrdiff_t first, std::int32_t* sums, float* v, const Fired& fired) const {
    const LifLanes<Rule> lanes(constants_);
    const std::int32_t* const drive = whole_drive_.data();
    const std::ptrdiff_t end = first + block_, packed_end = end - block_ % 8;
    for (std::ptrdiff_t strip = first; strip < packed_end; strip += 64) {
      std::uint64_t fires = 0;  // a bit for each neuron of the strip
      for (std::ptrdiff_t n = strip; n < std::min(strip + 64, packed_end); n += 8) {
        const Int8 sum = load_sums(sums + n) + load_sums(drive + n);
        Float8 h = lanes.charge(load_lanes(v + n), __builtin_convertvector(sum, Float8) * unit_);
        std::memset(sums + n, 0, sizeof(sum));
        fires |= std::uint64_t{lanes.fire(h)} << static_cast<unsigned>(n - strip);
        store_lanes(h, v + n);
      }
      for (; fires != 0; fires &= fires - 1) fired(strip + std::countr_zero(fires));
    }
    const neurons::LifStep<Rule, float> rule = charge_of<Rule>();
    for (std::ptrdiff_t n = packed_end; n < end; ++n) {
      const float h = rule.charge(v[n], current(sums[n], static_cast<std::size_t>(n)));
      const float s = rule.spike(h);
      sums[n] = 0;
      v[n] = rule.reset(h, s);
      if (s > 0.0F) fired(n);
    }
  }

  neurons::LifParams params_;
  neurons::LifConstants<float> constants_;
  std::ptrdiff_t block_;
  bool has_membrane_;
  float unit_;
  std::vector<float> drive_;    ///< current of a tick in which nothing arrives
  std::vector<double> target_;  ///< membrane after endless such ticks
  std::vector<std::int32_t> whole_drive_;
  double threshold_ = 0.0;  ///< a little below the true one
  double log_decay_ = 0.0;
  bool any_driven_ = false;   ///< of any neuron beyond the threshold
  bool rests_ = false;        ///< without input, no membrane moves
  bool decays_only_ = false;  ///< without input, a tick multiplies by the decay
};

}  // namespace synfire::network
