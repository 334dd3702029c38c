#include "network/builders/builder.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.hpp"

namespace synfire::network {

namespace {

struct Builder {
  const char* name;
  void (*build)(const ConfigTable&, NetworkSpec&);
};
constexpr std::array kBuilders{Builder{"spikmamba", build_spikmamba}, Builder{"dvs_gesture_net", build_dvs_gesture_net},
                               Builder{"snn_delays", build_snn_delays}};

}  // namespace

std::string GraphWriter::add(const std::string& name, Operation operation, std::vector<std::string> inputs) {
  spec_.nodes.push_back({prefix_ + name, std::move(inputs), std::move(operation)});
  return spec_.nodes.back().name;
}

std::string GraphWriter::then(const std::string& name, Operation operation) {
  std::string before = spec_.nodes.empty() ? kInputName : spec_.nodes.back().name;
  return add(name, std::move(operation), {std::move(before)});
}

neurons::LifConfig read_builder_neuron(const ConfigTable& table, double dt_ms, double tau_ticks,
                                       const neurons::Surrogate& surrogate) {
  constexpr double kMostTicks = 1e6;
  neurons::LifConfig config;
  config.tau_mem_ms = table.number("tau", tau_ticks, 1.0, kMostTicks) * dt_ms;
  config.surrogate = {surrogate.kind, table.number("surrogate_alpha", surrogate.alpha, 1e-6, 1e6)};
  return config;
}

void build_by_name(const ConfigTable& table, NetworkSpec& spec) {
  std::vector<std::string> names;
  for (const Builder& builder : kBuilders) names.emplace_back(builder.name);
  const std::string name = table.choice("builder", names);
  if (table.has("layers")) table.fail("layers", "a network is built by name or from layers, not both");
  std::find_if(kBuilders.begin(), kBuilders.end(), [&](const Builder& b) {
    return b.name == name;
  })->build(table, spec);
}

}  // namespace synfire::network
