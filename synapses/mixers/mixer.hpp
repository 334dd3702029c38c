#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "synapses/mixers/mixer_input.hpp"
#include "synapses/mixers/rope.hpp"

/// Every token mixer behind one interface. Adding one: docs/mixers.md.
namespace synfire::synapses {

/// Ways to compute the same numbers, up to rounding.
enum class MixerForm : std::uint8_t {
  recurrent,  ///< through a state, token by token
  chunked,    ///< through a state, some tokens at a time
  parallel    ///< by the products of all pairs of tokens
};

/// What a pass of a mixer reads and where it writes. What does not apply to the kind is left alone.
template <class Scalar>
struct MixerPass {
  const MixerInput<Scalar>& in;
  const MixerConfig& config;
  const RopeTable<Scalar>& rope;
  MixerForm form;
  std::span<std::byte> scratch;
};

template <class Scalar>
struct Mixer {
  MixerKind kind;
  const char* name;  ///< as in a configuration
  std::span<const MixerForm> forms;
  MixerForm usual;      ///< the form that networks use
  bool reads_output;    ///< the backward pass reads o
  bool keeps_per_head;  ///< forward leaves one number a head and token (mixer_head_shape) that backward reads

  void (*forward)(const MixerPass<Scalar>& pass, View<Scalar> o, View<Scalar> kept);
  void (*backward)(const MixerPass<Scalar>& pass, View<const Scalar> o, View<const Scalar> kept,
                   View<const Scalar> grad_o, const MixerGradients<Scalar>& grads);
  std::size_t (*scratch_bytes)(const MixerConfig& config, const Shape& shape, MixerForm form, bool backward);
};

/// All of them, in the order of MixerKind.
template <class Scalar>
std::span<const Mixer<Scalar>> mixers();
template <class Scalar>
const Mixer<Scalar>& mixer_of(MixerKind kind) {
  return mixers<Scalar>()[static_cast<std::size_t>(kind)];
}

}  // namespace synfire::synapses
