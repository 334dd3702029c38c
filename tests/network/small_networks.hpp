#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/random.hpp"
#include "core/tensor.hpp"
#include "network/network.hpp"

namespace synfire::test {

/// A network from the text of its [network] table.
inline network::NetworkSpec spec_of(const std::string& toml) {
  const Config config = Config::parse(toml, "test.toml");
  network::NetworkSpec spec = network::read_network_spec(config.root().table("network"));
  config.root().finish();
  return spec;
}

/// Uniform in [low, high), the same for every Scalar up to its rounding.
template <class Scalar>
Tensor<Scalar> random_tensor(const Shape& shape, std::uint64_t seed, double low, double high) {
  Tensor<Scalar> tensor(shape);
  const RandomStream random(seed, 0, 0);
  for (std::ptrdiff_t i = 0; i < tensor.size(); ++i) {
    tensor[i] = static_cast<Scalar>(low + (high - low) * random.uniform(static_cast<std::uint64_t>(i)));
  }
  return tensor;
}

/// A network from the text of its layers, in ticks of 1 ms.
inline network::Network<float> network_of(const std::string& layers, const Shape& input, std::uint64_t seed = 1) {
  return network::build<float>(spec_of("[network]\ndt_ms = 1.0\n" + layers), input, seed);
}

/// Whole counts, 1 to `most`, in a share `density` of the elements.
inline Tensor<float> random_counts(const Shape& shape, double density, std::uint32_t stream, int most = 1) {
  Tensor<float> result(shape);
  const RandomStream there(7, stream, 0), size(8, stream, 0);
  for (std::ptrdiff_t i = 0; i < result.size(); ++i) {
    const auto element = static_cast<std::uint64_t>(i);
    if (there.uniform(element) < density) {
      result[i] = static_cast<float>(1 + size.below(element, static_cast<std::uint64_t>(most)));
    }
  }
  return result;
}

/// The shape of `tick` for T ticks of B samples.
inline Shape over_time(const Shape& tick, std::ptrdiff_t num_ticks, std::ptrdiff_t batch) {
  return tick.prepend(batch).prepend(num_ticks);
}

/// Every kind of node in a chain: two convolutions with batch norm, a hard and a soft reset, both pools.
inline const std::string kChain = R"(
[network]
dt_ms = 5.0
lif = {tau_mem_ms = 10.0, v_th = 0.4, detach_reset = false}
[[network.layers]]
type = "conv2d"
name = "conv1"
channels = 3
padding = 1
[[network.layers]]
type = "batch_norm"
name = "norm1"
[[network.layers]]
type = "lif"
name = "lif1"
v_reset = 0.1
[[network.layers]]
type = "max_pool"
[[network.layers]]
type = "conv2d"
name = "conv2"
channels = 4
kernel = 2
bias = true
[[network.layers]]
type = "lif"
name = "lif2"
reset = "soft"
decay_input = false
decay = "exact"
surrogate = "sigmoid"
[[network.layers]]
type = "batch_norm"
name = "norm2"
[[network.layers]]
type = "avg_pool"
[[network.layers]]
type = "flatten"
[[network.layers]]
type = "dropout"
p = 0.3
[[network.layers]]
type = "linear"
name = "fc1"
out_features = 6
bias = false
[[network.layers]]
type = "lif"
name = "lif3"
tau_mem_ms = 8.0
[[network.layers]]
type = "linear"
name = "fc2"
out_features = 6
[[network.layers]]
type = "vote"
group = 2
[[network.layers]]
type = "leaky_integrator"
tau_mem_ms = 12.0
)";
inline const Shape kChainInput{7, 6, 2};

/// Neurons first: the node of the first time constant has nothing to learn below it.
inline const std::string kLearnedTaus = R"(
[network]
dt_ms = 2.0
lif = {tau_mem_ms = 5.0, v_th = 0.6, detach_reset = false, learn_tau = true}
[[network.layers]]
type = "lif"
name = "first"
[[network.layers]]
type = "linear"
name = "fc"
out_features = 5
[[network.layers]]
type = "lif"
name = "second"
reset = "soft"
decay = "exact"
decay_input = false
)";
inline const Shape kLearnedTausInput{4};

