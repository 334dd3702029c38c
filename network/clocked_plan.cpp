#include "network/clocked_plan.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "network/describe.hpp"

namespace synfire::network {

template <class Scalar>
ClockedPlan<Scalar>::ClockedPlan(Network<Scalar>& network, const std::vector<View<Scalar>>& gradients,
                                 const Shape& input_shape, const Options& plan_options)
    : input(input_shape), options(plan_options), inputs_(input_indices(network.spec)) {
  make_nodes(network, gradients);
  plan_forward(network.spec);
  plan_output();
  if (options.mode == Mode::train) {
    plan_backward();
    count_kept_bytes();
  }
  arena.place();
}

template <class Scalar>
void ClockedPlan<Scalar>::make_nodes(Network<Scalar>& network, const std::vector<View<Scalar>>& gradients) {
  const std::vector<NodeFacts> facts = describe(network.spec, network.input);
  const std::vector<int> extra = extra_ticks(network.spec, facts);
  std::size_t tensor = 0;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const std::size_t count = facts[i].parameters.size();
    NodeContext<Scalar> context;
    context.index = static_cast<int>(i);
    context.dt_ms = network.spec.dt_ms;
    context.tensors = std::span(network.tensors).subspan(tensor, count);
    context.gradients = std::span(gradients).subspan(tensor, count);
    tensor += count;

    Node& node = nodes.emplace_back();
    node.stage = std::visit([&](const auto& operation) { return make_stage(operation, context); },
                            network.spec.nodes[i].operation);
    node.links.output.shape = facts[i].output.prepend(input[1]).prepend(input[0] + extra[i]);
    const bool has_trained = std::any_of(context.tensors.begin(), context.tensors.end(),
                                         [](const NamedTensor<Scalar>& t) { return t.trained; });
    const bool input_has = std::any_of(inputs_[i].begin(), inputs_[i].end(), [&](int k) {
      return k < 0 ? options.want_input_grad : nodes[static_cast<std::size_t>(k)].has_backward;
    });
    node.has_backward = options.mode == Mode::train && (has_trained || input_has);
  }
}

template <class Scalar>
void ClockedPlan<Scalar>::plan_forward(const NetworkSpec& spec) {
  for (int i = 0; i <= last_index(); ++i) {
    Node& node = nodes[static_cast<std::size_t>(i)];
    for (const int k : inputs_[static_cast<std::size_t>(i)]) {
      Wire wire{input};
      wire.values = kInputBuffer;
      node.links.inputs.push_back(k < 0 ? wire : nodes[static_cast<std::size_t>(k)].links.output);
    }
    node.links.grad_inputs.assign(node.links.inputs.size(), kNoBuffer);

    std::vector<int> consumers;
    for (int j = i + 1; j <= last_index(); ++j) {
      const auto& of_j = inputs_[static_cast<std::size_t>(j)];
      consumers.insert(consumers.end(), static_cast<std::size_t>(std::count(of_j.begin(), of_j.end(), i)), j);
    }
    NodePlan plan(arena, node.links, sizeof(Scalar), i, node.has_backward ? backward_step(i) : -1);
    plan.training = options.mode == Mode::train;
    plan.smooth = options.smooth;
    plan.rounded_delays = options.rounded_delays;
    plan.consumer_applies_affine =
        consumers.size() == 1 && nodes[static_cast<std::size_t>(consumers.front())].stage->applies_affine();
    try {
      node.stage->plan(plan);
    } catch (const ShapeError& error) {
      throw ShapeError(fmt::format("layer \"{}\": {}", spec.nodes[static_cast<std::size_t>(i)].name, error.what()));
    }
    grad_in_place_.push_back(plan.grad_in_place_of());
    node.kept_bytes = plan.saved_bytes();
  }
}

template <class Scalar>
void ClockedPlan<Scalar>::plan_output() {
  const int n = static_cast<int>(nodes.size());
  const Wire& last = nodes.back().links.output;
  if (last.spikes || last.values == kInputBuffer) {
    if (last.values >= 0) arena.extend(last.values, n);
    output = arena.add(static_cast<std::size_t>(last.shape.size()) * sizeof(Scalar), n, 2 * n + 1);
  } else {
    output = last.values;
    arena.extend(output, 2 * n + 1);
  }
}

template <class Scalar>
void ClockedPlan<Scalar>::plan_backward() {
  const int n = static_cast<int>(nodes.size());
  const auto bytes = [](const Shape& shape) { return static_cast<std::size_t>(shape.size()) * sizeof(Scalar); };
  if (!nodes.back().has_backward) return;
  Links& last = nodes.back().links;
  last.grad_output = arena.add(bytes(last.output.shape), n, backward_step(last_index()));

  for (int j = last_index(); j >= 0; --j) {
    Node& node = nodes[static_cast<std::size_t>(j)];
    if (!node.has_backward) continue;
    Links& links = node.links;
    for (std::size_t k = 0; k < links.inputs.size(); ++k) {
      const int source = inputs_[static_cast<std::size_t>(j)][k];
      const bool wanted = source < 0 ? options.want_input_grad : nodes[static_cast<std::size_t>(source)].has_backward;
      if (!wanted) continue;

      const bool in_place = grad_in_place_[static_cast<std::size_t>(j)] == static_cast<int>(k);
      const BufferId grad =
          in_place ? links.grad_output : arena.add(bytes(links.inputs[k].shape), backward_step(j), backward_step(j));
      links.grad_inputs[k] = grad;
      BufferId& whole = source < 0 ? input_grad : nodes[static_cast<std::size_t>(source)].links.grad_output;
      if (whole == kNoBuffer) {
        whole = grad;
        arena.extend(grad, source < 0 ? 2 * n + 1 : backward_step(source));
      } else {
        node.sums_after_backward.push_back({grad, whole, links.inputs[k].shape});
      }
    }
  }
}

template <class Scalar>
void ClockedPlan<Scalar>::count_kept_bytes() {
  const int n = static_cast<int>(nodes.size());
  for (Node& node : nodes) {
    const BufferId values = node.links.output.values;
    const bool is_of_input = values == node.links.inputs[0].values;
    if (!is_of_input && arena.last(values) > n) node.kept_bytes += arena.bytes(values);
  }
}

template <class Scalar>
bool ClockedPlan<Scalar>::fits(const Shape& shape, const Options& wanted) const {
  return input == shape && options == wanted &&
         std::all_of(nodes.begin(), nodes.end(), [](const Node& node) { return node.stage->fits(); });
}

template struct ClockedPlan<float>;
template struct ClockedPlan<double>;

}  // namespace synfire::network
