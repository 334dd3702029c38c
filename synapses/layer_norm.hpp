#pragma once

#include <cstddef>
#include <span>

#include "core/tensor.hpp"

namespace synfire::synapses {

/// Mean and 1 / sqrt(var + eps) of each row, which the forward pass leaves for the backward pass.
template <class Scalar>
struct LayerNormRows {
  View<Scalar> mean;         ///< [F...]
  View<Scalar> inverse_std;  ///< [F...]
};

/// Every row of C channels by its own moments (of n, not n - 1) [Ba2016]:
///
///     y[f, c] = gamma[c] (x[f, c] - mean_c x[f]) / sqrt(var_c x[f] + eps) + beta[c]
///
/// \param x, y  [F..., C]
template <class Scalar>
void layer_norm_forward(View<const Scalar> x, View<const Scalar> gamma, View<const Scalar> beta, double eps,
                        const LayerNormRows<Scalar>& rows, View<Scalar> y);

/// Gradients of layer_norm_forward; sums over rows are in double and in a fixed order. Overwrites its outputs.
/// \param grad_x   may be the memory of grad_y; empty if not wanted
/// \param scratch  at least layer_norm_scratch_bytes(C)
template <class Scalar>
void layer_norm_backward(View<const Scalar> x, View<const Scalar> gamma, const LayerNormRows<Scalar>& rows,
                         View<const Scalar> grad_y, View<Scalar> grad_gamma, View<Scalar> grad_beta,
                         View<Scalar> grad_x, std::span<std::byte> scratch);

std::size_t layer_norm_scratch_bytes(std::ptrdiff_t num_channels);

}  // namespace synfire::synapses
