#pragma once

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// y[f, k] = mean of x[f, k group .. (k + 1) group): the voting layer of DVS128 Gesture networks.
///
/// \param x  [F..., K group]: real values or spikes
/// \param y  [F..., K] out
/// \throws ShapeError if `group` does not divide the channels
template <class Scalar>
void vote_forward(const Signal<Scalar>& x, int group, View<Scalar> y);

/// Every member of a group gets 1/group of its gradient. Overwrites grad_x.
template <class Scalar>
void vote_backward(View<const Scalar> grad_y, int group, View<Scalar> grad_x);

}  // namespace synfire::synapses
