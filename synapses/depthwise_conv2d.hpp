#pragma once

#include <cstddef>
#include <span>

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// Every channel filtered by itself, to images of the same size:
///
///     y[f, i, j, c] = bias[c] + sum_{a, b} w[c, 0, a, b] x[f, i + a - K / 2, j + b - K / 2, c]
///
/// for F = T B frames, with zeros outside. The kernel is K by K, K = 1, 3, 5 or 7.
///
/// \param x     [F..., H, W, C]: real values or spikes
/// \param w     [C, 1, K, K], the order of PyTorch
/// \param bias  [C] or empty
/// \param y     [F..., H, W, C] out
/// \param scratch  at least depthwise_conv2d_scratch_bytes(...); no other memory is allocated
/// \throws ShapeError if the shapes do not fit or K is none of these
template <class Scalar>
void depthwise_conv2d_forward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> bias, View<Scalar> y,
                              std::span<std::byte> scratch);

/// Gradients of depthwise_conv2d_forward; sums over frames are in double. Overwrites its outputs.
/// \param grad_bias, grad_x  empty if not wanted
template <class Scalar>
void depthwise_conv2d_backward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> grad_y,
                               View<Scalar> grad_w, View<Scalar> grad_bias, View<Scalar> grad_x,
                               std::span<std::byte> scratch);

/// Bytes of scratch that either pass needs for frames of `image` = [H, W, C].
template <class Scalar>
std::size_t depthwise_conv2d_scratch_bytes(const Shape& image, int kernel);

}  // namespace synfire::synapses
