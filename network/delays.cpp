#include "network/delays.hpp"

#include <algorithm>
#include <cmath>

namespace synfire::network {

namespace {

/// The delays of a node, or null.
const DelayedLinearSpec* delays_in(const NodeSpec& node) {
  if (const auto* delayed = std::get_if<DelayedLinearSpec>(&node.operation)) return delayed;
  const auto* recurrent = std::get_if<RecurrentSpec>(&node.operation);
  return recurrent != nullptr && recurrent->delays ? &*recurrent->delays : nullptr;
}

/// Calls `body(node, spec)` for each node with delays.
template <class Body>
void each_delayed(const NetworkSpec& spec, const Body& body) {
  for (const NodeSpec& node : spec.nodes) {
    if (const DelayedLinearSpec* delayed = delays_in(node)) body(node, *delayed);
  }
}

}  // namespace

bool has_learned_delays(const NetworkSpec& spec) {
  bool found = false;
  each_delayed(spec, [&](const NodeSpec&, const DelayedLinearSpec& delayed) { found = found || delayed.learn_delays; });
  return found;
}

template <class Scalar>
void narrow_bumps(Network<Scalar>& network, double share, double final_width) {
  each_delayed(network.spec, [&](const NodeSpec& node, const DelayedLinearSpec& delayed) {
    if (!delayed.learn_delays || delayed.learn_width || delayed.width <= final_width) return;
    const double width = delayed.width * std::pow(final_width / delayed.width, share);
    const std::span<Scalar> values = network.tensor(node.name + ".width").value.span();
    std::fill(values.begin(), values.end(), static_cast<Scalar>(width));
  });
}

double mean_bump_width(const Network<float>& network) {
  double sum = 0.0, count = 0.0;
  each_delayed(network.spec, [&](const NodeSpec& node, const DelayedLinearSpec& delayed) {
    if (!delayed.learn_delays) return;
    const std::span<const float> values = network.tensor(node.name + ".width").value.span();
    for (const float width : values) sum += std::abs(width);
    count += static_cast<double>(values.size());
  });
  return sum / count;
}

template <class Scalar>
void bring_within_bounds(Network<Scalar>& network) {
  for (NamedTensor<Scalar>& tensor : network.tensors) {
    if (std::isinf(tensor.lowest) && std::isinf(tensor.highest)) continue;
    const auto lowest = static_cast<Scalar>(tensor.lowest), highest = static_cast<Scalar>(tensor.highest);
    for (Scalar& value : tensor.value.span()) value = std::clamp(value, lowest, highest);
  }
}

template <class Scalar>
void round_delays(Network<Scalar>& network) {
  for (NamedTensor<Scalar>& tensor : network.tensors) {
    if (tensor.kind != TensorKind::position) continue;
    for (Scalar& value : tensor.value.span()) value = std::nearbyint(value);
  }
}

template <class Scalar>
bool has_unrounded_delays(const Network<Scalar>& network) {
  return std::any_of(network.tensors.begin(), network.tensors.end(), [](const NamedTensor<Scalar>& tensor) {
    const std::span<const Scalar> values = tensor.value.span();
    return tensor.kind == TensorKind::position &&
           std::any_of(values.begin(), values.end(), [](Scalar value) { return value != std::nearbyint(value); });
  });
}

std::vector<NodeDelays> delays_of(const Network<float>& network) {
  std::vector<NodeDelays> result;
  each_delayed(network.spec, [&](const NodeSpec& node, const DelayedLinearSpec& delayed) {
    // What comes back to a population needs one tick more.
    const int first = std::holds_alternative<RecurrentSpec>(node.operation) ? 1 : 0;
    NodeDelays& of_node = result.emplace_back(NodeDelays{node.name, first + delayed.delay.max_delay, {}});
    const auto middle = static_cast<float>(first + delayed.delay.middle());
    for (const float position : network.tensor(node.name + ".position").value.span()) {
      of_node.delays.push_back(middle - position);
    }
  });
  return result;
}

template void narrow_bumps(Network<float>&, double, double);
template void narrow_bumps(Network<double>&, double, double);
template void round_delays(Network<float>&);
template void round_delays(Network<double>&);
template bool has_unrounded_delays(const Network<float>&);
template bool has_unrounded_delays(const Network<double>&);
template void bring_within_bounds(Network<float>&);
template void bring_within_bounds(Network<double>&);

}  // namespace synfire::network
