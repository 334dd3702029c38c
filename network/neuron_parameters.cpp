#include "network/neuron_parameters.hpp"

#include "neurons/parametric_lif.hpp"

namespace synfire::network {

std::vector<ParameterFacts> neuron_parameters(const neurons::LifConfig& config, double dt_ms) {
  if (!config.learn_tau) return {};
  const double start = neurons::leak_logit(neurons::lif_params(config, dt_ms));
  return {{"leak_logit", Shape{1}, ParameterFacts::Start::constant(start), true, TensorKind::neuron}};
}

}  // namespace synfire::network
