
#include <algorithm>

#include <fmt/format.h>

#include "network/node_facts.hpp"
#include "synapses/mixers/mixer.hpp"

namespace synfire::network {

namespace {

/// Multiply-accumulates for each element of the output.
double macs_per_element(const synapses::MixerConfig& mixer, const Shape& q) {
  using synapses::MixerKind;
  const auto d = static_cast<double>(q.channels() / mixer.heads);
  if (mixer.kind == MixerKind::delta) return 3.0 * d;
  if (mixer.kind == MixerKind::window) {
    // Of one tick: how many ticks there are is not known here.
    const auto extent = [&](int axis) {
      const std::ptrdiff_t all = q.rank() == 3 ? q[axis] : 1;
      const int size = mixer.window_size[static_cast<std::size_t>(axis) + 1];
      return static_cast<double>(size == 0 ? all : std::min<std::ptrdiff_t>(all, size));
    };
    return 2.0 * extent(0) * extent(1) * std::max(1, mixer.window_size[0]);
  }
  const bool normalised = mixer.kind == MixerKind::swla || mixer.kind == MixerKind::linear;
  return 2.0 * d + (normalised ? 2.0 : 0.0) + (mixer.rope == synapses::MixerRope::none ? 0.0 : 4.0);
}

}  // namespace

NodeFacts facts(const AttentionSpec& spec, NodeInputs inputs) {
  const Shape& q = inputs[0];
  for (std::size_t k = 1; k < 3; ++k) {
    need(inputs[k] == q, fmt::format("attention needs q, k and v of one shape, got {}, {} and {}", q.text(),
                                     inputs[1].text(), inputs[2].text()));
  }
  const Shape sequence = q.prepend(1).prepend(1);
  synapses::check_mixer(spec.mixer, sequence);
  const Shape gate = synapses::mixer_gate_shape(spec.mixer, sequence);
  const char* const name = synapses::mixer_of<float>(spec.mixer.kind).name;
  need(inputs.shapes.size() == (gate.rank() == 0 ? 3 : 4),
       fmt::format("{} takes q, k and v{}, got {} inputs", name, gate.rank() == 0 ? "" : " and a gate",
                   inputs.shapes.size()));
  need(gate.rank() == 0 || inputs[3] == gate.drop_front(2),
       fmt::format("the gate of {} must have shape {}, got {}", name, gate.drop_front(gate.rank() == 0 ? 0 : 2).text(),
                   inputs.shapes.back().text()));
  return {q, {}, static_cast<double>(q.size()) * macs_per_element(spec.mixer, q)};
}

}  // namespace synfire::network
