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
#include "network/neuron_state.hpp"
#include "network/silent_lanes.hpp"
#include "neurons/lif_step.hpp"
#include "neurons/silent_lif.hpp"

/// LIF neurons of the event engine that get over silent ticks in closed form. Private to the room.
namespace synfire::network {

/// A model of network/event_neurons.hpp. `last` is kept by neuron: a neuron is written only when something arrives at
/// it (its sum is not 0) or it fires. In all other ticks it is seen, in whatever engine, at its place on the same
/// course.
class LazyLif {
  template <class Use>
  auto with_course(const Use& use) const {
    if (!leaks_) return use(neurons::LeaklessSilence{course_.data()});
    return use(neurons::LeakySilence{course_.data(), powers_.data(), powers_.last(), log_decay_});
  }

 public:
  explicit LazyLif(const Population& population)
      : params_(population.params),
        constants_(params_),
        block_(population.block()),
        has_membrane_(population.has_membrane),
        unit_(static_cast<float>(std::ldexp(1.0, -population.shift))),
        whole_drive_(population.drive),
        course_(static_cast<std::size_t>(population.size())),
        powers_(constants_.decay) {
    whole_drive_.resize(course_.size());
    const double leak = 1.0 - static_cast<double>(constants_.decay);
    leaks_ = leak > 0.0;
    for (std::size_t n = 0; n < course_.size(); ++n) {
      const double drive = std::ldexp(static_cast<double>(whole_drive_[n]), -population.shift);
      const double pull = static_cast<double>(constants_.gain) * drive;
      course_[n] = static_cast<float>(leaks_ ? (params_.hard_reset ? params_.v_reset : 0.0) + pull / leak : pull);
    }
    log_decay_ = std::log(static_cast<double>(constants_.decay));
    any_driven_ = with_course([&](const auto& course) {
      for (std::ptrdiff_t n = 0; n < std::ssize(course_); ++n) {
        if (course.rises_to(constants_.v_fire, n)) return true;
      }
      return false;
    });
  }

  void prepare(std::int32_t num_ticks) {
    if (leaks_) powers_.extend(num_ticks);
  }

  void start(NeuronState& state) const {
    state.values.assign(course_.size(), constants_.v_reset);
    state.last.assign(course_.size(), -1);
  }

  template <class Fired>
  void tick(std::int32_t tick, std::int32_t block, NeuronState& state, std::int32_t* sums, EventCounts& counts,
            const Fired& fired) const {
    with_course([&](const auto& course) {
      if (params_.hard_reset) {
        step<Hard>(course, tick, block, state, sums, counts, fired);
      } else {
        step<Soft>(course, tick, block, state, sums, counts, fired);
      }
    });
    counts.neuron_updates += static_cast<std::uint64_t>(block_);
  }

  /// Exact. A membrane below the threshold that does not settle at or above it never gets there, rounding included: see
  /// docs/numerics.md.
  std::int32_t could_fire_in(std::int32_t tick, std::int32_t block, std::int32_t horizon, const NeuronState& state,
                             EventCounts& counts) const {
    const bool below = params_.hard_reset && constants_.v_reset < constants_.v_fire;
    if (below && !any_driven_) return kNever;
    return with_course([&](const auto& course) {
      std::int32_t wait = horizon + 1;
      for (std::ptrdiff_t n = block * block_; n < (block + 1) * block_ && wait > 1; ++n) {
        const float v = state.values[static_cast<std::size_t>(n)];
        if (v < constants_.v_fire && !course.rises_to(constants_.v_fire, n)) continue;
        wait = first_firing(course, v, n, tick - state.last[static_cast<std::size_t>(n)], wait, counts);
      }
      return wait > horizon ? kNever : wait;
    });
  }

  float charged(std::int32_t tick, std::size_t n, const NeuronState& state, std::int32_t sum) const {
    return with_course([&](const auto& course) {
      const float before = course.at(state.values[n], static_cast<std::ptrdiff_t>(n), tick - state.last[n]);
      return std::fma(constants_.gain, static_cast<float>(sum) * unit_, before);
    });
  }

