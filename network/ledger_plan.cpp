#include "network/ledger_plan.hpp"

#include <algorithm>
#include <type_traits>

#include "network/describe.hpp"

namespace synfire::network {

namespace {

enum class Part : std::uint8_t { synapses, norm, neurons, passes_on };

Part part_of(const Operation& operation) {
  if (std::holds_alternative<FlattenSpec>(operation) || std::holds_alternative<DropoutSpec>(operation) ||
      std::holds_alternative<DropPathSpec>(operation)) {
    return Part::passes_on;
  }
  if (std::holds_alternative<BatchNormSpec>(operation)) return Part::norm;
  const bool neurons = std::holds_alternative<LifSpec>(operation) || std::holds_alternative<CubaLifSpec>(operation) ||
                       std::holds_alternative<AdlifSpec>(operation) ||
                       std::holds_alternative<LeakyIntegratorSpec>(operation);
  return neurons ? Part::neurons : Part::synapses;
}

/// Builds the plan node by node.
class Planner {
 public:
  explicit Planner(const NetworkSpec& spec) : spec_(spec), inputs_(input_indices(spec)) {}

  LedgerPlan plan() {
    for (std::size_t i = 0; i < spec_.nodes.size(); ++i) place(static_cast<int>(i));
    return plan_;
  }

 private:
  void place(int node) {
    const NodeSpec& spec = spec_.nodes[static_cast<std::size_t>(node)];
    const Part part = part_of(spec.operation);
    const int source = inputs_[static_cast<std::size_t>(node)].front();
    const int before = source < 0 ? -1 : plan_.layer_of_node[static_cast<std::size_t>(source)];
    const bool joins = part == Part::passes_on ||
                       (part != Part::synapses && before >= 0 && !has_neurons_[static_cast<std::size_t>(before)]);
    const int layer = joins ? before : static_cast<int>(plan_.layers.size());
    plan_.layer_of_node.push_back(layer);
    if (layer < 0 || part == Part::passes_on) return;

    const auto at = static_cast<std::size_t>(layer);
    const std::string kind(kind_name(spec.operation));
    if (!joins) {
      LayerLedger& opened = plan_.layers.emplace_back();
      opened.name = spec.name;
      opened.kind = kind;
      plan_.first_node.push_back(node);
      plan_.last_node.push_back(node);
      has_neurons_.push_back(false);
    } else {
      plan_.layers[at].kind += "+" + kind;
      plan_.last_node[at] = node;
    }
    has_neurons_[at] = part == Part::neurons || std::holds_alternative<RecurrentSpec>(spec.operation);
    plan_.layers[at].sizes.fires = has_neurons_[at] && !std::holds_alternative<LeakyIntegratorSpec>(spec.operation);
  }

  const NetworkSpec& spec_;
  std::vector<std::vector<int>> inputs_;
  std::vector<bool> has_neurons_;  // of each layer
  LedgerPlan plan_;
};

}  // namespace

template <class Scalar>
LedgerPlan plan_ledger(const Network<Scalar>& network) {
  LedgerPlan plan = Planner(network.spec).plan();
  const std::vector<NodeFacts> facts = describe(network.spec, network.input);
  const std::vector<std::vector<int>> inputs = input_indices(network.spec);
  std::size_t tensor = 0;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    for (std::size_t k = 0; k < facts[i].parameters.size(); ++k, ++tensor) {
      if (plan.layer_of_node[i] < 0) continue;
      LayerLedger::Sizes& sizes = plan.layers[static_cast<std::size_t>(plan.layer_of_node[i])].sizes;
      const auto elements = static_cast<std::uint64_t>(network.tensors[tensor].value.size());
      (network.tensors[tensor].trained ? sizes.parameters : sizes.constants) += elements;
    }
  }
  for (std::size_t layer = 0; layer < plan.layers.size(); ++layer) {
    LayerLedger::Sizes& sizes = plan.layers[layer].sizes;
    for (const int source : inputs[static_cast<std::size_t>(plan.first_node[layer])]) {
      const Shape& shape = source < 0 ? network.input : facts[static_cast<std::size_t>(source)].output;
      sizes.input_bytes += static_cast<std::uint64_t>(shape.size()) * sizeof(Scalar);
    }
    const Shape& output = facts[static_cast<std::size_t>(plan.last_node[layer])].output;
    sizes.output_bytes = static_cast<std::uint64_t>(output.size()) * sizeof(Scalar);
  }
  return plan;
}

template LedgerPlan plan_ledger(const Network<float>&);
template LedgerPlan plan_ledger(const Network<double>&);

}  // namespace synfire::network
