#pragma once

#include <cstddef>
#include <vector>

#include "neurons/cuba_lif.hpp"
#include "tests/reference/lif_reference.hpp"

namespace synfire::test {

struct CubaLifReference {
  std::vector<double> s, grad_x;
  double grad_syn_decay = 0.0, grad_decay = 0.0, grad_gain = 0.0;
};

/// The synaptic current as a sum over its past, then slow loops over LIF neurons that read it (lif_reference.hpp).
inline CubaLifReference cuba_lif_reference(const LifInput<double>& input, const neurons::CubaLifParams& p, bool smooth,
                                           const std::vector<double>* fixed_resets = nullptr) {
  const std::ptrdiff_t num_ticks = input.shape[0];
  const std::ptrdiff_t num_neurons = input.shape.size_from(1);
  LifInput<double> current = input;
  for (std::ptrdiff_t i = num_neurons; i < input.shape.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    current.y[at] += p.syn_decay * current.y[at - static_cast<std::size_t>(num_neurons)];
  }
  const LifReference lif = lif_reference(current, p.membrane, smooth, fixed_resets);
  CubaLifReference r{lif.s, lif.grad_x, 0.0, lif.grad_decay, lif.grad_gain};
  for (std::ptrdiff_t t = num_ticks - 2; t >= 0; --t) {
    for (std::ptrdiff_t n = 0; n < num_neurons; ++n) {
      const auto now = static_cast<std::size_t>(t * num_neurons + n);
      const auto later = now + static_cast<std::size_t>(num_neurons);
      r.grad_x[now] += p.syn_decay * r.grad_x[later];
      r.grad_syn_decay += r.grad_x[later] * current.y[now];
    }
  }
  return r;
}

}  // namespace synfire::test
