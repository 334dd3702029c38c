#pragma once

#include "neurons/membrane_course.hpp"

namespace synfire::neurons {

/// A leaky integrate-and-fire neuron in continuous time:
///
///     C v' = -(C / tau_mem) (v - v_rest) + i + drive,      i' = -i / tau_syn
///
/// An arrival of weight w adds w to the current i, or with tau_syn = 0 (delta synapses) to v itself. v >= v_th fires;
/// then v = v_reset for t_ref. In any consistent units, such as mV, pF and pA, with times in milliseconds.
struct ExactLifConfig {
  double tau_mem_ms = 10.0;
  double tau_syn_ms = 0.0;
  double capacitance = 1.0;
  double v_rest = 0.0;
  double v_th = 1.0;
  double v_reset = 0.0;
  double drive = 0.0;
  double t_ref_ms = 0.0;
};

struct ExactLifState {
  double v = 0.0;
  double i = 0.0;
};

/// What a neuron does between arrivals, without refractoriness, which is the business of who runs it.
class ExactLif {
 public:
  /// \throws ConfigError if a time or the capacitance is not positive (tau_syn and t_ref may be 0), a value is not
  /// finite, or v_reset >= v_th
  explicit ExactLif(const ExactLifConfig& config);

  const ExactLifConfig& config() const { return config_; }
  /// Where the drive alone takes the membrane.
  double v_inf() const { return v_inf_; }
  /// Largest potential that a current of 1 causes from rest; 0 for delta synapses.
  double psp_peak() const { return psp_peak_; }

  /// The state after dt_ms >= 0.
  ExactLifState advance(const ExactLifState& state, double dt_ms) const;
  /// Only the current moves on, as in a refractory neuron.
  double advance_current(double i, double dt_ms) const;
  /// False if v stays below v_th without any arrival, by a bound that costs no exponential. True says nothing.
  bool could_cross(const ExactLifState& state) const;
  /// When v first is >= v_th without any arrival; 0 if it is, kNoCrossing if it never will be.
  double first_crossing_ms(const ExactLifState& state) const;

 private:
  MembraneCourse course_of(const ExactLifState& state) const {
    return {config_.tau_mem_ms, config_.tau_syn_ms, state.v - v_inf_, state.i / config_.capacitance};
  }

  ExactLifConfig config_;
  double v_inf_;
  double psp_peak_;
};

}  // namespace synfire::neurons
