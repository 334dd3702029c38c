#include "network/neuron_count.hpp"

#include <variant>

#include "neurons/row_model.hpp"

namespace synfire::network {

namespace {

NeuronWork membrane_work(const neurons::LifConfig& config) {
  NeuronWork work{.states = 1, .add = 1, .mul = 1, .cmp = 1, .add_per_spike = config.v_reset ? 0 : 1};
  if (config.v_reset && *config.v_reset != 0.0) work.add += 2;
  if (config.decay_input) {
    ++work.mul;
    ++work.add;
  }
  return work;
}

NeuronWork work_of(const neurons::LifConfig& config) { return membrane_work(config); }

NeuronWork work_of(const neurons::CubaLifConfig& config) {
  NeuronWork work = membrane_work(config.membrane);
  ++work.states;
  ++work.mul;
  ++work.add;
  return work;
}

/// alpha u, (1 - alpha) (x - w); beta w, a u, and their sum's factor (1 - beta) q; b is added for a spike.
NeuronWork work_of(const neurons::AdlifConfig&) {
  return {.states = 2, .add = 3, .mul = 5, .cmp = 1, .add_per_spike = 1};
}

}  // namespace

NeuronWork neuron_work(const NeuronConfig& config) {
  return std::visit([](const auto& of_model) { return work_of(of_model); }, config);
}

NeuronWork neuron_work(const LeakyIntegratorSpec& spec) {
  NeuronWork work = membrane_work(integrator_config(spec));
  work.cmp = 0;
  work.add_per_spike = 0;
  return work;
}

void count_neurons(const NeuronWork& work, std::uint64_t updates, std::uint64_t spikes, std::uint64_t neurons,
                   std::size_t scalar_bytes, LayerLedger& record) {
  const auto times = [&](int count) { return updates * static_cast<std::uint64_t>(count); };
  record.neuron_updates += updates;
  record.add += times(work.add) + spikes * static_cast<std::uint64_t>(work.add_per_spike);
  record.mul += times(work.mul);
  record.cmp += times(work.cmp);
  record.state_rd += times(work.states) * scalar_bytes;
  record.state_wr += times(work.states) * scalar_bytes;
  record.sizes.neurons = neurons;
  record.sizes.state_bytes = neurons * static_cast<std::uint64_t>(work.states) * scalar_bytes;
}

template <class Scalar>
std::uint64_t changed_values(View<const Scalar> membranes) {
  const std::ptrdiff_t frame = membranes.shape.size_from(1);
  std::uint64_t changed = static_cast<std::uint64_t>(frame);
  for (std::ptrdiff_t t = 1; t < membranes.shape[0]; ++t) {
    const Scalar* const values = membranes.data + t * frame;
    changed += static_cast<std::uint64_t>(neurons::num_differing(values - frame, values, frame));
  }
  return changed;
}

template std::uint64_t changed_values(View<const float>);
template std::uint64_t changed_values(View<const double>);

}  // namespace synfire::network
