#pragma once

#include "core/random.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// y[t, b, ...] = x[t, b, ...] m[b], m in {0, 1/(1-p)}: a sample loses the branch as a whole, for all its ticks
/// [Huang2016]. m[b] is drawn from `random` at element b, so the backward pass draws it again.
///
/// \param x  [T, B, ...]: real values or spikes
template <class Scalar>
void drop_path_forward(const Signal<Scalar>& x, double p, const RandomStream& random, View<Scalar> y);

/// dL/dx = dL/dy m. `grad_y` and `grad_x` may be the same memory.
template <class Scalar>
void drop_path_backward(View<const Scalar> grad_y, double p, const RandomStream& random, View<Scalar> grad_x);

}  // namespace synfire::synapses
