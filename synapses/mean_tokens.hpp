#pragma once

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// y[f, c] = mean over the pixels of x[f, i, j, c], for F = T B frames.
///
/// \param x  [F..., H, W, C]: real values or spikes
/// \param y  [F..., C] out
template <class Scalar>
void mean_tokens_forward(const Signal<Scalar>& x, View<Scalar> y);

/// dL/dx[f, i, j, c] = dL/dy[f, c] / (H W)
template <class Scalar>
void mean_tokens_backward(View<const Scalar> grad_y, View<Scalar> grad_x);

}  // namespace synfire::synapses
