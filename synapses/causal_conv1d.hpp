#pragma once

#include <cstddef>
#include <span>

#include "core/sequences.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

inline constexpr std::ptrdiff_t kMaxConvTaps = 64;

/// A convolution of each channel with itself along a sequence, that sees what came before only:
///
///     y[l, e] = bias[e] + sum_{k < K} w[e, k] x[l - (K - 1) + k, e],      x = 0 before the first token
///
/// Signals are [T, B, H, W, E] or [T, B, E]; core/sequences.hpp says which tokens make a sequence. Host memory.
///
/// \param w     [E, K]; tap K - 1 meets the present token
/// \param bias  [E] or empty
/// \param y     like x, out
/// \throws ShapeError if shapes do not fit; BackendError on a GPU. Empty input is fine.
template <class Scalar>
void causal_conv1d_forward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> bias, SequenceOrder order,
                           View<Scalar> y, std::span<std::byte> scratch);

/// dL/dw[e, k] = sum_l dL/dy[l] x[l - (K - 1) + k], dL/dbias = sum_l dL/dy[l], dL/dx[l] = sum_k w[e, k]
/// dL/dy[l + (K - 1) - k]. Sums are in an order that depends on shapes only. Overwrites its outputs.
/// \param grad_x  empty if not wanted; other memory than grad_y
template <class Scalar>
void causal_conv1d_backward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> grad_y,
                            SequenceOrder order, View<Scalar> grad_w, View<Scalar> grad_bias, View<Scalar> grad_x,
                            std::span<std::byte> scratch);

/// Bytes of scratch that either pass needs.
template <class Scalar>
std::size_t causal_conv1d_scratch_bytes(std::ptrdiff_t num_channels, std::ptrdiff_t num_taps);

}  // namespace synfire::synapses
