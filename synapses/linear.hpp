#pragma once

#include <cstddef>
#include <span>

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// y[f, o] = sum_i w[o, i] x[f, i] + b[o] for F = T B frames. Chooses by the measured density of x between adding the
/// weight columns of the elements that are not zero and a dense product.
///
/// \param x     [F..., in]: real values or spikes
/// \param w     [out, in]
/// \param bias  [out] or empty
/// \param y     [F..., out] out
/// \param scratch  at least linear_scratch_bytes(...); no other memory is allocated
template <class Scalar>
void linear_forward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> bias, View<Scalar> y,
                    std::span<std::byte> scratch);

/// Whether linear_forward takes the dense product for so many elements, of which some are not zero.
bool linear_is_dense(bool spikes, std::ptrdiff_t nonzeros, std::ptrdiff_t elements);

/// dL/dw = sum_f dL/dy[f] x[f]^T (sparse in x), dL/db = sum_f dL/dy[f], dL/dx = w^T dL/dy. Overwrites its outputs.
/// \param grad_bias, grad_x  empty if not wanted
template <class Scalar>
void linear_backward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> grad_y, View<Scalar> grad_w,
                     View<Scalar> grad_bias, View<Scalar> grad_x, std::span<std::byte> scratch);

/// Bytes of scratch that either pass needs for F frames.
template <class Scalar>
std::size_t linear_scratch_bytes(std::ptrdiff_t num_frames, std::ptrdiff_t in, std::ptrdiff_t out);

}  // namespace synfire::synapses
