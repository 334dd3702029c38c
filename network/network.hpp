#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/tensor.hpp"
#include "network/spec.hpp"

namespace synfire::network {

/// A tensor that belongs to the network and is saved with it: `node.weight`, `node.bias`, `node.gamma`, `node.beta`
/// (trained) or `node.running_mean`, `node.running_var` (moved by the training forward pass).
template <class Scalar>
struct NamedTensor {
  std::string name;
  Tensor<Scalar> value;
  bool trained = true;
  TensorKind kind = TensorKind::weight;
  /// Where its elements may lie. A trainer brings back what a step has moved outside.
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
};

/// A description with parameters: what is trained, saved and run. The runtimes hold a reference to it.
template <class Scalar>
struct Network {
  NetworkSpec spec;
  Shape input;                               ///< one tick of one sample: [H, W, C] or [C]
  std::vector<Shape> node_shapes;            ///< the same for the output of each node
  std::vector<NamedTensor<Scalar>> tensors;  ///< in the order of the nodes

  /// \throws ShapeError if there is no such tensor
  NamedTensor<Scalar>& tensor(const std::string& name);
  const NamedTensor<Scalar>& tensor(const std::string& name) const;
};

/// Checks that the shapes fit and draws the initial parameters: weights and biases uniform in +-1/sqrt(fan_in), gamma
/// 1, beta 0, running mean 0 and variance 1, delayed weights uniform in +-sqrt(6/fan_in), their positions over the
/// whole range. Same seed: same values. \throws ShapeError `[build] layer "conv2": ...`
template <class Scalar>
Network<Scalar> build(const NetworkSpec& spec, const Shape& input, std::uint64_t seed);

}  // namespace synfire::network
