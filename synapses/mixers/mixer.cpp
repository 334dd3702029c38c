#include "synapses/mixers/mixer.hpp"

#include <array>

#include "synapses/mixers/decay_scan.hpp"
#include "synapses/mixers/delta.hpp"
#include "synapses/mixers/mixer_tasks.hpp"
#include "synapses/mixers/pair_mixer.hpp"
#include "synapses/mixers/swla.hpp"

namespace synfire::synapses {

namespace {

/// Tokens at a time in the chunked form; bench/attention.cpp.
constexpr std::ptrdiff_t kChunk = 32;

std::ptrdiff_t chunk_of(const MixerConfig& config, const Shape& shape, MixerForm form) {
  if (form == MixerForm::recurrent) return 1;
  const std::ptrdiff_t longest = std::max<std::ptrdiff_t>(1, longest_window(TokenGrid(shape), config));
  return form == MixerForm::parallel ? longest : std::min(kChunk, longest);
}
template <class Scalar>
std::ptrdiff_t chunk_of(const MixerPass<Scalar>& pass) {
  return chunk_of(pass.config, pass.in.q.shape, pass.form);
}

/// One state for a window, or one for each tick.
template <class Scalar>
struct Swla {
  static void forward(const MixerPass<Scalar>& pass, View<Scalar> o, View<Scalar> kept) {
    swla_forward(pass.in, pass.config, pass.rope, o, kept, pass.scratch);
  }
  static void backward(const MixerPass<Scalar>& pass, View<const Scalar>, View<const Scalar> kept,
                       View<const Scalar> grad_o, const MixerGradients<Scalar>& grads) {
    swla_backward(pass.in, pass.config, pass.rope, kept, grad_o, grads, pass.scratch);
  }
  static std::size_t scratch_bytes(const MixerConfig& config, const Shape& shape, MixerForm, bool backward) {
    return swla_scratch_bytes<Scalar>(config, shape, backward);
  }
};

template <class Scalar>
struct DecayScan {
  static void forward(const MixerPass<Scalar>& pass, View<Scalar> o, View<Scalar> kept) {
    decay_scan_forward(pass.in, pass.config, chunk_of(pass), o, kept, pass.scratch);
  }
  static void backward(const MixerPass<Scalar>& pass, View<const Scalar> o, View<const Scalar> kept,
                       View<const Scalar> grad_o, const MixerGradients<Scalar>& grads) {
    decay_scan_backward(pass.in, pass.config, chunk_of(pass), o, kept, grad_o, grads, pass.scratch);
  }
  static std::size_t scratch_bytes(const MixerConfig& config, const Shape& shape, MixerForm form, bool) {
    return decay_scan_scratch_bytes<Scalar>(config, shape, chunk_of(config, shape, form));
  }
};

/// Along the tokens, or with one state for all of a window.
template <class Scalar>
struct Linear {
  static void forward(const MixerPass<Scalar>& pass, View<Scalar> o, View<Scalar> kept) {
    pass.config.causal ? DecayScan<Scalar>::forward(pass, o, kept) : Swla<Scalar>::forward(pass, o, kept);
  }
  static void backward(const MixerPass<Scalar>& pass, View<const Scalar> o, View<const Scalar> kept,
                       View<const Scalar> grad_o, const MixerGradients<Scalar>& grads) {
    pass.config.causal ? DecayScan<Scalar>::backward(pass, o, kept, grad_o, grads)
                       : Swla<Scalar>::backward(pass, o, kept, grad_o, grads);
  }
  static std::size_t scratch_bytes(const MixerConfig& config, const Shape& shape, MixerForm form, bool backward) {
    return config.causal ? DecayScan<Scalar>::scratch_bytes(config, shape, form, backward)
                         : Swla<Scalar>::scratch_bytes(config, shape, form, backward);
  }
};

template <class Scalar>
struct Delta {
  static void forward(const MixerPass<Scalar>& pass, View<Scalar> o, View<Scalar>) {
    delta_forward(pass.in, pass.config, chunk_of(pass), o, pass.scratch);
  }
  static void backward(const MixerPass<Scalar>& pass, View<const Scalar>, View<const Scalar>, View<const Scalar> grad_o,
                       const MixerGradients<Scalar>& grads) {
    delta_backward(pass.in, pass.config, chunk_of(pass), grad_o, grads, pass.scratch);
  }
  static std::size_t scratch_bytes(const MixerConfig& config, const Shape& shape, MixerForm form, bool backward) {
    return delta_scratch_bytes<Scalar>(config, shape, chunk_of(config, shape, form), backward);
  }
};

template <class Scalar>
struct Pairs {
  static void forward(const MixerPass<Scalar>& pass, View<Scalar> o, View<Scalar> kept) {
    pair_mixer_forward(pass.in, pass.config, o, kept, pass.scratch);
  }
  static void backward(const MixerPass<Scalar>& pass, View<const Scalar> o, View<const Scalar> kept,
                       View<const Scalar> grad_o, const MixerGradients<Scalar>& grads) {
    pair_mixer_backward(pass.in, pass.config, o, kept, grad_o, grads, pass.scratch);
  }
  static std::size_t scratch_bytes(const MixerConfig& config, const Shape& shape, MixerForm, bool) {
    return pair_mixer_scratch_bytes<Scalar>(config, shape);
  }
};

/// (Q K^T) V or Q (K^T V).
template <class Scalar>
struct Ssa {
  static void forward(const MixerPass<Scalar>& pass, View<Scalar> o, View<Scalar> kept) {
    pass.form == MixerForm::parallel ? Pairs<Scalar>::forward(pass, o, kept) : Swla<Scalar>::forward(pass, o, kept);
  }
  static void backward(const MixerPass<Scalar>& pass, View<const Scalar> o, View<const Scalar> kept,
                       View<const Scalar> grad_o, const MixerGradients<Scalar>& grads) {
    pass.form == MixerForm::parallel ? Pairs<Scalar>::backward(pass, o, kept, grad_o, grads)
                                     : Swla<Scalar>::backward(pass, o, kept, grad_o, grads);
  }
  static std::size_t scratch_bytes(const MixerConfig& config, const Shape& shape, MixerForm form, bool backward) {
    return form == MixerForm::parallel ? Pairs<Scalar>::scratch_bytes(config, shape, form, backward)
                                       : Swla<Scalar>::scratch_bytes(config, shape, form, backward);
  }
};

constexpr std::array kAllForms{MixerForm::recurrent, MixerForm::chunked, MixerForm::parallel};
constexpr std::array kState{MixerForm::recurrent};
constexpr std::array kStateAndPairs{MixerForm::recurrent, MixerForm::parallel};
constexpr std::array kPairs{MixerForm::parallel};

template <class Scalar, template <class> class Kind>
Mixer<Scalar> row(MixerKind kind, const char* name, std::span<const MixerForm> forms, MixerForm usual,
                  bool reads_output, bool keeps_per_head) {
  return {kind,
          name,
          forms,
          usual,
          reads_output,
          keeps_per_head,
          Kind<Scalar>::forward,
          Kind<Scalar>::backward,
          Kind<Scalar>::scratch_bytes};
}

template <class Scalar>
const std::array<Mixer<Scalar>, 7>& table() {
  using enum MixerForm;
  static const std::array<Mixer<Scalar>, 7> rows{
      row<Scalar, Swla>(MixerKind::swla, "swla", kState, recurrent, false, true),
      row<Scalar, Linear>(MixerKind::linear, "linear", kAllForms, chunked, true, true),
      row<Scalar, DecayScan>(MixerKind::lightning, "lightning", kAllForms, chunked, false, false),
      row<Scalar, DecayScan>(MixerKind::gla, "gla", kAllForms, chunked, false, false),
      row<Scalar, Delta>(MixerKind::delta, "delta", kAllForms, chunked, false, false),
      row<Scalar, Ssa>(MixerKind::ssa, "ssa", kStateAndPairs, recurrent, false, true),
      row<Scalar, Pairs>(MixerKind::window, "window", kPairs, parallel, true, true)};
  return rows;
}

}  // namespace

template <class Scalar>
std::span<const Mixer<Scalar>> mixers() {
  return table<Scalar>();
}

template std::span<const Mixer<float>> mixers();
template std::span<const Mixer<double>> mixers();

}  // namespace synfire::synapses
