
#include <fmt/format.h>

#include "network/node_facts.hpp"
#include "synapses/mixers/swla.hpp"

namespace synfire::network {

NodeFacts facts(const AttentionSpec& spec, NodeInputs inputs) {
  const Shape& q = inputs[0];
  for (const Shape& in : inputs.shapes) {
    need(in == q, fmt::format("attention needs q, k and v of one shape, got {}, {} and {}", q.text(), inputs[1].text(),
                              inputs[2].text()));
  }
  synapses::check_mixer(spec.mixer, q.prepend(1).prepend(1));
  const auto elements = static_cast<double>(q.size());
  const auto d = static_cast<double>(q.channels() / spec.mixer.heads);
  NodeFacts result{q, {}, elements * (2.0 * d + 2.0)};
  if (spec.mixer.rope != synapses::MixerRope::none) result.macs_per_tick += 4.0 * elements;
  return result;
}

}  // namespace synfire::network
