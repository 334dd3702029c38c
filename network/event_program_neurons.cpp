// Neurons with their learned constants.
#include "network/describe.hpp"
#include "network/event_expression.hpp"
#include "network/neuron_parameters.hpp"
#include "network/neuron_rows.hpp"
#include "neurons/parametric_lif.hpp"

namespace synfire::network {

namespace {

/// The tensors of neurons stand together in a network.
std::span<const NamedTensor<float>> neuron_tensors(const NeuronConfig& config, const Network<float>& network,
                                                   const std::string& node, std::ptrdiff_t channels) {
  const auto parameters = neuron_parameters(config, network.spec.dt_ms, channels);
  if (parameters.empty()) return {};
  return {&network.tensor(node + "." + parameters.front().name), parameters.size()};
}

neurons::LifParams lif_params(const neurons::LifConfig& config, double dt_ms,
                              std::span<const NamedTensor<float>> tensors) {
  const neurons::LifParams params = neurons::lif_params(config, dt_ms);
  if (!config.learn_tau) return params;
  return neurons::with_leak_logit(params, config.decay_input, static_cast<double>(tensors[0].value[0]));
}

}  // namespace

void set_neurons(const NeuronConfig& config, const Network<float>& network, const std::string& node,
                 Population& population) {
  const std::ptrdiff_t channels = population.shape.channels();
  const double dt_ms = network.spec.dt_ms;
  const std::span<const NamedTensor<float>> tensors = neuron_tensors(config, network, node, channels);
  if (const auto* const lif = std::get_if<neurons::LifConfig>(&config)) {
    population.params = lif_params(*lif, dt_ms, tensors);
    return;
  }
  if (const auto* const cuba = std::get_if<neurons::CubaLifConfig>(&config)) {
    population.params = neurons::lif_params(cuba->membrane, dt_ms);
  } else {
    const auto& adlif = std::get<neurons::AdlifConfig>(config);
    population.params.v_th = adlif.v_th;
    population.params.fires_at = adlif.fires_at;
  }
  const NeuronRows<float> rows(config, dt_ms, channels);
  std::vector<float> constants(static_cast<std::size_t>(rows.num_constants()));
  neurons::RowModel<float> model = rows.model(tensors, constants.data(), false);
  model.parameters.fill(nullptr);
  population.rows = RowNeurons{model, std::move(constants)};
}

}  // namespace synfire::network
