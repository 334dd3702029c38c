#include "network/spec_neurons.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"

namespace synfire::network {

namespace {

neurons::Decay read_decay(const LayerTable& table) {
  return table.choice("decay", {"euler", "exact"}, "euler") == "euler" ? neurons::Decay::euler : neurons::Decay::exact;
}

neurons::FiresAt read_fires_at(const LayerTable& table) {
  return table.choice("fires_at", {"threshold", "above_threshold"}, "threshold") == "threshold"
             ? neurons::FiresAt::threshold
             : neurons::FiresAt::above_threshold;
}

neurons::Surrogate read_surrogate(const LayerTable& table, const char* fallback = "atan") {
  struct Row {
    const char* name;
    neurons::SurrogateKind kind;
    double alpha;  // customary width
  };
  static constexpr std::array<Row, 5> kRows{{{"atan", neurons::SurrogateKind::atan, 2.0},
                                             {"sigmoid", neurons::SurrogateKind::sigmoid, 4.0},
                                             {"fast_sigmoid", neurons::SurrogateKind::fast_sigmoid, 25.0},
                                             {"triangular", neurons::SurrogateKind::triangular, 1.0},
                                             {"exponential", neurons::SurrogateKind::exponential, 5.0}}};
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  const std::string name = table.choice("surrogate", names, fallback);
  const Row& row = *std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.name == name; });
  return {row.kind, table.number("surrogate_alpha", row.alpha, 1e-6, 1e6)};
}

/// Asks the neuron itself whether its constants make sense for a tick of dt.
template <class Check>
void check_constants(const LayerTable& table, Check&& check) {
  try {
    check();
  } catch (const ConfigError& error) {
    // Its text begins with its key, which the table writes itself, in full.
    table.fail(error.key, std::string(error.what()).substr(error.key.size() + 2));
  }
}

neurons::LifConfig read_lif_keys(const LayerTable& table) {
  neurons::LifConfig config;
  config.tau_mem_ms = table.number("tau_mem_ms", 20.0, 1e-6, kMaxMs);
  config.v_th = table.number("v_th", 1.0, -1e6, 1e6);
  config.fires_at = read_fires_at(table);
  if (table.choice("reset", {"hard", "soft"}, "hard") == "hard") {
    config.v_reset = table.number("v_reset", 0.0, -1e6, 1e6);
  } else {
    config.v_reset.reset();
  }
  config.decay_input = table.flag("decay_input", true);
  config.detach_reset = table.flag("detach_reset", true);
  config.decay = read_decay(table);
  config.learn_tau = table.flag("learn_tau", false);
  config.surrogate = read_surrogate(table);
  check_constants(table, [&] { neurons::lif_params(config, table.dt_ms()); });
  return config;
}

neurons::CubaLifConfig read_cuba_lif_keys(const LayerTable& table) {
  const neurons::CubaLifConfig config{read_lif_keys(table), table.number("tau_syn_ms", 10.0, 1e-6, kMaxMs)};
  check_constants(table, [&] { neurons::cuba_lif_params(config, table.dt_ms()); });
  return config;
}

neurons::AdlifConfig read_adlif_keys(const LayerTable& table) {
  neurons::AdlifConfig config;
  config.tau_mem_min_ms = table.number("tau_mem_min_ms", config.tau_mem_min_ms, 1e-6, kMaxMs);
  config.tau_mem_max_ms = table.number("tau_mem_max_ms", config.tau_mem_max_ms, 1e-6, kMaxMs);
  config.tau_adapt_min_ms = table.number("tau_adapt_min_ms", config.tau_adapt_min_ms, 1e-6, kMaxMs);
  config.tau_adapt_max_ms = table.number("tau_adapt_max_ms", config.tau_adapt_max_ms, 1e-6, kMaxMs);
  config.adaptation = table.number("adaptation", config.adaptation, 0.0, 1e6);
  config.v_th = table.number("v_th", config.v_th, -1e6, 1e6);
  config.fires_at = read_fires_at(table);
  config.detach_reset = table.flag("detach_reset", true);
  config.integration = table.choice("integration", {"symplectic", "forward"}, "symplectic") == "symplectic"
                           ? neurons::Integration::symplectic
                           : neurons::Integration::forward;
  config.surrogate = read_surrogate(table, "exponential");
  check_constants(table, [&] { neurons::check_adlif(config, table.dt_ms()); });
  return config;
}

}  // namespace

Operation read_lif(const LayerTable& table) { return LifSpec{read_lif_keys(table)}; }

Operation read_cuba_lif(const LayerTable& table) { return CubaLifSpec{read_cuba_lif_keys(table)}; }
Operation read_adlif(const LayerTable& table) { return AdlifSpec{read_adlif_keys(table)}; }

NeuronConfig read_neuron(const LayerTable& table) {
  const std::string model = table.choice("neuron", {"lif", "cuba_lif", "adlif"}, "lif");
  if (model == "lif") return read_lif_keys(table);
  if (model == "cuba_lif") return read_cuba_lif_keys(table);
  return read_adlif_keys(table);
}

Operation read_leaky_integrator(const LayerTable& table) {
  LeakyIntegratorSpec spec;
  spec.tau_mem_ms = table.number("tau_mem_ms", 20.0, 1e-6, kMaxMs);
  spec.decay_input = table.flag("decay_input", true);
  spec.decay = read_decay(table);
  check_constants(table, [&] { neurons::lif_params(integrator_config(spec), table.dt_ms()); });
  return spec;
}

}  // namespace synfire::network
