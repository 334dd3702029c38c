#include "synapses/mixers/mixer_input.hpp"

#include "synapses/checks.hpp"

namespace synfire::synapses {

void check_mixer(const MixerConfig& config, const Shape& shape) {
  const auto need = [](bool holds, const std::string& problem) {
    if (!holds) throw ShapeError(problem);
  };
  const std::ptrdiff_t channels = shape.channels();
  need(shape.rank() == 5 || shape.rank() == 3,
       fmt::format("attention needs [T, B, H, W, C] or [T, B, C], got {}", shape.text()));
  need(config.heads > 0 && channels % config.heads == 0,
       fmt::format("{} channels do not divide into {} heads", channels, config.heads));
  if (config.kind != MixerKind::swla) {
    need(config.rope == MixerRope::none && config.decay == MixerDecay::none && config.norm == MixerNorm::sum,
         "rope, decay and norm belong to the kind \"swla\"");
  }
  if (config.rope != MixerRope::none) {
    const std::ptrdiff_t d = channels / config.heads;
    need(config.feature != MixerFeature::spike,
         "rope needs the feature \"shift\": rotated spikes can have a weight without a sum of weights");
    need(d % 2 == 0, fmt::format("rope turns pairs of channels; a head has {}", d));
    const std::ptrdiff_t whole = config.rope == MixerRope::head ? d : channels;
    need(whole % 4 == 0, fmt::format("rope needs channels in multiples of 4, got {}", whole));
    need(config.window_size[0] == 1 || whole >= 6,
         fmt::format("rope in space and time needs at least 8 channels, got {}", whole));
  }
  if (config.decay == MixerDecay::head) {
    need(config.causal, "a decay needs a causal attention");
    need(config.window_size[0] == 0,
         fmt::format("a decay needs a window without limit in time (0), got {}", config.window_size[0]));
  }
  const bool runs_along =
      config.kind == MixerKind::lightning || config.kind == MixerKind::gla || config.kind == MixerKind::delta;
  need(!runs_along || config.causal, "lightning, gla and delta run along the tokens: they need causal");
  need(config.kind != MixerKind::ssa || config.feature == MixerFeature::spike,
       "ssa multiplies spikes: it needs the feature \"spike\"");
  need(config.scale >= 0.0, fmt::format("scale must not be negative, got {}", config.scale));
  need(config.eps >= 0.0, fmt::format("eps must not be negative, got {}", config.eps));
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int size = config.window_size[axis], shift = config.window_shift[axis];
    need(size >= 0, fmt::format("a window's size must not be negative, got {}", size));
    need(shift >= 0 && (shift == 0 || shift < size),
         fmt::format("a window's shift must be at least 0 and less than its size ({}), got {}", size, shift));
  }
}

template <class Scalar>
void check_mixer_input(const char* operation, const MixerInput<Scalar>& in, const MixerConfig& config) {
  require_cpu(operation, in.q.device);
  require_shape(operation, "k", in.k.shape, in.q.shape);
  require_shape(operation, "v", in.v.shape, in.q.shape);
  try {
    check_mixer(config, in.q.shape);
  } catch (const ShapeError& error) {
    throw ShapeError(fmt::format("[{}] {}", operation, error.what()));
  }
  const Shape gate = mixer_gate_shape(config, in.q.shape);
  if (gate.rank() != 0) require_shape(operation, "gate", in.gate.shape, gate);
}

Shape mixer_head_shape(const MixerConfig& config, const Shape& shape) {
  return with_inner(shape, 1, Shape{config.heads});
}

Shape mixer_gate_shape(const MixerConfig& config, const Shape& shape) {
  if (config.kind == MixerKind::gla) return shape;
  return config.kind == MixerKind::delta ? mixer_head_shape(config, shape) : Shape{};
}

template void check_mixer_input(const char*, const MixerInput<float>&, const MixerConfig&);
template void check_mixer_input(const char*, const MixerInput<double>&, const MixerConfig&);

}  // namespace synfire::synapses
