#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "network/spec.hpp"

namespace synfire::network {

/// A tensor that a node needs, before it exists.
struct ParameterFacts {
  enum class Start : std::uint8_t { uniform, ones, zeros };  ///< uniform: in +-1/sqrt(fan_in)

  std::string name;  ///< "weight"; the network's tensor is "conv1.weight"
  Shape shape;
  Start start = Start::uniform;
  std::ptrdiff_t fan_in = 1;
  bool trained = true;
  bool weight_decay = true;
};

/// What follows from a node's description and the shapes of its inputs.
struct NodeFacts {
  Shape output;  ///< one tick of one sample: [H, W, C] or [C]
  std::vector<ParameterFacts> parameters;
  double macs_per_tick = 0.0;  ///< multiply-accumulates of a dense run
};

/// \param inputs  one tick of one sample, for each input of the node
/// \throws ShapeError `[build] layer "conv2": ...` if they do not fit
NodeFacts describe(const NodeSpec& node, std::span<const Shape> inputs);

/// The same for every node of a network that reads `input`.
std::vector<NodeFacts> describe(const NetworkSpec& spec, const Shape& input);

/// For each node and each of its inputs, the index of the node it reads; -1 is the network's input.
std::vector<std::vector<int>> input_indices(const NetworkSpec& spec);

}  // namespace synfire::network
