#include "network/spec.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "network/builders/builder.hpp"
#include "network/layer_table.hpp"
#include "network/spec_mixers.hpp"
#include "network/spec_neurons.hpp"
#include "network/spec_scan.hpp"
#include "network/spec_tokens.hpp"

namespace synfire::network {

namespace {

constexpr std::int64_t kMaxChannels = 1 << 20;
constexpr std::int64_t kMaxWindow = 1024;
constexpr std::int64_t kMaxDelay = 1 << 14;  // ticks
constexpr std::int64_t kMaxKernels = 64;

synapses::PoolGeometry read_pool(const LayerTable& table) {
  synapses::PoolGeometry geometry;
  geometry.kernel = table.integer("kernel", 2, 1, kMaxWindow);
  geometry.stride = table.integer("stride", geometry.kernel, 1, kMaxWindow);
  return geometry;
}

Operation read_linear(const LayerTable& table) {
  return LinearSpec{table.integer("out_features", {}, 1, kMaxChannels), table.flag("bias", true),
                    table.flag("per_token", false), read_linear_start(table)};
}

Operation read_conv2d(const LayerTable& table) {
  Conv2dSpec spec;
  spec.channels = table.integer("channels", {}, 1, kMaxChannels);
  spec.kernel = table.integer("kernel", 3, 1, kMaxWindow);
  spec.stride = table.integer("stride", 1, 1, kMaxWindow);
  spec.padding = table.integer("padding", 0, 0, kMaxWindow);
  spec.bias = table.flag("bias", false);
  spec.whole = table.flag("whole", false);
  if (spec.padding >= spec.kernel) {
    table.fail("padding", fmt::format("must be smaller than the kernel ({}), got {}", spec.kernel, spec.padding));
  }
  return spec;
}

Operation read_max_pool(const LayerTable& table) { return MaxPoolSpec{read_pool(table)}; }
Operation read_avg_pool(const LayerTable& table) { return AvgPoolSpec{read_pool(table)}; }

Operation read_batch_norm(const LayerTable& table) {
  return BatchNormSpec{{table.number("eps", 1e-5, 1e-12, 1.0), table.number("momentum", 0.1, 0.0, 1.0)}};
}

Operation read_dropout(const LayerTable& table) { return DropoutSpec{table.number("p", 0.5, 0.0, 0.999)}; }
Operation read_flatten(const LayerTable&) { return FlattenSpec{}; }

Operation read_add(const LayerTable&) { return AddSpec{}; }
Operation read_vote(const LayerTable& table) { return VoteSpec{table.integer("group", 10, 1, kMaxChannels)}; }

/// The delays of synapses that are learned or fixed.
void read_delays(const LayerTable& table, bool learned, DelayedLinearSpec& spec) {
  using synapses::DelayBump;
  spec.delay.max_delay = table.integer("max_delay_ticks", 24, 0, kMaxDelay);
  if (spec.delay.max_delay % 2 != 0) {
    table.fail("max_delay_ticks", fmt::format("must be even, got {}", spec.delay.max_delay));
  }
  spec.learn_delays = learned;
  if (learned) {
    spec.delay.bump =
        table.choice("bump", {"gauss", "triangle"}, "gauss") == "gauss" ? DelayBump::gauss : DelayBump::triangle;
    spec.width = table.number("width", spec.width, 0.0, kMaxDelay);
    spec.learn_width = table.flag("learn_width", false);
  } else {
    // At width 0 a triangle on a whole tick is one tap.
    spec.delay.bump = DelayBump::triangle;
    spec.width = 0.0;
  }
}

Operation read_delayed_linear(const LayerTable& table) {
  using synapses::DelayPer;
  DelayedLinearSpec spec;
  spec.out_features = table.integer("out_features", {}, 1, kMaxChannels);
  spec.delay.kernel_count = table.integer("kernel_count", 1, 1, kMaxKernels);
  read_delays(table, table.choice("delays", {"learned", "fixed"}, "learned") == "learned", spec);
  spec.delay.extra_ticks = table.integer("extra_ticks", spec.delay.middle(), 0, kMaxDelay);
  const std::string per = table.choice("delay_per", {"synapse", "input", "output"}, "synapse");
  spec.delay.per = per == "synapse" ? DelayPer::synapse : per == "input" ? DelayPer::input : DelayPer::output;
  spec.sparsity = table.number("sparsity", 0.0, 0.0, 0.999);
  return spec;
}

Operation read_recurrent(const LayerTable& table) {
  RecurrentSpec spec;
  spec.neuron = read_neuron(table);
  spec.self_connections = table.flag("self_connections", true);
  const std::string delays = table.choice("delays", {"none", "fixed", "learned"}, "none");
  if (delays != "none") {
    spec.delays.emplace();
    spec.delays->delay.extra_ticks = 0;
    read_delays(table, delays == "learned", *spec.delays);
  }
  return spec;
}

/// One row a kind of node, in the order of the variant.
struct Kind {
  const char* name;
  Operation (*read)(const LayerTable&);
  InputRange inputs = {};
};
constexpr std::size_t kAnyNumber = SIZE_MAX;
constexpr std::array<Kind, std::variant_size_v<Operation>> kKinds{{{"linear", read_linear},
                                                                   {"conv2d", read_conv2d},
                                                                   {"max_pool", read_max_pool},
                                                                   {"avg_pool", read_avg_pool},
                                                                   {"batch_norm", read_batch_norm},
                                                                   {"dropout", read_dropout},
                                                                   {"flatten", read_flatten},
                                                                   {"lif", read_lif},
                                                                   {"leaky_integrator", read_leaky_integrator},
                                                                   {"add", read_add, {2, kAnyNumber}},
                                                                   {"vote", read_vote},
                                                                   {"delayed_linear", read_delayed_linear},
                                                                   {"cuba_lif", read_cuba_lif},
                                                                   {"adlif", read_adlif},
                                                                   {"recurrent", read_recurrent},
                                                                   {"depthwise_conv2d", read_depthwise_conv2d},
                                                                   {"layer_norm", read_layer_norm},
                                                                   {"activation", read_activation},
                                                                   {"multiply", read_multiply, {2, 2}},
                                                                   {"position", read_position},
                                                                   {"drop_path", read_drop_path},
                                                                   {"mean_tokens", read_mean_tokens},
                                                                   {"attention", read_attention, {3, 4}},
                                                                   {"causal_conv1d", read_causal_conv1d},
                                                                   {"selective_scan", read_selective_scan}}};

bool is_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
}

bool has_node(const std::vector<NodeSpec>& nodes, const std::string& name) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const NodeSpec& node) { return node.name == name; });
}