  void read(std::int32_t tick, NeuronState& state, std::int32_t* sums, float* out, EventCounts& counts) const {
    for (std::size_t n = 0; n < course_.size(); ++n) {
      out[n] = has_membrane_ ? charged(tick, n, state, sums[n]) : static_cast<float>(sums[n] + whole_drive_[n]) * unit_;
      if (has_membrane_ && sums[n] != 0) {
        state.values[n] = out[n];
        state.last[n] = tick;
        ++counts.states_written;
      }
      sums[n] = 0;
    }
    counts.neuron_updates += course_.size();
  }

 private:
  using Hard = neurons::LifRule<neurons::SurrogateKind::atan, false, true, true>;
  using Soft = neurons::LifRule<neurons::SurrogateKind::atan, false, false, true>;

  /// Charge, fire, reset of a block; the sums are used up.
  template <class Rule, class Course, class Fired>
  void step(const Course& course, std::int32_t tick, std::int32_t block, NeuronState& state, std::int32_t* sums,
            EventCounts& counts, const Fired& fired) const {
    const LifLanes<Rule> lanes(constants_);
    const Float8 gain = constants_.gain - Float8{};
    const Int8 now = tick - Int8{};
    float* const v = state.values.data();
    std::int32_t* const last = state.last.data();
    std::uint64_t written = 0;
    const std::ptrdiff_t first = block * block_, end = first + block_, packed_end = end - block_ % 8;
    for (std::ptrdiff_t strip = first; strip < packed_end; strip += 64) {
      std::uint64_t fires = 0;  // a bit for each neuron of the strip
      for (std::ptrdiff_t n = strip; n < std::min(strip + 64, packed_end); n += 8) {
        const Float8 before = load_lanes(v + n);
        const Int8 since = load_sums(last + n), sum = load_sums(sums + n);
        Float8 h =
            fused(gain, __builtin_convertvector(sum, Float8) * unit_, silent_lanes(course, before, n, now - since));
        const Int8 touched = (sum != 0) | (h >= constants_.v_fire);
        const std::uint32_t touched_bits = lane_bits(touched);
        if (touched_bits == 0) continue;
        fires |= std::uint64_t{lanes.fire(h)} << static_cast<unsigned>(n - strip);
        store_lanes(touched ? h : before, v + n);
        const Int8 then = touched ? now : since;
        std::memcpy(last + n, &then, sizeof(then));
        std::memset(sums + n, 0, sizeof(sum));
        written += static_cast<std::uint64_t>(std::popcount(touched_bits));
      }
      for (; fires != 0; fires &= fires - 1) fired(strip + std::countr_zero(fires));
    }
    const neurons::LifStep<Rule, float> rule{constants_};
    for (std::ptrdiff_t n = packed_end; n < end; ++n) {
      const float h =
          std::fma(constants_.gain, static_cast<float>(sums[n]) * unit_, course.at(v[n], n, tick - last[n]));
      const float s = rule.spike(h);
      if (sums[n] == 0 && s == 0.0F) continue;
      v[n] = rule.reset(h, s);
      last[n] = tick;
      sums[n] = 0;
      ++written;
      if (s > 0.0F) fired(n);
    }
    counts.states_written += written;
  }

  /// In how many ticks neuron n fires by itself; `wait` if not before.
  /// \param age  ticks since v, in which it did not
  template <class Course>
  std::int32_t first_firing(const Course& course, float v, std::ptrdiff_t n, std::int32_t age, std::int32_t wait,
                            EventCounts& counts) const {
    const auto fires = [&](std::int32_t ticks) {
      ++counts.looks_evaluated;
      return course.at(v, n, ticks) >= constants_.v_fire;
    };
    // At once: above the threshold since a soft reset left it there. No formula for a rising membrane would see it.
    if (fires(age + 1)) return 1;
    if (!course.rises_to(constants_.v_fire, n) || wait <= 2 || !fires(age + wait - 1)) return wait;
    ++counts.looks_computed;
    const double proposed = course.crossing(v, n, neurons::rounds_up_to(constants_.v_fire));
    return neurons::first_reached(age + 1, age + wait - 1, proposed, fires) - age;
  }

  neurons::LifParams params_;
  neurons::LifConstants<float> constants_;
  std::ptrdiff_t block_;
  bool has_membrane_;
  float unit_;
  std::vector<std::int32_t> whole_drive_;
  std::vector<float> course_;  ///< where the membrane settles; without a leak, what a tick adds
  neurons::DecayPowers powers_;
  double log_decay_ = 0.0;
  bool leaks_ = true;
  bool any_driven_ = false;  ///< to the threshold
};

}  // namespace synfire::network
