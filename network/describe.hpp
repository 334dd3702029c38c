#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "network/spec.hpp"

namespace synfire::network {

/// A tensor that a node needs, before it exists.
struct ParameterFacts {
  /// How it is drawn: uniform in [low, high) and then brought within its bounds, rounded to whole numbers or not; or 1
  /// with probability `high` and else 0; or a matrix with orthonormal rows; or normal
  /// with mean `low` and standard deviation `high`; or ln(1 + k) where k counts along the last axis; or what softplus
  /// turns into steps whose logarithm is uniform between those of `low` and `high`.
  struct Start {
    enum class Law : std::uint8_t { uniform, uniform_whole, bernoulli, orthogonal, normal, log_count, steps };
    Law law = Law::uniform;
    double low = 0.0, high = 0.0;

    double middle() const { return 0.5 * (low + high); }
    double half() const { return 0.5 * (high - low); }

    static Start constant(double value) { return {Law::uniform, value, value}; }
    static Start normal(double spread) { return {Law::normal, 0.0, spread}; }
    static Start log_count() { return {Law::log_count, 0.0, 0.0}; }
    static Start of_steps(double shortest, double longest) { return {Law::steps, shortest, longest}; }
    static Start within(double bound) { return {Law::uniform, -bound, bound}; }
  };

  std::string name;  ///< "weight"; the network's tensor is "conv1.weight"
  Shape shape;
  Start start;
  bool trained = true;
  TensorKind kind = TensorKind::weight;
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
};

/// What follows from a node's description and the shapes of its inputs.
struct NodeFacts {
  Shape output;  ///< one tick of one sample: [H, W, C] or [C]
  std::vector<ParameterFacts> parameters;
  double macs_per_tick = 0.0;  ///< multiply-accumulates of a dense run
  int extra_ticks = 0;         ///< by which the output is longer than the input
};

/// \param inputs  one tick of one sample, for each input of the node
/// \throws ShapeError `[build] layer "conv2": ...` if they do not fit
NodeFacts describe(const NodeSpec& node, std::span<const Shape> inputs, double dt_ms);

/// The same for every node of a network that reads `input`.
std::vector<NodeFacts> describe(const NetworkSpec& spec, const Shape& input);

/// Ticks by which the output of each node is longer than the network's input.
/// \throws ShapeError if the inputs of a node differ in it
std::vector<int> extra_ticks(const NetworkSpec& spec, const std::vector<NodeFacts>& facts);

/// For each node and each of its inputs, the index of the node it reads; -1 is the network's input.
std::vector<std::vector<int>> input_indices(const NetworkSpec& spec);

}  // namespace synfire::network