/// Current-based and adaptive neurons, with everything that they learn.
inline const std::string kRowNeurons = R"(
[network]
dt_ms = 2.0
cuba_lif = {tau_mem_ms = 8.0, tau_syn_ms = 5.0, v_th = 0.5, detach_reset = false, learn_tau = true}
adlif = {tau_mem_max_ms = 12.0, tau_adapt_min_ms = 10.0, tau_adapt_max_ms = 30.0, adaptation = 2.0, v_th = 0.4, detach_reset = false, surrogate = "atan"}
[[network.layers]]
type = "cuba_lif"
name = "currents"
v_th = 2.0
reset = "soft"
decay_input = false
[[network.layers]]
type = "linear"
out_features = 5
[[network.layers]]
type = "adlif"
name = "symplectic"
[[network.layers]]
type = "linear"
out_features = 4
[[network.layers]]
type = "adlif"
name = "forward"
integration = "forward"
[[network.layers]]
type = "linear"
out_features = 3
[[network.layers]]
type = "cuba_lif"
)";
inline const Shape kRowNeuronsInput{4};

/// Populations that feed back to themselves, one tick later and with learned delays.
inline const std::string kRecurrent = R"(
[network]
dt_ms = 2.0
recurrent = {tau_mem_ms = 6.0, v_th = 0.3, detach_reset = false}
[[network.layers]]
type = "linear"
out_features = 5
[[network.layers]]
type = "recurrent"
name = "one_tick"
neuron = "lif"
learn_tau = true
[[network.layers]]
type = "linear"
out_features = 18
[[network.layers]]
type = "recurrent"
name = "delayed"
neuron = "cuba_lif"
delays = "learned"
max_delay_ticks = 4
width = 1.0
learn_width = true
reset = "soft"
)";
/// The same with adaptive neurons and without self-connections.
inline const std::string kRecurrentAdaptive = R"(
[network]
dt_ms = 2.0
[network.recurrent]
neuron = "adlif"
v_th = 0.3
detach_reset = false
surrogate = "atan"
adaptation = 2.0
tau_mem_max_ms = 12.0
tau_adapt_min_ms = 10.0
tau_adapt_max_ms = 30.0
self_connections = false
[[network.layers]]
type = "linear"
out_features = 6
[[network.layers]]
type = "recurrent"
name = "delayed"
delays = "learned"
bump = "triangle"
width = 0.7
max_delay_ticks = 2
[[network.layers]]
type = "linear"
out_features = 5
[[network.layers]]
type = "recurrent"
name = "one_tick"
)";
inline const Shape kRecurrentInput{4};

/// Nodes that several others read, sums, and a readout that fires.
inline const std::string kResidual = R"(
[network]
dt_ms = 2.0
lif = {tau_mem_ms = 4.0, v_th = 0.3, detach_reset = false}
[[network.layers]]
type = "conv2d"
name = "stem"
channels = 3
padding = 1
[[network.layers]]
type = "lif"
name = "spikes"
[[network.layers]]
type = "conv2d"
name = "branch"
channels = 3
padding = 1
[[network.layers]]
type = "batch_norm"
name = "norm"
[[network.layers]]
type = "conv2d"
name = "direct"
channels = 3
kernel = 1
inputs = ["input"]
[[network.layers]]
type = "add"
name = "sum"
inputs = ["spikes", "norm", "direct", "spikes"]
[[network.layers]]
type = "lif"
name = "after"
reset = "soft"
[[network.layers]]
type = "flatten"
[[network.layers]]
type = "linear"
name = "head"
out_features = 4
[[network.layers]]
type = "lif"
name = "out"
)";
inline const Shape kResidualInput{4, 5, 2};

