#pragma once

#include <cstdint>

#include "core/random.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// y[t, b, ...] = x[t, b, ...] m[b, ...], m in {0, 1/(1-p)}: one mask a sample, held over all ticks, drawn from
/// `random` at element index b N + n, so the backward pass draws the same mask again and nothing is kept.
///
/// \param x  [T, B, ...]: real values or spikes
/// \param y  [T, B, ...] out
template <class Scalar>
void dropout_forward(const Signal<Scalar>& x, double p, const RandomStream& random, View<Scalar> y);

/// dL/dx = dL/dy m. `grad_y` and `grad_x` may be the same memory.
template <class Scalar>
void dropout_backward(View<const Scalar> grad_y, double p, const RandomStream& random, View<Scalar> grad_x);

}  // namespace synfire::synapses
