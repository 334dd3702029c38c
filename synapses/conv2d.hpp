#pragma once

#include <cstddef>
#include <span>

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// Square stride and zero padding; cross-correlation, as in every deep-learning library.
struct Conv2dGeometry {
  int in_channels = 0;
  int out_channels = 0;
  int kernel_h = 3;
  int kernel_w = 3;
  int stride = 1;
  int padding = 0;

  int out_extent(int in_extent, int kernel) const { return (in_extent + 2 * padding - kernel) / stride + 1; }
};

/// y[f, i, j, o] = b[o] + sum_{a, b, c} w[o, c, a, b] x[f, i stride + a - padding, j stride + b - padding, c]
/// for F = T B frames, channels last. Scatters the weights around the elements of x that are not zero where they are
/// few, and multiplies densely where they are many, by the measured density.
///
/// \param x     [F..., H, W, Ci]: real values or spikes
/// \param w     [Co, Ci, Kh, Kw], the order of PyTorch and NIR
/// \param bias  [Co] or empty
/// \param y     [F..., H', W', Co] out
/// \param scratch  at least conv2d_scratch_bytes(...); no other memory is allocated
template <class Scalar>
void conv2d_forward(const Signal<Scalar>& x, const Conv2dGeometry& geometry, View<const Scalar> w,
                    View<const Scalar> bias, View<Scalar> y, std::span<std::byte> scratch);

/// Gradients of conv2d_forward; dL/dw is sparse in x, dL/dx dense. Overwrites its outputs.
/// \param grad_bias, grad_x  empty if not wanted
template <class Scalar>
void conv2d_backward(const Signal<Scalar>& x, const Conv2dGeometry& geometry, View<const Scalar> w,
                     View<const Scalar> grad_y, View<Scalar> grad_w, View<Scalar> grad_bias, View<Scalar> grad_x,
                     std::span<std::byte> scratch);

/// Bytes of scratch that either pass needs for input frames of `in` = [H, W, Ci]. Fixed, not a function of the number
/// of threads.
template <class Scalar>
std::size_t conv2d_scratch_bytes(const Conv2dGeometry& geometry, std::ptrdiff_t num_frames, const Shape& in);

}  // namespace synfire::synapses
