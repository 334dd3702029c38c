#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config.hpp"
#include "core/shape.hpp"
#include "network/scan_specs.hpp"
#include "network/token_specs.hpp"
#include "neurons/adlif.hpp"
#include "neurons/cuba_lif.hpp"
#include "neurons/lif.hpp"
#include "synapses/batch_norm.hpp"
#include "synapses/conv2d.hpp"
#include "synapses/delayed_linear.hpp"
#include "synapses/mixers/mixer_config.hpp"
#include "synapses/pool.hpp"

/// What a network is, as plain data: a graph of named nodes. It has no device and no parameters; `build` makes
/// parameters for it, and the runtimes (clocked, later event-driven) read the same description.
///
/// A new kind of node takes four places, and the compiler asks for each: its struct and a place in `Operation` here, a
/// row in spec.cpp (its keys), `describe` in describe.cpp (shape, parameters, work) and a stage in stages/ (how the
/// clocked runtime runs it).
namespace synfire::network {

/// What a tensor is to those who train a network: it decides about weight decay and the optimiser's group.
enum class TensorKind : std::uint8_t {
  weight,    ///< of synapses
  offset,    ///< what is added or scales a channel: bias, gamma, beta, tables of positions; no weight decay
  neuron,    ///< a neuron's constants, such as a learned time constant
  position,  ///< of delays, in ticks
  width,     ///< of the bumps around delays that are learned
  state      ///< not a parameter: running averages, masks
};

struct LinearSpec {
  int out_features = 0;
  bool bias = true;
  bool per_token = false;  ///< true: reads [H, W, C], each pixel by itself
  LinearStart start = LinearStart::fan_in;
};
struct Conv2dSpec {
  int channels = 0;
  int kernel = 3;
  int stride = 1;
  int padding = 0;
  bool bias = false;
  bool whole = false;  ///< true: windows must fit the image, none of its edge may be left out
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
struct CubaLifSpec {
  neurons::CubaLifConfig config;
};
struct AdlifSpec {
  neurons::AdlifConfig config;
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

/// A linear layer with a delay in every synapse, learned or drawn once (synapses/delayed_linear.hpp). While it is
/// learned a synapse is a bump over the ticks; in the network that is deployed it is one delay.
struct DelayedLinearSpec {
  int out_features = 0;
  synapses::DelayConfig delay;
  double width = 0.23;       ///< of the bumps at the start, in ticks
  bool learn_delays = true;  ///< false: random whole delays that stay
  bool learn_width = false;
  double sparsity = 0.0;  ///< share of synapses that are pruned, drawn once
};

/// A neuron model with its constants.
using NeuronConfig = std::variant<neurons::LifConfig, neurons::CubaLifConfig, neurons::AdlifConfig>;

/// Neurons whose spikes come back to them through a weight matrix: one tick later or, with delays, one tick and the
/// delay of the synapse later.
struct RecurrentSpec {
  NeuronConfig neuron;
  bool self_connections = true;             ///< false: the diagonal of the weights counts as 0
  std::optional<DelayedLinearSpec> delays;  ///< as of a delayed_linear of one kernel and no extra ticks
};

/// Attention over the tokens of its inputs q, k, v and, for some kinds, a gate, in this order.
struct AttentionSpec {
  synapses::MixerConfig mixer;
};

using Operation =
    std::variant<LinearSpec, Conv2dSpec, MaxPoolSpec, AvgPoolSpec, BatchNormSpec, DropoutSpec, FlattenSpec, LifSpec,
                 LeakyIntegratorSpec, AddSpec, VoteSpec, DelayedLinearSpec, CubaLifSpec, AdlifSpec, RecurrentSpec,
                 DepthwiseConv2dSpec, LayerNormSpec, ActivationSpec, MultiplySpec, PositionSpec, DropPathSpec,
                 MeanTokensSpec, AttentionSpec, CausalConv1dSpec, SelectiveScanSpec>;

/// "conv2d": the kind of a node as it is written in a configuration.
std::string_view kind_name(const Operation& operation);

/// How many inputs such a node has.
struct InputRange {
  std::size_t least = 1, most = 1;
};
InputRange input_range(const Operation& operation);
/// "one input", "two inputs or more"
std::string input_range_text(const Operation& operation);

/// A leaky integrator is the charge of a lif: the same constants give the same decay and gain.
neurons::LifConfig integrator_config(const LeakyIntegratorSpec& spec);

/// What a node names as its input to read the network's own input.
inline const std::string kInputName = "input";

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
///     [network.lif]            # defaults of every lif node; any type has such a table
///     tau_mem_ms = 20.0
///     surrogate = "atan"
///     [[network.layers]]
///     name = "conv1"           # default: type and number
///     type = "conv2d"
///     channels = 32
///     inputs = ["input"]       # default: the node before
///
/// or a network by name, `builder = "spikmamba"` with the keys of docs/networks.md.
///
/// Keys and defaults by type:
///     linear            out_features, bias (true), per_token (false; true reads images, a pixel at a time), start
///                       ("fan_in", "trunc_normal")
///     conv2d            channels, kernel (3), stride (1), padding (0), bias (false), whole (false; true refuses
///                       images of which windows leave out an edge)
///     max_pool          kernel (2), stride (kernel)
///     avg_pool          the same
///     batch_norm        eps (1e-5), momentum (0.1)
///     dropout           p (0.5)
///     flatten
///     lif               tau_mem_ms (20), v_th (1), fires_at ("threshold" or "above_threshold"), reset ("hard" or
///                       "soft"), v_reset (0, with a hard reset), decay_input (true), detach_reset (true), decay
///                       ("euler" or "exact"), learn_tau (false), surrogate ("atan", "sigmoid", "fast_sigmoid",
///                       "triangular", "exponential"), surrogate_alpha (2, 4, 25, 1, 5)
///     cuba_lif          the same and tau_syn_ms (10); learn_tau is for both time constants
///     adlif             tau_mem_min_ms (5), tau_mem_max_ms (25), tau_adapt_min_ms (60), tau_adapt_max_ms (300),
///                       adaptation (120), v_th (1), fires_at, detach_reset (true), integration ("symplectic" or
///                       "forward"), surrogate ("exponential"), surrogate_alpha
///     recurrent         neuron ("lif", "cuba_lif", "adlif") and the keys of that neuron, self_connections (true),
///                       delays ("none", "fixed", "learned"); with delays max_delay_ticks (24), beyond the first tick,
///                       and bump, width, learn_width as for delayed_linear
///     leaky_integrator  tau_mem_ms (20), decay_input (true), decay ("euler" or "exact")
///     add               inputs must be given
///     vote              group (10)
///     delayed_linear    out_features, max_delay_ticks (24), kernel_count (1), extra_ticks (max_delay_ticks / 2),
///                       bump ("gauss", "triangle"), width (0.23), delays ("learned" or "fixed"), learn_width (false),
///                       delay_per ("synapse", "input" or "output"), sparsity (0)
///     depthwise_conv2d  kernel (3; odd, at most 7), bias (true); the image keeps its size
///     layer_norm        eps (1e-5)
///     activation        function ("silu" or "gelu")
///     multiply          two inputs must be given
///     position          space (true), time_ticks (0: no table over time)
///     drop_path         p (0.1)
///     mean_tokens
///     attention         inputs q, k, v must be given, and a gate for gla (as k) and delta (one a head): numbers that
///                       become sigmoid(x)^(1/16) and sigmoid(x); kind ("swla", "linear", "lightning", "gla", "delta",
///                       "ssa", "window"), heads (8), window_size (t, y, x, 0 is without limit: [1, 0, 0]; lightning,
///                       gla, delta [0, 0, 0]), window_shift ([0, 0, 0]), causal (false; those three: always)
///                       swla: feature ("shift" or "spike"), norm ("sum" or "fixed"), eps (1e-6), rope ("none",
///                       "model", "head"), decay ("none" or "head"); linear: eps; others: scale (0: 1/sqrt(channels of
///                       a head); ssa 0.125)
///     causal_conv1d     axis ("tokens", "frame" or "time"), direction ("forward" or "backward"), kernel (4),
///                       bias (true)
///     selective_scan    axis, direction, state (16: of a channel), rank (a number for every 32 channels)
///
/// \throws ConfigError that names file, line and key
NetworkSpec read_network_spec(const ConfigTable& table);

}  // namespace synfire::network
