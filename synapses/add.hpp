#pragma once

#include <span>

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// y = sum of `inputs`, in their order: a residual connection. Real values also for spikes (two spikes make 2). Its
/// gradient is the gradient of y, for every input.
template <class Scalar>
void add_forward(std::span<const Signal<Scalar>> inputs, View<Scalar> y);

/// into += from: for a node whose output several others read, so that several gradients come back.
template <class Scalar>
void accumulate(View<const Scalar> from, View<Scalar> into);

}  // namespace synfire::synapses
