#pragma once

#include <cstdint>

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// y = a b, element by element: a gate. All of one shape.
template <class Scalar>
void multiply_forward(const Signal<Scalar>& a, const Signal<Scalar>& b, View<Scalar> y);

/// The same for two inputs that are spikes: both or none.
void multiply_spikes(View<const std::uint8_t> a, View<const std::uint8_t> b, View<std::uint8_t> y);

/// dL/da = dL/dy b, dL/db = dL/dy a. Either may be empty if not wanted, and grad_a may be the memory of grad_y.
template <class Scalar>
void multiply_backward(const Signal<Scalar>& a, const Signal<Scalar>& b, View<const Scalar> grad_y, View<Scalar> grad_a,
                       View<Scalar> grad_b);

}  // namespace synfire::synapses
