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

neurons::Surrogate read_surrogate(const LayerTable& table) {
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
  const std::string name = table.choice("surrogate", names, kRows[0].name);
  const Row& row = *std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.name == name; });
  return {row.kind, table.number("surrogate_alpha", row.alpha, 1e-6, 1e6)};
}

/// Asks the neuron itself whether its constants make sense for a tick of dt.
void check_constants(const LayerTable& table, const neurons::LifConfig& config) {
  try {
    neurons::lif_params(config, table.dt_ms());
  } catch (const ConfigError& error) {
    // Its text begins with its key, which the table writes itself, in full.
    table.fail(error.key, std::string(error.what()).substr(error.key.size() + 2));
  }
}

}  // namespace

Operation read_lif(const LayerTable& table) {
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
  check_constants(table, config);
  return LifSpec{config};
}

Operation read_leaky_integrator(const LayerTable& table) {
  LeakyIntegratorSpec spec;
  spec.tau_mem_ms = table.number("tau_mem_ms", 20.0, 1e-6, kMaxMs);
  spec.decay_input = table.flag("decay_input", true);
  spec.decay = read_decay(table);
  check_constants(table, integrator_config(spec));
  return spec;
}

}  // namespace synfire::network
