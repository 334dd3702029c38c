#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "neurons/lif.hpp"
#include "tests/neurons/lif_run.hpp"

namespace synfire::test {

/// Slow loops in double after docs/numerics.md, neuron by neuron; they share nothing with the product but its types.
struct LifReference {
  std::vector<double> h, s, grad_x;
  std::vector<double> grad_scale, grad_shift;
  double grad_decay = 0.0, grad_gain = 0.0;
};

inline double reference_primitive(const neurons::Surrogate& surrogate, double u) {
  const double pi = std::acos(-1.0);
  const double a = surrogate.alpha;
  switch (surrogate.kind) {
    case neurons::SurrogateKind::atan:
      return std::atan(pi * a * u / 2.0) / pi + 0.5;
    case neurons::SurrogateKind::sigmoid:
      return 0.5 * (1.0 + std::tanh(a * u / 2.0));
    case neurons::SurrogateKind::fast_sigmoid:
      return u / (1.0 + a * std::abs(u));
    case neurons::SurrogateKind::triangular:
      if (std::abs(a * u) >= 1.0) return u < 0.0 ? 0.0 : 1.0;
      return 0.5 + a * u - 0.5 * a * u * std::abs(a * u);
    case neurons::SurrogateKind::exponential:
      return 0.5 + std::copysign(std::expm1(-a * std::abs(u)) / a, u);
  }
  return NAN;
}

inline double reference_derivative(const neurons::Surrogate& surrogate, double u) {
  const double pi = std::acos(-1.0);
  const double a = surrogate.alpha;
  switch (surrogate.kind) {
    case neurons::SurrogateKind::atan:
      return 2.0 * a / (4.0 + std::pow(pi * a * u, 2));
    case neurons::SurrogateKind::sigmoid:
      return a / (2.0 + 2.0 * std::cosh(a * u));
    case neurons::SurrogateKind::fast_sigmoid:
      return std::pow(1.0 + a * std::abs(u), -2);
    case neurons::SurrogateKind::triangular:
      return a * std::fmax(0.0, 1.0 - a * std::abs(u));
    case neurons::SurrogateKind::exponential:
      return std::exp(-a * std::abs(u));
  }
  return NAN;
}

/// \param fixed_resets  spikes [T, ...] that the reset uses instead of its own; the reset is then a constant
inline LifReference lif_reference(const LifInput<double>& input, const neurons::LifParams& p, bool smooth,
                                  const std::vector<double>* fixed_resets = nullptr) {
  const std::ptrdiff_t num_ticks = input.shape[0];
  const std::ptrdiff_t num_neurons = input.shape.size_from(1);
  const std::ptrdiff_t num_channels = input.shape.channels();
  LifReference r;
  const auto size = static_cast<std::size_t>(input.shape.size());
  std::vector<double> v(size);
  r.h.resize(size), r.s.resize(size), r.grad_x.resize(size);
  r.grad_scale.resize(static_cast<std::size_t>(num_channels)), r.grad_shift.resize(r.grad_scale.size());
  for (std::ptrdiff_t n = 0; n < num_neurons; ++n) {
    const auto c = static_cast<std::size_t>(n % num_channels);
    double last_v = p.hard_reset ? p.v_reset : 0.0;
    for (std::ptrdiff_t t = 0; t < num_ticks; ++t) {
      const auto i = static_cast<std::size_t>(t * num_neurons + n);
      const double x = input.scale.empty() ? input.y[i] : input.scale[c] * input.y[i] + input.shift[c];
      const double rest = p.hard_reset ? p.v_reset : 0.0;
      r.h[i] = rest + p.decay * (last_v - rest) + p.gain * x;
      r.s[i] = smooth ? reference_primitive(p.surrogate, r.h[i] - p.v_th) : (r.h[i] >= p.v_th ? 1.0 : 0.0);
      const double reset = fixed_resets != nullptr ? (*fixed_resets)[i] : r.s[i];
      last_v = p.hard_reset ? reset * p.v_reset + (1.0 - reset) * r.h[i] : r.h[i] - p.v_th * reset;
      v[i] = last_v;
    }
    double d = 0.0;  // dL/dv[t]
    for (std::ptrdiff_t t = num_ticks - 1; t >= 0; --t) {
      const auto i = static_cast<std::size_t>(t * num_neurons + n);
      const double dv_dh = p.hard_reset ? 1.0 - r.s[i] : 1.0;
      const double dv_ds = p.detach_reset ? 0.0 : (p.hard_reset ? p.v_reset - r.h[i] : -p.v_th);
      const double ds_dh = reference_derivative(p.surrogate, r.h[i] - p.v_th);
      const double dl_dh = d * dv_dh + (input.grad_spikes[i] + d * dv_ds) * ds_dh;
      r.grad_x[i] = p.gain * dl_dh;
      r.grad_scale[c] += r.grad_x[i] * input.y[i];
      r.grad_shift[c] += r.grad_x[i];
      const double rest = p.hard_reset ? p.v_reset : 0.0;
      const double before = t == 0 ? rest : v[i - static_cast<std::size_t>(num_neurons)];
      r.grad_decay += dl_dh * (before - rest);
      r.grad_gain += dl_dh * (input.scale.empty() ? input.y[i] : input.scale[c] * input.y[i] + input.shift[c]);
      d = p.decay * dl_dh;
    }
  }
  return r;
}

/// All combinations of surrogate, reset and detaching, with numbers that no formula simplifies.
inline std::vector<neurons::LifParams> all_lif_params() {
  using neurons::SurrogateKind;
  std::vector<neurons::LifParams> all;
  for (const auto& [kind, alpha] :
       {std::pair{SurrogateKind::atan, 2.0}, std::pair{SurrogateKind::sigmoid, 3.0},
        std::pair{SurrogateKind::fast_sigmoid, 5.0}, std::pair{SurrogateKind::triangular, 0.7},
        std::pair{SurrogateKind::exponential, 2.0}}) {
    for (const bool hard : {true, false}) {
      for (const bool detach : {true, false}) {
        neurons::LifConfig config;
        config.tau_mem_ms = 3.0;
        config.v_th = 0.9;
        config.v_reset = hard ? std::optional(0.1) : std::nullopt;
        config.detach_reset = detach;
        config.decay_input = hard == detach;
        config.surrogate = {kind, alpha};
        all.push_back(neurons::lif_params(config, 1.0));
      }
    }
  }
  return all;
}

}  // namespace synfire::test
