#pragma once

#include <cstddef>
#include <span>

#include "synapses/mixers/mixer_input.hpp"

namespace synfire::synapses {

/// A state in which a key's value is replaced instead of summed [Yang2024b], token by token of a window, with the rate
/// beta = gate of the head:
///
///     S_t = S_(t-1) + beta_t k_t (v_t - S_(t-1)^T k_t)^T,   o_t = c S_t^T q_t
///
/// Stable for 0 <= beta |k|^2 <= 2. A chunk of tokens is taken at once: with U the rows that are written,
///
///     (I + L) U = beta (V - K S),   L = strictly lower part of beta K K^T
///     O = c (Q S + lower part of (Q K^T) U),   S' = S + K^T U
///
/// \param chunk  >= 1; 1 is the recurrence, the window's length needs no state
template <class Scalar>
void delta_forward(const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk, View<Scalar> o,
                   std::span<std::byte> scratch);

/// The way back of the same chunks; states at their beginnings are computed again. Overwrites its outputs.
template <class Scalar>
void delta_backward(const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk,
                    View<const Scalar> grad_o, const MixerGradients<Scalar>& grads, std::span<std::byte> scratch);

/// \param backward  a state for every chunk of a window, for each worker
template <class Scalar>
std::size_t delta_scratch_bytes(const MixerConfig& config, const Shape& shape, std::ptrdiff_t chunk, bool backward);

}  // namespace synfire::synapses
