#pragma once

#include <cstddef>
#include <span>

#include "synapses/mixers/mixer_input.hpp"

namespace synfire::synapses {

/// Attention by the products of all pairs of tokens in a window, quadratic in its length. With s_ij = scale q_i . k_j:
///
///     window     o_i = sum_j softmax_j(s_ij) v_j
///     ssa        o_i = sum_j s_ij v_j                  [Zhou2023]
///
/// over the tokens of the window or, causal, over those of the tick and of earlier ones. No array of all pairs is made.
///
/// \param den  window only: mixer_head_shape out, the logarithm of sum_j exp(s_ij)
template <class Scalar>
void pair_mixer_forward(const MixerInput<Scalar>& in, const MixerConfig& config, View<Scalar> o, View<Scalar> den,
                        std::span<std::byte> scratch);

/// With p_ij the weight and G_i = dL/do_i: ds_ij = p_ij (G_i . v_j - G_i . o_i) for the softmax, G_i . v_j for ssa.
/// Overwrites its outputs.
template <class Scalar>
void pair_mixer_backward(const MixerInput<Scalar>& in, const MixerConfig& config, View<const Scalar> o,
                         View<const Scalar> den, View<const Scalar> grad_o, const MixerGradients<Scalar>& grads,
                         std::span<std::byte> scratch);

template <class Scalar>
std::size_t pair_mixer_scratch_bytes(const MixerConfig& config, const Shape& shape);

}  // namespace synfire::synapses
