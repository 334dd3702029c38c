#pragma once

#include "core/tensor.hpp"

namespace synfire::synapses {

/// [F..., H, W, C] -> [F..., C H W], channels slowest: the order of PyTorch and NIR, so that the weights of a linear
/// map behind it can be exchanged. T is float, double or, for spikes, std::uint8_t.
template <class T>
void flatten_forward(View<const T> x, View<T> y);

/// The way back for gradients (float, double). Overwrites grad_x.
template <class T>
void flatten_backward(View<const T> grad_y, View<T> grad_x);

}  // namespace synfire::synapses