void check_inputs(const ConfigTable& layer, const NodeSpec& node, const std::vector<NodeSpec>& before) {
  const InputRange range = input_range(node.operation);
  if (node.inputs.size() < range.least || node.inputs.size() > range.most) {
    layer.fail("inputs", fmt::format("{} takes {}, got {}", kind_name(node.operation), input_range_text(node.operation),
                                     node.inputs.size()));
  }
  for (const std::string& input : node.inputs) {
    if (input == kInputName || has_node(before, input)) continue;
    layer.fail("inputs", fmt::format("layer \"{}\" reads \"{}\", which is neither \"{}\" nor a layer before it",
                                     node.name, input, kInputName));
  }
}

NodeSpec read_node(const ConfigTable& network, const ConfigTable& layer, const NetworkSpec& spec,
                   std::map<std::string, int>& count_of_type) {
  std::vector<std::string> types;
  for (const Kind& kind : kKinds) types.emplace_back(kind.name);
  const std::string type = layer.choice("type", types);
  const Kind& kind = *std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.name == type; });

  NodeSpec node;
  node.name = layer.text("name", fmt::format("{}{}", type, ++count_of_type[type]));
  if (!is_name(node.name)) {
    layer.fail("name", fmt::format("letters, digits, _ and - make a name, got \"{}\"", node.name));
  }
  if (node.name == kInputName || has_node(spec.nodes, node.name)) {
    layer.fail("name", fmt::format("there are two layers named \"{}\"", node.name));
  }
  node.operation = kind.read(LayerTable(layer, network.table(type), spec.dt_ms));
  node.inputs =
      layer.texts("inputs", std::vector<std::string>{spec.nodes.empty() ? kInputName : spec.nodes.back().name});
  check_inputs(layer, node, spec.nodes);
  return node;
}

}  // namespace

std::string_view kind_name(const Operation& operation) { return kKinds[operation.index()].name; }

InputRange input_range(const Operation& operation) { return kKinds[operation.index()].inputs; }

std::string input_range_text(const Operation& operation) {
  static constexpr std::array kWords{"no", "one", "two", "three", "four"};
  const auto [least, most] = input_range(operation);
  if (most > least && most < kWords.size()) return fmt::format("{} or {} inputs", kWords.at(least), kWords.at(most));
  return fmt::format("{} input{}{}", kWords.at(least), least == 1 ? "" : "s", most > least ? " or more" : "");
}

neurons::LifConfig integrator_config(const LeakyIntegratorSpec& spec) {
  neurons::LifConfig config;
  config.tau_mem_ms = spec.tau_mem_ms;
  config.decay_input = spec.decay_input;
  config.decay = spec.decay;
  return config;
}

NetworkSpec read_network_spec(const ConfigTable& table) {
  NetworkSpec spec;
  spec.dt_ms = table.number("dt_ms", 1.0, 1e-6, kMaxMs);
  if (table.has("builder")) {
    build_by_name(table, spec);
    return spec;
  }
  const std::vector<ConfigTable> layers = table.tables("layers");
  if (layers.empty()) table.fail("layers", "a network needs at least one [[network.layers]], or a builder");

  std::map<std::string, int> count_of_type;
  for (const ConfigTable& layer : layers) spec.nodes.push_back(read_node(table, layer, spec, count_of_type));

  for (std::size_t i = 0; i + 1 < spec.nodes.size(); ++i) {
    const std::string& name = spec.nodes[i].name;
    const bool is_read = std::any_of(spec.nodes.begin(), spec.nodes.end(), [&](const NodeSpec& node) {
      return std::find(node.inputs.begin(), node.inputs.end(), name) != node.inputs.end();
    });
    if (!is_read) layers[i].fail("name", fmt::format("no layer reads the output of \"{}\"", name));
  }
  return spec;
}

}  // namespace synfire::network