/// Every kind of node that works on tokens, with gates of spikes and of real values, and two residual paths.
inline const std::string kTokens = R"(
[network]
dt_ms = 1.0
lif = {tau_mem_ms = 2.0, v_th = 0.3, detach_reset = false, surrogate = "sigmoid"}
linear = {per_token = true}
[[network.layers]]
type = "conv2d"
name = "patch"
channels = 5
kernel = 2
stride = 2
[[network.layers]]
type = "batch_norm"
name = "norm"
[[network.layers]]
type = "lif"
name = "stem"
[[network.layers]]
type = "position"
name = "place"
time_ticks = 6
[[network.layers]]
type = "depthwise_conv2d"
name = "cpe"
[[network.layers]]
type = "add"
name = "x1"
inputs = ["place", "cpe"]
[[network.layers]]
type = "layer_norm"
name = "u"
[[network.layers]]
type = "linear"
name = "w_g"
out_features = 5
[[network.layers]]
type = "activation"
name = "gate"
[[network.layers]]
type = "linear"
name = "w_q"
out_features = 5
bias = false
inputs = ["u"]
[[network.layers]]
type = "batch_norm"
name = "norm_q"
[[network.layers]]
type = "lif"
name = "q"
[[network.layers]]
type = "depthwise_conv2d"
name = "filter"
bias = false
inputs = ["u"]
[[network.layers]]
type = "lif"
name = "k"
[[network.layers]]
type = "multiply"
name = "meet"
inputs = ["q", "k"]
[[network.layers]]
type = "multiply"
name = "gated"
inputs = ["meet", "gate"]
[[network.layers]]
type = "linear"
name = "w_o"
out_features = 5
[[network.layers]]
type = "drop_path"
p = 0.4
[[network.layers]]
type = "add"
name = "x2"
inputs = ["x1", "drop_path1"]
[[network.layers]]
type = "layer_norm"
name = "norm2"
[[network.layers]]
type = "linear"
name = "w_1"
out_features = 7
[[network.layers]]
type = "activation"
function = "gelu"
[[network.layers]]
type = "linear"
name = "w_2"
out_features = 5
[[network.layers]]
type = "add"
name = "x3"
inputs = ["x2", "w_2"]
[[network.layers]]
type = "mean_tokens"
[[network.layers]]
type = "linear"
name = "head"
per_token = false
out_features = 3
start = "trunc_normal"
)";
inline const Shape kTokensInput{6, 4, 2};

/// Two attentions: shifted windows of spikes with rope, then a causal one that forgets, whose queries are its keys.
inline const std::string kAttention = R"(
[network]
dt_ms = 2.0
lif = {tau_mem_ms = 4.0, v_th = 0.3, detach_reset = false}
conv2d = {kernel = 1}
layers = [
  {type = "conv2d", name = "stem", channels = 8, kernel = 3, padding = 1},
  {type = "conv2d", name = "wq", channels = 8, inputs = ["stem"]},
  {type = "lif", name = "q"},
  {type = "conv2d", name = "wk", channels = 8, inputs = ["stem"]},
  {type = "lif", name = "k"},
  {type = "attention", name = "mix", inputs = ["q", "k", "stem"], heads = 2, rope = "model", window_size = [1, 2, 2], window_shift = [0, 1, 1]},
  {type = "batch_norm", name = "norm"},
  {type = "lif", name = "mixed"},
  {type = "attention", name = "past", inputs = ["mixed", "mixed", "mix"], heads = 4, feature = "spike", eps = 0.5, decay = "head", window_size = [0, 0, 3], causal = true},
  {type = "add", name = "sum", inputs = ["past", "stem"]},
  {type = "flatten"},
  {type = "linear", name = "head", out_features = 3},
  {type = "leaky_integrator", name = "out"},
]
)";
inline const Shape kAttentionInput{3, 5, 2};

}  // namespace synfire::test
