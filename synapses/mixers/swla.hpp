#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/signal.hpp"
#include "core/tensor.hpp"
#include "synapses/mixers/mixer_input.hpp"
#include "synapses/mixers/rope.hpp"

namespace synfire::synapses {

/// Spiking window linear attention ([Chen2024]; docs/numerics.md). In each window and head, over its tokens j, with phi
/// of the configuration's feature and R_j the rotation of its rope:
///
///     S = sum_j (R_j phi(k_j)) v_j^T,   m = sum_j phi(k_j),   n = number of tokens
///     o_i = S^T (R_i phi(q_i)) / den_i,   den_i = phi(q_i) . m + eps n
///
/// Causal, sums grow with the ticks of the window, and a token sees its whole tick:
///
///     S_t = gamma S_(t-1) + sum over tick t,   likewise m_t and n_t;   gamma = 1 without decay
///
/// With the norm `fixed`, den_i = 2^round(log2(n d / 16)). The work grows with the number of tokens, whatever the
/// window. Where queries and keys are spikes and few, S takes additions of v only, one row for each spike.
///
/// A window of a sample does not depend on other samples of the batch, bit for bit.
///
/// \param den  mixer_head_shape out; the backward pass reads it
/// \param scratch  swla_scratch_bytes
/// \throws ShapeError as check_mixer, or if shapes differ
template <class Scalar>
void swla_forward(const MixerInput<Scalar>& in, const MixerConfig& config, const RopeTable<Scalar>& rope,
                  View<Scalar> o, View<Scalar> den, std::span<std::byte> scratch);

/// With G_i = dL/do_i, D_i = G_i / den_i and z_i = -(G_i . o_i) / den_i (0 with the norm `fixed`):
///
///     dS = sum_i (R_i phi(q_i)) D_i^T,   dm = sum_i z_i phi(q_i)          causal: dS_t = sum over tick t + gamma
///     dS_(t+1) dL/dq_i = R_i^T S D_i + z_i m,   dL/dk_j = R_j^T dS v_j + dm,   dL/dv_j = dS^T (R_j phi(k_j))
///
/// S is summed again; of the forward pass only den is kept. Overwrites its outputs.
template <class Scalar>
void swla_backward(const MixerInput<Scalar>& in, const MixerConfig& config, const RopeTable<Scalar>& rope,
                   View<const Scalar> den, View<const Scalar> grad_o, const MixerGradients<Scalar>& grads,
                   std::span<std::byte> scratch);

/// What a causal attention carries from one part of a stream to the next: d d + d + 1 numbers a head and window.
template <class Scalar>
struct SwlaState {
  View<Scalar> s;         ///< [B, windows of a frame, heads, d, d]
  View<Scalar> m;         ///< [B, windows of a frame, heads, d]
  View<Scalar> n;         ///< [B, windows of a frame, heads]
  std::int64_t tick = 0;  ///< position in time of the next part's first tick
};
/// Windows of a frame of [T, B, H, W, C].
std::ptrdiff_t windows_in_space(const MixerConfig& config, const Shape& shape);

/// Goes on with a stream; causal only. \param rope  made for state.tick
template <class Scalar>
void swla_stream_forward(const MixerInput<Scalar>& in, const MixerConfig& config, const RopeTable<Scalar>& rope,
                         View<Scalar> o, View<Scalar> den, SwlaState<Scalar>& state, std::span<std::byte> scratch);

/// Bytes of scratch that either pass needs: a state for each worker; backward also a number for each token and head.
template <class Scalar>
std::size_t swla_scratch_bytes(const MixerConfig& config, const Shape& shape, bool backward);

}  // namespace synfire::synapses
