#pragma once

#include <cstddef>
#include <span>

#include "synapses/mixers/mixer_input.hpp"

namespace synfire::synapses {

/// A state of keys and values that fades, read token by token (docs/numerics.md, section 8). In the order of the tokens
/// of a window, with a decay diag(alpha_t):
///
///     S_t = diag(alpha_t) S_(t-1) + phi(k_t) v_t^T,   o_t = c S_t^T phi(q_t)  or, normalised, divided by (z_t .
///     phi(q_t) + eps)
///
///     linear     alpha 1, normalised with z_t = sum phi(k), phi by the feature, c 1        [Katharopoulos2020]
///     lightning  alpha exp(-slope) of the head (lightning_slope), phi the value itself, c 1 [Qin2024]
///     gla        alpha exp(gate), gate <= 0 of shape [T, B, H, W, C], c the scale           [Yang2024a]
///
/// The tokens are taken `chunk` at a time: inside a chunk as products of queries and keys, across chunks through S.
/// Chunk 1 is the recurrence, a chunk as long as the window needs no state; the result is the same up to rounding.
///
/// \param den  linear only: mixer_head_shape out
/// \param chunk  >= 1
template <class Scalar>
void decay_scan_forward(const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk, View<Scalar> o,
                        View<Scalar> den, std::span<std::byte> scratch);

/// With do = dL/do and dS from the right:
///
///     dS_t = c phi(q_t) do_t^T + diag(alpha_(t+1)) dS_(t+1)
///     dL/dphi(q_t) = c S_t do_t,   dL/dphi(k_t) = dS_t v_t,   dL/dv_t = dS_t^T phi(k_t)
///     dL/dgate_t = sum_(s >= t) (q_s . dL/dq_s - k_s . dL/dk_s)   elementwise
///
/// The normaliser counts as one more channel of v that is 1. Overwrites its outputs.
template <class Scalar>
void decay_scan_backward(const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk,
                         View<const Scalar> o, View<const Scalar> den, View<const Scalar> grad_o,
                         const MixerGradients<Scalar>& grads, std::span<std::byte> scratch);

template <class Scalar>
std::size_t decay_scan_scratch_bytes(const MixerConfig& config, const Shape& shape, std::ptrdiff_t chunk);

/// s of the decay exp(-s) of a head: 2^(-8 (head + 1) / heads) for a power of two; for other numbers the slopes of the
/// power below, then every second one of twice that power.
double lightning_slope(int head, int heads);

}  // namespace synfire::synapses
