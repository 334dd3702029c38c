#pragma once

#include <cstdint>

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

enum class Activation : std::uint8_t {
  silu,  ///< x / (1 + exp(-x))
  gelu   ///< x Phi(x), Phi the normal distribution function [Hendrycks2016]
};

/// y = f(x), element by element. In float, exp is within 2 units in the last place and Phi within 1e-7 of the true one
/// (docs/numerics.md); in double they are the standard library's.
template <class Scalar>
void activation_forward(Activation function, View<const Scalar> x, View<Scalar> y);

/// dL/dx = dL/dy f'(x). `grad_y` and `grad_x` may be the same memory.
template <class Scalar>
void activation_backward(Activation function, View<const Scalar> x, View<const Scalar> grad_y, View<Scalar> grad_x);

}  // namespace synfire::synapses
