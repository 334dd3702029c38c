#pragma once

#include <cmath>

#include "neurons/lif.hpp"

/// A LIF layer that learns its time constant: one number w per layer, whose sigmoid is the leak of a tick [Fang2021].
///
///     leak = sigmoid(w),   decay = 1 - leak,   gain = leak if decay_input, else 1
///
/// With Decay::euler the leak is dt/tau, so w = -ln(tau/dt - 1). tau stays above one tick whatever w becomes.
namespace synfire::neurons {

/// w of the layer as it is configured. lif_params has checked that the leak lies between 0 and 1 (learn_tau).
inline double leak_logit(const LifParams& params) { return std::log((1.0 - params.decay) / params.decay); }

/// `params` with the decay and gain of w.
inline LifParams with_leak_logit(LifParams params, bool decay_input, double w) {
  const double leak = 1.0 / (1.0 + std::exp(-w));
  params.decay = 1.0 / (1.0 + std::exp(w));
  params.gain = decay_input ? leak : 1.0;
  return params;
}

/// dL/dw, from what lif_backward gives for `params`, which are those of w.
inline double leak_logit_gradient(const LifParams& params, bool decay_input, double grad_decay, double grad_gain) {
  const double grad_leak = decay_input ? grad_gain - grad_decay : -grad_decay;
  return grad_leak * params.decay * (1.0 - params.decay);
}

}  // namespace synfire::neurons
