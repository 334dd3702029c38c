#pragma once

#include <cstddef>
#include <span>

#include "core/tensor.hpp"

namespace synfire::synapses {

/// Batch norm over time, batch and space, as an affine map per channel: x = scale[c] y + shift[c] with
/// scale = gamma / sqrt(var + eps), shift = beta - mean scale. The neuron (or affine_forward) applies it, so the
/// normalised values need no memory of their own; dL/dscale and dL/dshift are all that comes back.
struct BatchNormConfig {
  double eps = 1e-5;
  double momentum = 0.1;
};

/// What a channel's affine map was made of; [C] each, kept for the backward pass.
template <class Scalar>
struct BatchNormBatch {
  View<Scalar> mean;
  View<Scalar> inverse_std;  ///< 1 / sqrt(var + eps), biased variance
};

/// Training: statistics of y over all axes but the last, in double and in a fixed order; moves the running averages
/// (unbiased variance, n/(n-1), as PyTorch does).
/// \throws ShapeError for fewer than two values a channel
template <class Scalar>
void batch_norm_train(View<const Scalar> y, View<const Scalar> gamma, View<const Scalar> beta,
                      const BatchNormConfig& config, View<Scalar> running_mean, View<Scalar> running_var,
                      const BatchNormBatch<Scalar>& batch, View<Scalar> scale, View<Scalar> shift,
                      std::span<std::byte> scratch);

/// Evaluation: the affine map of the running averages.
template <class Scalar>
void batch_norm_eval(View<const Scalar> gamma, View<const Scalar> beta, View<const Scalar> running_mean,
                     View<const Scalar> running_var, const BatchNormConfig& config, View<Scalar> scale,
                     View<Scalar> shift);

/// From the gradients of scale and shift and of x = scale y + shift to those of gamma, beta and y. With n values a
/// channel, dvar and dmean follow from scale and shift in closed form (docs/numerics.md), and
///     dL/dy = scale dL/dx + a[c] y + b[c].
/// \param grad_x  [.., C] dL/dx; overwritten with dL/dy (same memory allowed for grad_y)
template <class Scalar>
void batch_norm_backward(View<const Scalar> y, View<const Scalar> gamma, const BatchNormBatch<Scalar>& batch,
                         View<const Scalar> scale, View<const Scalar> grad_scale, View<const Scalar> grad_shift,
                         View<const Scalar> grad_x, View<Scalar> grad_gamma, View<Scalar> grad_beta,
                         View<Scalar> grad_y);

/// x = scale[c] y + shift[c], where no neuron follows that would do it on the fly. x may be y.
template <class Scalar>
void affine_forward(View<const Scalar> y, View<const Scalar> scale, View<const Scalar> shift, View<Scalar> x);

/// grad_scale[c] = sum dL/dx y, grad_shift[c] = sum dL/dx, in double and in a fixed order.
template <class Scalar>
void affine_grad(View<const Scalar> y, View<const Scalar> grad_x, View<Scalar> grad_scale, View<Scalar> grad_shift,
                 std::span<std::byte> scratch);

/// Bytes of scratch that batch_norm_train and affine_grad need for C channels.
std::size_t batch_norm_scratch_bytes(std::ptrdiff_t num_channels);

}  // namespace synfire::synapses
