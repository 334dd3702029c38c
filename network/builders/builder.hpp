#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "network/spec.hpp"

/// Networks that have a name: `[network] builder = "spikmamba"` and a few keys stand for a list of layers. A builder
/// makes the same description that a configuration would spell out. Private to the room: not installed.
///
/// A new one: its function, declared here, and a row in builder.cpp.
namespace synfire::network {

/// Appends nodes to a description.
class GraphWriter {
 public:
  explicit GraphWriter(NetworkSpec& spec) : spec_(spec) {}

  double dt_ms() const { return spec_.dt_ms; }
  /// Names of the nodes that follow begin with it.
  void set_prefix(const std::string& prefix) { prefix_ = prefix; }
  /// \return the node's whole name, for nodes that read it
  std::string add(const std::string& name, Operation operation, std::vector<std::string> inputs);
  /// The same, reading the node before.
  std::string then(const std::string& name, Operation operation);

 private:
  NetworkSpec& spec_;
  std::string prefix_;
};

/// `[network.neuron]`: a leaky neuron with decayed input and a hard reset to 0.
///
///     tau              in ticks
///     surrogate_alpha  of `surrogate`
neurons::LifConfig read_builder_neuron(const ConfigTable& table, double dt_ms, double tau_ticks,
                                       const neurons::Surrogate& surrogate);

/// Reads the keys of the builder that `table` names into `spec`, whose dt_ms is known.
/// \throws ConfigError that names file, line and key
void build_by_name(const ConfigTable& table, NetworkSpec& spec);

// The builders. Their keys are in the headers of the functions' files and in docs/networks.md.
void build_spikmamba(const ConfigTable& table, NetworkSpec& spec);
void build_dvs_gesture_net(const ConfigTable& table, NetworkSpec& spec);
void build_snn_delays(const ConfigTable& table, NetworkSpec& spec);

inline constexpr std::int64_t kMaxBuilderWidth = 1 << 16;
inline constexpr std::int64_t kMaxBuilderBlocks = 256;
inline constexpr std::int64_t kMaxClasses = 1 << 16;

}  // namespace synfire::network
