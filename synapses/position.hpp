#pragma once

#include <cstddef>
#include <span>

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// y[t, b, n, c] = x[t, b, n, c] + space[n, c] + time[t, c]: learned tables of positions.
///
/// \param x      [T, B, H, W, C]: real values or spikes
/// \param space  [H, W, C] or empty
/// \param time   [at least T, C] or empty; rows beyond T are not read
template <class Scalar>
void position_forward(const Signal<Scalar>& x, View<const Scalar> space, View<const Scalar> time, View<Scalar> y);

/// Gradients of the tables, summed in double and in a fixed order; dL/dx is dL/dy. Rows of time beyond T get 0.
/// \param grad_y  [T, B, H, W, C]
/// \param grad_space, grad_time  empty if there is no such table
/// \param scratch  at least position_scratch_bytes(T, C)
template <class Scalar>
void position_backward(View<const Scalar> grad_y, View<Scalar> grad_space, View<Scalar> grad_time,
                       std::span<std::byte> scratch);

std::size_t position_scratch_bytes(std::ptrdiff_t num_ticks, std::ptrdiff_t num_channels);

}  // namespace synfire::synapses
