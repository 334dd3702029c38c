#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "network/describe.hpp"

/// What the descriptions of kinds of nodes share. Private to the room: not installed.
namespace synfire::network {

/// What a node may know of its surroundings.
struct NodeInputs {
  std::span<const Shape> shapes;
  double dt_ms;

  const Shape& operator[](std::size_t k) const { return shapes[k]; }
};

/// \throws ShapeError unless it holds
void need(bool holds, const std::string& problem);
/// The shape of the first input, which must be [H, W, C].
const Shape& need_image(NodeInputs inputs, std::string_view kind);

/// Uniform in +-1/sqrt(fan_in).
ParameterFacts::Start start_for(std::ptrdiff_t fan_in);

// Of the nodes of token_specs.hpp.
NodeFacts facts(const DepthwiseConv2dSpec& spec, NodeInputs inputs);
NodeFacts facts(const LayerNormSpec& spec, NodeInputs inputs);
NodeFacts facts(const ActivationSpec& spec, NodeInputs inputs);
NodeFacts facts(const MultiplySpec& spec, NodeInputs inputs);
NodeFacts facts(const PositionSpec& spec, NodeInputs inputs);
NodeFacts facts(const DropPathSpec& spec, NodeInputs inputs);
NodeFacts facts(const MeanTokensSpec& spec, NodeInputs inputs);

// Of the nodes that mix tokens.
NodeFacts facts(const AttentionSpec& spec, NodeInputs inputs);

// Of the nodes of scan_specs.hpp.
NodeFacts facts(const CausalConv1dSpec& spec, NodeInputs inputs);
NodeFacts facts(const SelectiveScanSpec& spec, NodeInputs inputs);
/// The rank that it has for that many channels.
std::ptrdiff_t scan_rank(const SelectiveScanSpec& spec, std::ptrdiff_t channels);

}  // namespace synfire::network
