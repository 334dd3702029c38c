#pragma once

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// [F..., H, W, C] -> [F..., C H W], channels slowest: the order of PyTorch and NIR, so that the weights of a linear
/// map behind it can be exchanged.
template <class Scalar>
void flatten_forward(View<const Scalar> x, View<Scalar> y);

/// The way back for gradients. Overwrites grad_x.
template <class Scalar>
void flatten_backward(View<const Scalar> grad_y, View<Scalar> grad_x);

}  // namespace synfire::synapses
