#pragma once

#include <cstddef>
#include <span>

#include "core/sequences.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"

/// A bank of leaky integrators whose leak, input gain and read-out follow the input: the selective state-space scan of
/// Mamba [Gu2023]. For each channel e of E and each of its N states n, along a sequence of tokens l from h = 0:
///
///     D[l]  = softplus(delta[l, e] + dt_bias[e])
///     h[l]  = exp(D[l] A[e, n]) h[l-1] + D[l] u[l, e] B[l, n],      A = -exp(a_log)
///     y[l]  = sum_n C[l, n] h[l] + d[e] u[l, e]
///
/// Signals are [T, B, H, W, E] or [T, B, E]; core/sequences.hpp says which tokens make a sequence. Every result is the
/// same for any number of threads, and that of a sequence does not depend on which others stand beside it. Host memory.
namespace synfire::neurons {

/// Tokens between two states that the forward pass keeps for the backward pass.
inline constexpr std::ptrdiff_t kScanChunk = 64;
inline constexpr std::ptrdiff_t kMaxScanStates = 256;

template <class Scalar>
struct ScanInput {
  Signal<Scalar> u;
  View<const Scalar> delta;  ///< like u: the step before bias and softplus
  View<const Scalar> bc;     ///< a row a token, whose last 2N values are B, then C
};

template <class Scalar>
struct ScanParameters {
  View<const Scalar> a_log;    ///< [E, N]
  View<const Scalar> d;        ///< [E]
  View<const Scalar> dt_bias;  ///< [E]
};

/// \param y             like u, out
/// \param chunk_states  scan_chunk_states_shape(), out: h before every chunk but the first; empty if no backward pass
///                      will come
/// \param state         [sequences, N, E]: h before the first token, replaced by h after the last, so that a sequence
///                      can come in parts, or token by token; empty: from 0
/// \throws ShapeError if shapes do not fit; BackendError on a GPU. Empty input is fine.
template <class Scalar>
void selective_scan_forward(const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                            SequenceOrder order, View<Scalar> y, View<Scalar> chunk_states, View<Scalar> state,
                            std::span<std::byte> scratch);

/// The same from h = 0, parallel over the chunks of a sequence too: each from zero, then their ends joined by
/// h_end = exp(A sum D) h_begin + h_end_from_zero, then each again from where it begins. Twice the work, in another
/// order of rounding: for one long sequence on many cores.
/// \param chunk_states  out, not empty
template <class Scalar>
void selective_scan_forward_chunked(const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                                    SequenceOrder order, View<Scalar> y, View<Scalar> chunk_states,
                                    std::span<std::byte> scratch);

template <class Scalar>
struct ScanGradients {
  View<Scalar> u;      ///< empty if not wanted; may be the memory of grad_y
  View<Scalar> delta;  ///< may be the memory of the input's delta
  View<Scalar> bc;     ///< what stands before B and C is left alone
  View<Scalar> a_log, d, dt_bias;
};

/// With lam = dL/dh, g = dL/dy, q[l] = exp(D[l] A) h[l-1]:
///
///     lam[l] = g[l] C[l] + exp(D[l+1] A) lam[l+1]
///     dL/dC[l, n] = sum_e g h,                dL/dB[l, n] = sum_e lam D u
///     dL/du = d g + D sum_n lam B,            dL/dD = sum_n lam (u B + A q)
///     dL/da_log = A sum_l lam D q,            dL/dd = sum_l g u
///     dL/ddelta = dL/dD softplus'(delta + dt_bias),   dL/ddt_bias = its sum
///
/// Keeps h before every 64th token; the rest is computed again. Overwrites its outputs.
/// \param state       h before the first token, as the forward pass was given it; empty: 0
/// \param grad_state  [sequences, N, E]: dL/dh after the last token, replaced by that before the first; empty: 0 and
///                    not wanted
template <class Scalar>
void selective_scan_backward(const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                             SequenceOrder order, View<const Scalar> chunk_states, View<const Scalar> state,
                             View<const Scalar> grad_y, const ScanGradients<Scalar>& gradients, View<Scalar> grad_state,
                             std::span<std::byte> scratch);

/// [chunks - 1, sequences, N, E]
/// \param u  shape of the signal
Shape scan_chunk_states_shape(const Shape& u, SequenceOrder order, std::ptrdiff_t num_states);

/// Bytes of scratch that either forward form needs, and the backward pass.
template <class Scalar>
std::size_t scan_forward_scratch_bytes(const Shape& u, SequenceOrder order, std::ptrdiff_t num_states);
template <class Scalar>
std::size_t scan_backward_scratch_bytes(const Shape& u, SequenceOrder order, std::ptrdiff_t num_states);

}  // namespace synfire::neurons
