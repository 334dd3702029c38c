#include "neurons/exact_lif.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire::neurons {
namespace {

void require(bool holds, const char* key, const char* what, double value) {
  if (!holds || !std::isfinite(value)) throw ConfigError("", 0, key, fmt::format("must be {}, got {}", what, value));
}

const ExactLifConfig& checked(const ExactLifConfig& config) {
  // No physical time is longer or shorter, and rates, their differences and their products stay normal numbers.
  constexpr double kShortest = 1e-9, kLongest = 1e12;
  require(config.tau_mem_ms >= kShortest && config.tau_mem_ms <= kLongest, "tau_mem_ms", "1e-9 to 1e12",
          config.tau_mem_ms);
  require(config.tau_syn_ms == 0.0 || (config.tau_syn_ms >= kShortest && config.tau_syn_ms <= kLongest), "tau_syn_ms",
          "0 (delta synapses) or 1e-9 to 1e12", config.tau_syn_ms);
  require(config.capacitance > 0.0, "capacitance", "positive", config.capacitance);
  require(config.t_ref_ms >= 0.0 && config.t_ref_ms <= kLongest, "t_ref_ms", "0 to 1e12", config.t_ref_ms);
  require(true, "v_rest", "finite", config.v_rest);
  require(true, "v_th", "finite", config.v_th);
  require(true, "drive", "finite", config.drive);
  require(config.v_reset < config.v_th, "v_reset", "finite and below v_th", config.v_reset);
  return config;
}

}  // namespace

ExactLif::ExactLif(const ExactLifConfig& config)
    : config_(checked(config)),
      v_inf_(config.v_rest + config.drive * config.tau_mem_ms / config.capacitance),
      psp_peak_(0.0) {
  if (config.tau_syn_ms > 0.0) {
    const double peak_ms = synaptic_kernel_peak_ms(config.tau_mem_ms, config.tau_syn_ms);
    psp_peak_ = synaptic_kernel_ms(peak_ms, config.tau_mem_ms, config.tau_syn_ms) / config.capacitance;
  }
}

ExactLifState ExactLif::advance(const ExactLifState& state, double dt_ms) const {
  // By the change, not by the value: a membrane near a far v_inf keeps its digits over short times.
  double v = state.v + std::expm1(-dt_ms / config_.tau_mem_ms) * (state.v - v_inf_);
  if (state.i == 0.0) return {v, 0.0};
  v += state.i / config_.capacitance * synaptic_kernel_ms(dt_ms, config_.tau_mem_ms, config_.tau_syn_ms);
  return {v, advance_current(state.i, dt_ms)};
}

double ExactLif::advance_current(double i, double dt_ms) const {
  return i == 0.0 ? 0.0 : i * std::exp(-dt_ms / config_.tau_syn_ms);
}

bool ExactLif::could_cross(const ExactLifState& state) const {
  // The bound is exact to a few roundings, so it must be missed by more than they are.
  constexpr double kRounding = 0x1p-40;
  const double bound = std::max(state.v, v_inf_) + std::max(0.0, state.i) * psp_peak_;
  return bound >= config_.v_th - kRounding * (std::abs(config_.v_th) + std::abs(v_inf_));
}

double ExactLif::first_crossing_ms(const ExactLifState& state) const {
  if (state.v >= config_.v_th) return 0.0;
  if (!could_cross(state)) return kNoCrossing;
  return neurons::first_crossing_ms(course_of(state), config_.v_th - v_inf_);
}

}  // namespace synfire::neurons
