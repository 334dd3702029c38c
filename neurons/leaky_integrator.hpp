#pragma once

#include "core/tensor.hpp"

namespace synfire::neurons {

/// A readout without threshold: v[t] = decay v[t-1] + gain x[t], v[-1] = 0 (the LIF charge with v_th = infinity).
///
/// \param x  [T, ..., C] input current
/// \param v  [T, ..., C] out: membrane potential; may be the same memory as x
template <class Scalar>
void leaky_integrator_forward(View<const Scalar> x, double decay, double gain, View<Scalar> v);

/// lam[t] = f[t] + decay lam[t+1], dL/dx = gain lam, for f = dL/dv. `grad_v` and `grad_x` may be the same memory.
template <class Scalar>
void leaky_integrator_backward(View<const Scalar> grad_v, double decay, double gain, View<Scalar> grad_x);

}  // namespace synfire::neurons
