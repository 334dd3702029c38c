#pragma once

#include "core/signal.hpp"
#include "core/tensor.hpp"
#include "synapses/mixers/mixer_config.hpp"

namespace synfire::synapses {

/// Queries, keys and values of tokens, all of one shape: [T, B, H, W, C], or [T, B, C] for one token a tick. Head a
/// owns the channels a d .. a d + d - 1, d = C / heads.
template <class Scalar>
struct MixerInput {
  Signal<Scalar> q, k, v;
  View<const Scalar> gate{};  ///< mixer_gate_shape; empty for the kinds without
};
/// Of the same shapes; empty if not wanted.
template <class Scalar>
struct MixerGradients {
  View<Scalar> q, k, v;
  View<Scalar> gate{};
};

/// \throws ShapeError if the configuration contradicts itself or does not fit the shape
void check_mixer(const MixerConfig& config, const Shape& shape);
/// The same, and that the inputs have their shapes and lie on the CPU.
template <class Scalar>
void check_mixer_input(const char* operation, const MixerInput<Scalar>& in, const MixerConfig& config);

/// Of denominators and others that are one a head: [T, B, H, W, heads] or [T, B, heads].
Shape mixer_head_shape(const MixerConfig& config, const Shape& shape);

/// What the kind reads besides q, k and v: gla the logarithms of its decays, in the shape of k; delta the rate with
/// which it writes, one a head. Rank 0: nothing.
Shape mixer_gate_shape(const MixerConfig& config, const Shape& shape);

}  // namespace synfire::synapses
