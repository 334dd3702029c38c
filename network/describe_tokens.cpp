#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "network/node_facts.hpp"

namespace synfire::network {

namespace {

using Start = ParameterFacts::Start;

/// Of tables of positions, as is customary.
constexpr double kTableSpread = 0.02;

ParameterFacts offsets(const std::string& name, std::ptrdiff_t channels, Start start) {
  return {name, Shape{channels}, start, true, TensorKind::offset};
}

}  // namespace

void need(bool holds, const std::string& problem) {
  if (!holds) throw ShapeError(problem);
}

const Shape& need_image(NodeInputs inputs, std::string_view kind) {
  need(inputs[0].rank() == 3, fmt::format("{} needs an image [H, W, C], got {}", kind, inputs[0].text()));
  return inputs[0];
}

ParameterFacts::Start start_for(std::ptrdiff_t fan_in) {
  return Start::within(1.0 / std::sqrt(static_cast<double>(fan_in)));
}

NodeFacts facts(const DepthwiseConv2dSpec& spec, NodeInputs inputs) {
  const Shape& in = need_image(inputs, "depthwise_conv2d");
  const std::ptrdiff_t taps = std::ptrdiff_t{spec.kernel} * spec.kernel;
  NodeFacts result{in, {}, static_cast<double>(in.size() * taps)};
  result.parameters.push_back({"weight", Shape{in.channels(), 1, spec.kernel, spec.kernel}, start_for(taps)});
  if (spec.bias) result.parameters.push_back(offsets("bias", in.channels(), start_for(taps)));
  return result;
}

NodeFacts facts(const LayerNormSpec&, NodeInputs inputs) {
  const std::ptrdiff_t channels = inputs[0].channels();
  return {inputs[0],
          {offsets("gamma", channels, Start::constant(1.0)), offsets("beta", channels, Start::constant(0.0))},
          0.0};
}

NodeFacts facts(const ActivationSpec&, NodeInputs inputs) { return {inputs[0], {}, 0.0}; }

NodeFacts facts(const MultiplySpec&, NodeInputs inputs) {
  need(inputs[0] == inputs[1],
       fmt::format("multiply needs inputs of one shape, got {} and {}", inputs[0].text(), inputs[1].text()));
  return {inputs[0], {}, 0.0};
}

NodeFacts facts(const PositionSpec& spec, NodeInputs inputs) {
  const Shape& in = need_image(inputs, "position");
  NodeFacts result{in, {}, 0.0};
  if (spec.space) {
    result.parameters.push_back({"space", in, Start::normal(kTableSpread), true, TensorKind::offset});
  }
  if (spec.time_ticks > 0) {
    result.parameters.push_back(
        {"time", Shape{spec.time_ticks, in.channels()}, Start::constant(0.0), true, TensorKind::offset});
  }
  return result;
}

NodeFacts facts(const DropPathSpec&, NodeInputs inputs) { return {inputs[0], {}, 0.0}; }

NodeFacts facts(const MeanTokensSpec&, NodeInputs inputs) {
  return {Shape{need_image(inputs, "mean_tokens").channels()}, {}, 0.0};
}

}  // namespace synfire::network
