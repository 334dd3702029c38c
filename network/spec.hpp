#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/config.hpp"
#include "core/shape.hpp"
#include "neurons/lif.hpp"
#include "synapses/batch_norm.hpp"
#include "synapses/conv2d.hpp"
#include "synapses/pool.hpp"

/// What a network is, as plain data: a graph of named nodes. It has no device and no parameters; `build` makes
/// parameters for it, and the runtimes (clocked, later event-driven) read the same description.
namespace synfire::network {

struct LinearSpec {
  int out_features = 0;
  bool bias = true;
};
struct Conv2dSpec {
  int channels = 0;
  int kernel = 3;
  int stride = 1;
  int padding = 0;
  bool bias = false;
};
struct MaxPoolSpec {
  synapses::PoolGeometry geometry;
};
struct AvgPoolSpec {
  synapses::PoolGeometry geometry;
};
struct BatchNormSpec {
  synapses::BatchNormConfig config;
};
struct DropoutSpec {
  double p = 0.5;
};
struct FlattenSpec {};
struct LifSpec {
  neurons::LifConfig config;
};
struct LeakyIntegratorSpec {
  double tau_mem_ms = 20.0;
  bool decay_input = true;
  neurons::Decay decay = neurons::Decay::euler;
};
/// Sum of two or more nodes of the same shape: a residual connection.
struct AddSpec {};
/// Mean over groups of `group` neighbouring channels: the voting layer of DVS128 Gesture networks.
struct VoteSpec {
  int group = 10;
};

using Operation = std::variant<LinearSpec, Conv2dSpec, MaxPoolSpec, AvgPoolSpec, BatchNormSpec, DropoutSpec, FlattenSpec,
                               LifSpec, LeakyIntegratorSpec, AddSpec, VoteSpec>;

struct NodeSpec {
  std::string name;
  std::vector<std::string> inputs;  ///< names of earlier nodes, or "input"
  Operation operation;
};

struct NetworkSpec {
  double dt_ms = 1.0;           ///< length of a tick
  std::vector<NodeSpec> nodes;  ///< every node after its inputs; the last one is the output, [T, B, K]
};

/// Reads `[network]`:
///
///     [network]
///     dt_ms = 10.0
///     [network.lif]            # defaults of every lif node
///     tau_mem_ms = 20.0
///     surrogate = "atan"
///     [[network.layers]]
///     name = "conv1"           # default: type and number
///     type = "conv2d"          # linear conv2d max_pool avg_pool batch_norm dropout flatten lif leaky_integrator add vote
///     channels = 32
///     inputs = ["input"]       # default: the node before
///
/// \throws ConfigError that names file, line and key
NetworkSpec read_network_spec(const ConfigTable& table);

}  // namespace synfire::network
