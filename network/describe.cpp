#include "network/describe.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "network/neuron_parameters.hpp"
#include "network/node_facts.hpp"

namespace synfire::network {

namespace {

using Start = ParameterFacts::Start;

/// More elements than this are a mistake in the configuration rather than a tensor.
constexpr std::ptrdiff_t kMaxElements = std::ptrdiff_t{1} << 32;

/// Of a linear map whose start does not go by its inputs, as is customary.
constexpr double kNormalSpread = 0.02;

/// Of a population that feeds back to itself: each has a weight from each, and the first weights are made orthogonal.
constexpr std::ptrdiff_t kMaxRecurrent = 4096;

const Shape& vector(NodeInputs inputs, std::string_view kind) {
  need(inputs[0].rank() == 1,
       fmt::format("{} needs a vector [C], got {}; a flatten in between makes one", kind, inputs[0].text()));
  return inputs[0];
}

ParameterFacts constant(const std::string& name, std::ptrdiff_t channels, double value, bool trained) {
  return {name, Shape{channels}, Start::constant(value), trained, trained ? TensorKind::offset : TensorKind::state};
}

NodeFacts facts(const LinearSpec& spec, NodeInputs inputs) {
  const Shape& shape = spec.per_token ? need_image(inputs, "linear with per_token") : vector(inputs, "linear");
  const std::ptrdiff_t in = shape.channels();
  NodeFacts result{Shape{spec.out_features}, {}, static_cast<double>(shape.size()) * spec.out_features};
  if (spec.per_token) result.output = Shape{shape[0], shape[1], spec.out_features};
  const bool from_fan_in = spec.start == LinearStart::fan_in;
  result.parameters.push_back(
      {"weight", Shape{spec.out_features, in}, from_fan_in ? start_for(in) : Start::normal(kNormalSpread)});
  if (spec.bias) {
    result.parameters.push_back({"bias", Shape{spec.out_features}, from_fan_in ? start_for(in) : Start::constant(0.0),
                                 true, TensorKind::offset});
  }
  return result;
}

NodeFacts facts(const Conv2dSpec& spec, NodeInputs inputs) {
  const Shape& in = need_image(inputs, "conv2d");
  for (int axis = 0; axis < 2; ++axis) {
    need(in[axis] + 2 * spec.padding >= spec.kernel,
         fmt::format("kernel {} with padding {} is larger than the image {}", spec.kernel, spec.padding, in.text()));
  }
  for (int axis = 0; axis < 2 && spec.whole; ++axis) {
    need((in[axis] + 2 * spec.padding - spec.kernel) % spec.stride == 0,
         fmt::format("windows of {} at a distance of {} leave out an edge of the image {}", spec.kernel, spec.stride,
                     in.text()));
  }
  const auto extent = [&](std::ptrdiff_t n) { return (n + 2 * spec.padding - spec.kernel) / spec.stride + 1; };
  const std::ptrdiff_t fan_in = in[2] * spec.kernel * spec.kernel;
  NodeFacts result{Shape{extent(in[0]), extent(in[1]), spec.channels}, {}, 0.0};
  result.macs_per_tick = static_cast<double>(result.output.size()) * static_cast<double>(fan_in);
  result.parameters.push_back({"weight", Shape{spec.channels, in[2], spec.kernel, spec.kernel}, start_for(fan_in)});
  if (spec.bias) {
    result.parameters.push_back({"bias", Shape{spec.channels}, start_for(fan_in), true, TensorKind::offset});
  }
  return result;
}

NodeFacts pooled(const synapses::PoolGeometry& geometry, NodeInputs inputs, std::string_view kind) {
  const Shape& in = need_image(inputs, kind);
  need(in[0] >= geometry.kernel && in[1] >= geometry.kernel,
       fmt::format("a window of {} is larger than the image {}", geometry.kernel, in.text()));
  const auto extent = [&](std::ptrdiff_t n) { return (n - geometry.kernel) / geometry.stride + 1; };
  return {Shape{extent(in[0]), extent(in[1]), in[2]}, {}, 0.0};
}

NodeFacts facts(const MaxPoolSpec& spec, NodeInputs inputs) { return pooled(spec.geometry, inputs, "max_pool"); }
NodeFacts facts(const AvgPoolSpec& spec, NodeInputs inputs) { return pooled(spec.geometry, inputs, "avg_pool"); }

NodeFacts facts(const BatchNormSpec&, NodeInputs inputs) {
  const std::ptrdiff_t channels = inputs[0].channels();
  return {inputs[0],
          {constant("gamma", channels, 1.0, true), constant("beta", channels, 0.0, true),
           constant("running_mean", channels, 0.0, false), constant("running_var", channels, 1.0, false)},
          0.0};
}

NodeFacts facts(const DropoutSpec&, NodeInputs inputs) { return {inputs[0], {}, 0.0}; }

NodeFacts facts(const FlattenSpec&, NodeInputs inputs) {
  return {Shape{need_image(inputs, "flatten").size()}, {}, 0.0};
}

NodeFacts facts(const LifSpec& spec, NodeInputs inputs) {
  return {inputs[0], neuron_parameters(spec.config, inputs.dt_ms, inputs[0].channels()), 0.0};
}
NodeFacts facts(const CubaLifSpec& spec, NodeInputs inputs) {
  return {inputs[0], neuron_parameters(spec.config, inputs.dt_ms, inputs[0].channels()), 0.0};
}
NodeFacts facts(const AdlifSpec& spec, NodeInputs inputs) {
  return {inputs[0], neuron_parameters(spec.config, inputs.dt_ms, inputs[0].channels()), 0.0};
}
NodeFacts facts(const LeakyIntegratorSpec&, NodeInputs inputs) { return {inputs[0], {}, 0.0}; }

NodeFacts facts(const AddSpec&, NodeInputs inputs) {
  for (const Shape& in : inputs.shapes) {
    need(in == inputs[0], fmt::format("add needs inputs of one shape, got {} and {}", inputs[0].text(), in.text()));
  }
  return {inputs[0], {}, 0.0};
}

NodeFacts facts(const VoteSpec& spec, NodeInputs inputs) {
  const std::ptrdiff_t in = vector(inputs, "vote")[0];
  need(in % spec.group == 0, fmt::format("{} channels do not divide into groups of {}", in, spec.group));
  return {Shape{in / spec.group}, {}, 0.0};
}

NodeFacts facts(const DelayedLinearSpec& spec, NodeInputs inputs) {
  const std::ptrdiff_t in = vector(inputs, "delayed_linear")[0], out = spec.out_features;
  const std::ptrdiff_t kernels = spec.delay.kernel_count;
  NodeFacts result{Shape{out}, {}, 0.0, spec.delay.extra_ticks};
  result.macs_per_tick = static_cast<double>(in * kernels) * static_cast<double>(out);

  const double bound = std::sqrt(6.0 / static_cast<double>(in * kernels));
  result.parameters.push_back({"weight", Shape{out, in, kernels}, Start::within(bound)});
  const Shape shared{spec.delay.per == synapses::DelayPer::input ? 1 : out,
                     spec.delay.per == synapses::DelayPer::output ? 1 : in, kernels};
  const double middle = spec.delay.middle();
  // One tick wider at the low end, as in the reference: that part is brought back to the longest delay.
  const Start over_range{spec.learn_delays ? Start::Law::uniform : Start::Law::uniform_whole, -middle - 1.0, middle};
  result.parameters.push_back(
      {"position", shared, over_range, spec.learn_delays, TensorKind::position, -middle, middle});
  result.parameters.push_back({"width", shared, Start::constant(spec.width), spec.learn_width, TensorKind::width});
  if (spec.sparsity > 0.0) {
    const Start there{Start::Law::bernoulli, 0.0, 1.0 - spec.sparsity};
    result.parameters.push_back({"mask", Shape{out, in}, there, false, TensorKind::state});
  }
  return result;
}

NodeFacts facts(const RecurrentSpec& spec, NodeInputs inputs) {
  const std::ptrdiff_t n = vector(inputs, "recurrent")[0];
  need(n <= kMaxRecurrent, fmt::format("a recurrent population has at most {} neurons, got {}", kMaxRecurrent, n));
  NodeFacts result{Shape{n}, {}, static_cast<double>(n) * static_cast<double>(n)};
  const Start orthogonal{Start::Law::orthogonal};
  if (spec.delays) {
    DelayedLinearSpec delays = *spec.delays;
    delays.out_features = static_cast<int>(n);
    result = facts(delays, inputs);
    result.parameters[0].start = orthogonal;
  } else {
    result.parameters.push_back({"weight", Shape{n, n}, orthogonal});
  }
  const std::vector<ParameterFacts> of_neurons = neuron_parameters(spec.neuron, inputs.dt_ms, n);
  result.parameters.insert(result.parameters.end(), of_neurons.begin(), of_neurons.end());
  return result;
}

}  // namespace

NodeFacts describe(const NodeSpec& node, std::span<const Shape> inputs, double dt_ms) {
  try {
    const InputRange range = input_range(node.operation);
    need(
        inputs.size() >= range.least && inputs.size() <= range.most,
        fmt::format("{} takes {}, got {}", kind_name(node.operation), input_range_text(node.operation), inputs.size()));
    NodeFacts result = std::visit(
        [&](const auto& operation) {
          return facts(operation, NodeInputs{inputs, dt_ms});
        },
        node.operation);
    for (const ParameterFacts& parameter : result.parameters) {
      need(parameter.shape.size() <= kMaxElements,
           fmt::format("{} {} has more than 2^32 elements", parameter.name, parameter.shape.text()));
    }
    return result;
  } catch (const ShapeError& error) {
    throw ShapeError(fmt::format("[build] layer \"{}\": {}", node.name, error.what()));
  }
}

std::vector<std::vector<int>> input_indices(const NetworkSpec& spec) {
  std::vector<std::vector<int>> result;
  for (const NodeSpec& node : spec.nodes) {
    std::vector<int>& indices = result.emplace_back();
    for (const std::string& input : node.inputs) {
      const auto end = spec.nodes.begin() + static_cast<std::ptrdiff_t>(result.size()) - 1;
      const auto found =
          std::find_if(spec.nodes.begin(), end, [&](const NodeSpec& other) { return other.name == input; });
      if (found == end && input != kInputName) {
        throw ShapeError(fmt::format("[build] layer \"{}\": there is no layer \"{}\" before it", node.name, input));
      }
      indices.push_back(found == end ? -1 : static_cast<int>(found - spec.nodes.begin()));
    }
  }
  return result;
}

std::vector<NodeFacts> describe(const NetworkSpec& spec, const Shape& input) {
  if (spec.nodes.empty()) throw ShapeError("[build] a network needs at least one layer");
  if ((input.rank() != 1 && input.rank() != 3) || input.size() == 0) {
    throw ShapeError(fmt::format("[build] the input must be [H, W, C] or [C], none of them 0, got {}", input.text()));
  }
  const std::vector<std::vector<int>> indices = input_indices(spec);
  std::vector<NodeFacts> result;
  for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
    std::vector<Shape> shapes;
    for (const int index : indices[i]) {
      shapes.push_back(index < 0 ? input : result[static_cast<std::size_t>(index)].output);
    }
    result.push_back(describe(spec.nodes[i], shapes, spec.dt_ms));
  }
  if (result.back().output.rank() != 1) {
    throw ShapeError(fmt::format("[build] layer \"{}\": the last layer must give a vector [K], gives {}",
                                 spec.nodes.back().name, result.back().output.text()));
  }
  extra_ticks(spec, result);
  return result;
}

std::vector<int> extra_ticks(const NetworkSpec& spec, const std::vector<NodeFacts>& facts) {
  const std::vector<std::vector<int>> indices = input_indices(spec);
  std::vector<int> result;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const auto of_input = [&](int k) { return k < 0 ? 0 : result[static_cast<std::size_t>(k)]; };
    const int first = of_input(indices[i].front());
    for (const int k : indices[i]) {
      if (of_input(k) != first) {
        throw ShapeError(
            fmt::format("[build] layer \"{}\": one input is {} ticks longer than the network's, another {}",
                        spec.nodes[i].name, first, of_input(k)));
      }
    }
    result.push_back(first + facts[i].extra_ticks);
  }
  return result;
}

}  // namespace synfire::network
