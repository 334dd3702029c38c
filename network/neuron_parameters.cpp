#include "network/neuron_parameters.hpp"

#include "neurons/parametric_lif.hpp"

namespace synfire::network {

namespace {

using Start = ParameterFacts::Start;

ParameterFacts logit(const char* name, const neurons::LifParams& params) {
  return {name, Shape{1}, Start::constant(neurons::leak_logit(params)), true, TensorKind::neuron};
}

std::vector<ParameterFacts> parameters(const neurons::LifConfig& config, double dt_ms, std::ptrdiff_t) {
  if (!config.learn_tau) return {};
  return {logit("leak_logit", neurons::lif_params(config, dt_ms))};
}

std::vector<ParameterFacts> parameters(const neurons::CubaLifConfig& config, double dt_ms, std::ptrdiff_t) {
  if (!config.membrane.learn_tau) return {};
  const neurons::CubaLifParams params = neurons::cuba_lif_params(config, dt_ms);
  neurons::LifParams synapse;
  synapse.decay = params.syn_decay;
  return {logit("leak_logit", params.membrane), logit("syn_leak_logit", synapse)};
}

std::vector<ParameterFacts> parameters(const neurons::AdlifConfig&, double, std::ptrdiff_t num_channels) {
  const auto within = [&](const char* name, double highest) -> ParameterFacts {
    return {name,   Shape{num_channels}, Start{Start::Law::uniform, 0.0, highest}, true, TensorKind::neuron, 0.0,
            highest};
  };
  return {within("tau_mem_share", 1.0), within("tau_adapt_share", 1.0), within("a", 1.0), within("b", 2.0)};
}

}  // namespace

std::vector<ParameterFacts> neuron_parameters(const NeuronConfig& config, double dt_ms, std::ptrdiff_t num_channels) {
  return std::visit([&](const auto& neuron) { return parameters(neuron, dt_ms, num_channels); }, config);
}

}  // namespace synfire::network
