#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "neurons/adlif.hpp"
#include "tests/reference/lif_reference.hpp"

namespace synfire::test {

/// alpha, beta, a, b of every channel.
using AdlifValues = std::array<std::vector<double>, 4>;

struct AdlifReference {
  std::vector<double> h, s, w, grad_x;
  AdlifValues gradients;
};

/// Slow loops in double, neuron by neuron: every number of the forward pass is stored, and the way back follows the
/// chain rule over the edges of the graph, one statement an edge.
/// \param fixed_resets  spikes that the reset uses instead of its own; the reset is then a constant
inline AdlifReference adlif_reference(const LifInput<double>& input, const AdlifValues& values,
                                      const neurons::AdlifConfig& config, bool smooth,
                                      const std::vector<double>* fixed_resets = nullptr) {
  const auto num_ticks = static_cast<std::size_t>(input.shape[0]);
  const auto num_neurons = static_cast<std::size_t>(input.shape.size_from(1));
  const auto num_channels = static_cast<std::size_t>(input.shape.channels());
  const auto size = static_cast<std::size_t>(input.shape.size());
  const bool symplectic = config.integration == neurons::Integration::symplectic;
  const double q = config.adaptation;
  AdlifReference r;
  r.h.resize(size), r.s.resize(size), r.w.resize(size), r.grad_x.resize(size);
  for (auto& gradient : r.gradients) gradient.resize(num_channels);
  std::vector<double> u(size), reset(size);
  for (std::size_t n = 0; n < num_neurons; ++n) {
    const std::size_t c = n % num_channels;
    const double alpha = values[0][c], beta = values[1][c], a = values[2][c], b = values[3][c];
    const auto at = [&](std::size_t t) { return t * num_neurons + n; };
    const auto or_zero = [&](const std::vector<double>& of, std::size_t t) { return t == 0 ? 0.0 : of[at(t - 1)]; };
    for (std::size_t t = 0; t < num_ticks; ++t) {
      const std::size_t i = at(t);
      r.h[i] = alpha * or_zero(u, t) + (1.0 - alpha) * (input.y[i] - or_zero(r.w, t));
      r.s[i] =
          smooth ? reference_primitive(config.surrogate, r.h[i] - config.v_th) : (r.h[i] >= config.v_th ? 1.0 : 0.0);
      reset[i] = fixed_resets != nullptr ? (*fixed_resets)[i] : r.s[i];
      u[i] = r.h[i] * (1.0 - reset[i]);
      const double seen = symplectic ? a * u[i] + b * r.s[i] : a * or_zero(u, t) + b * or_zero(r.s, t);
      r.w[i] = beta * or_zero(r.w, t) + (1.0 - beta) * q * seen;
    }
    std::vector<double> of_u(num_ticks), of_s(num_ticks), of_w(num_ticks);
    for (std::size_t t = num_ticks; t-- > 0;) {
      const std::size_t i = at(t);
      // w[t] is complete: it was read by ticks after t only. What it saw comes first with the forward rule's tick t
      // - 1.
      const double drive = (1.0 - beta) * q * of_w[t];
      const double seen_u = symplectic ? u[i] : or_zero(u, t), seen_s = symplectic ? r.s[i] : or_zero(r.s, t);
      r.gradients[1][c] += of_w[t] * (or_zero(r.w, t) - q * (a * seen_u + b * seen_s));
      r.gradients[2][c] += drive * seen_u;
      r.gradients[3][c] += drive * seen_s;
      if (t > 0) of_w[t - 1] += beta * of_w[t];
      if (symplectic || t > 0) {
        of_u[symplectic ? t : t - 1] += drive * a;
        of_s[symplectic ? t : t - 1] += drive * b;
      }
      double of_h = of_u[t] * (1.0 - reset[i]);
      of_s[t] += input.grad_spikes[i] - (config.detach_reset ? 0.0 : of_u[t] * r.h[i]);
      of_h += of_s[t] * reference_derivative(config.surrogate, r.h[i] - config.v_th);
      r.gradients[0][c] += of_h * (or_zero(u, t) - input.y[i] + or_zero(r.w, t));
      r.grad_x[i] = (1.0 - alpha) * of_h;
      if (t == 0) continue;
      of_u[t - 1] += alpha * of_h;
      of_w[t - 1] -= (1.0 - alpha) * of_h;
    }
  }
  return r;
}

}  // namespace synfire::test
