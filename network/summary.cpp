#include "network/summary.hpp"

#include <fmt/format.h>

#include "network/describe.hpp"
#include "synapses/mixers/mixer.hpp"

namespace synfire::network {

namespace {

std::string detail(const LinearSpec& spec) {
  const char* const bias = spec.bias ? "" : "no bias";
  return spec.per_token ? fmt::format("per token{}{}", spec.bias ? "" : ", ", bias) : bias;
}
std::string detail(const Conv2dSpec& spec) {
  return fmt::format("{0}x{0}, stride {1}, padding {2}{3}", spec.kernel, spec.stride, spec.padding,
                     spec.bias ? ", bias" : "");
}
std::string window(const synapses::PoolGeometry& geometry) {
  return fmt::format("{0}x{0}, stride {1}", geometry.kernel, geometry.stride);
}
std::string detail(const MaxPoolSpec& spec) { return window(spec.geometry); }
std::string detail(const AvgPoolSpec& spec) { return window(spec.geometry); }
std::string detail(const BatchNormSpec&) { return ""; }
std::string detail(const DropoutSpec& spec) { return fmt::format("p {}", spec.p); }
std::string detail(const FlattenSpec&) { return ""; }
std::string detail(const neurons::LifConfig& config) {
  return fmt::format("tau {} ms{}, threshold {}, {}", config.tau_mem_ms, config.learn_tau ? " at the start" : "",
                     config.v_th, config.v_reset ? fmt::format("reset to {}", *config.v_reset) : "soft reset");
}
std::string detail(const LifSpec& spec) { return detail(spec.config); }
std::string detail(const CubaLifSpec& spec) {
  return fmt::format("{}, synaptic tau {} ms", detail(spec.config.membrane), spec.config.tau_syn_ms);
}
std::string detail(const AdlifSpec& spec) {
  const neurons::AdlifConfig& config = spec.config;
  return fmt::format("tau {} to {} ms, adaptation {} to {} ms, {}", config.tau_mem_min_ms, config.tau_mem_max_ms,
                     config.tau_adapt_min_ms, config.tau_adapt_max_ms,
                     config.integration == neurons::Integration::symplectic ? "symplectic" : "forward");
}
std::string detail(const RecurrentSpec& spec) {
  static constexpr const char* kNames[] = {"lif", "cuba_lif", "adlif"};
  std::string text = kNames[spec.neuron.index()];
  if (spec.delays) {
    text += fmt::format(", {} delays of 1 to {} ticks", spec.delays->learn_delays ? "learned" : "fixed",
                        1 + spec.delays->delay.max_delay);
  }
  return text + (spec.self_connections ? "" : ", no self-connections");
}
std::string detail(const LeakyIntegratorSpec& spec) { return fmt::format("tau {} ms", spec.tau_mem_ms); }
std::string detail(const AddSpec&) { return ""; }
std::string detail(const DelayedLinearSpec& spec) {
  std::string text =
      fmt::format("delays of 0 to {} ticks, {}", spec.delay.max_delay, spec.learn_delays ? "learned" : "fixed");
  if (spec.delay.kernel_count > 1) text += fmt::format(", {} a synapse", spec.delay.kernel_count);
  if (spec.delay.per == synapses::DelayPer::input) text += ", one an input";
  if (spec.delay.per == synapses::DelayPer::output) text += ", one an output";
  if (spec.sparsity > 0.0) text += fmt::format(", {:.0f} % pruned", 100.0 * spec.sparsity);
  return text;
}
std::string detail(const AttentionSpec& spec) {
  const synapses::MixerConfig& mixer = spec.mixer;
  const auto& [t, y, x] = mixer.window_size;
  const auto extent = [](int size) { return size == 0 ? std::string("all") : std::to_string(size); };
  return fmt::format("{}, {} {}, windows of {}x{}x{}{}", synapses::mixer_of<float>(mixer.kind).name, mixer.heads,
                     mixer.heads == 1 ? "head" : "heads", extent(t), extent(y), extent(x),
                     mixer.causal ? ", causal" : "");
}
std::string detail(const VoteSpec& spec) { return fmt::format("groups of {}", spec.group); }
std::string detail(const DepthwiseConv2dSpec& spec) {
  return fmt::format("{0}x{0}{1}", spec.kernel, spec.bias ? ", bias" : "");
}
std::string detail(const LayerNormSpec&) { return ""; }
std::string detail(const ActivationSpec& spec) { return spec.function == synapses::Activation::silu ? "silu" : "gelu"; }
std::string detail(const MultiplySpec&) { return ""; }
std::string detail(const PositionSpec& spec) {
  const std::string time = spec.time_ticks > 0 ? fmt::format("{} ticks", spec.time_ticks) : "";
  return fmt::format("{}{}{}", spec.space ? "tokens" : "", spec.space && !time.empty() ? ", " : "", time);
}
std::string detail(const DropPathSpec& spec) { return fmt::format("p {:.3g}", spec.p); }
std::string detail(const MeanTokensSpec&) { return ""; }
std::string order(SequenceOrder order) {
  static constexpr const char* kAxes[] = {"tokens", "frame", "time"};
  const bool forward = order.direction == SequenceDirection::forward;
  return fmt::format("{}{}", kAxes[static_cast<int>(order.axis)], forward ? "" : " backward");
}
std::string detail(const CausalConv1dSpec& spec) {
  return fmt::format("{} taps, {}{}", spec.kernel, order(spec.order), spec.bias ? "" : ", no bias");
}
std::string detail(const SelectiveScanSpec& spec) {
  return fmt::format("{} states, {}", spec.states, order(spec.order));
}

}  // namespace

Summary summarize(const NetworkSpec& spec, const Shape& input) {
  const std::vector<NodeFacts> facts = describe(spec, input);
  Summary summary;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const NodeSpec& node = spec.nodes[i];
    NodeSummary row{node.name,
                    std::string(kind_name(node.operation)),
                    std::visit([](const auto& operation) { return detail(operation); }, node.operation),
                    facts[i].output,
                    0,
                    facts[i].macs_per_tick};
    for (const ParameterFacts& parameter : facts[i].parameters) {
      if (parameter.trained) row.parameters += parameter.shape.size();
    }
    summary.parameters += row.parameters;
    summary.macs_per_tick += row.macs_per_tick;
    summary.nodes.push_back(std::move(row));
  }
  return summary;
}

}  // namespace synfire::network
