#pragma once

#include "synapses/mixers/mixer_input.hpp"

/// What networks put before a mixer: numbers without bounds become gates and rates, keys get length 1.
namespace synfire::synapses {

/// gla: gate = ln(sigmoid(x)) / 16, whose decay is near 1 at first [Yang2024a]; delta: gate = sigmoid(x).
template <class Scalar>
void mixer_gate_forward(MixerKind kind, const Signal<Scalar>& x, View<Scalar> gate);
/// \param grad  dL/dgate in, dL/dx out
template <class Scalar>
void mixer_gate_backward(MixerKind kind, View<const Scalar> gate, View<Scalar> grad);

/// In each head k = x / sqrt(|x|^2 + 1e-6), for the delta rule [Yang2024b]; a silent key stays 0.
template <class Scalar>
void unit_keys_forward(const Signal<Scalar>& x, int heads, View<Scalar> k);
/// dL/dx = r (g - k (k . g)), r = 1 / sqrt(|x|^2 + 1e-6). \param grad  dL/dk in, dL/dx out
template <class Scalar>
void unit_keys_backward(const Signal<Scalar>& x, int heads, View<const Scalar> k, View<Scalar> grad);

}  // namespace synfire::synapses
