#include "network/event_ledger.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "network/describe.hpp"
#include "network/event_executed.hpp"
#include "network/ledger_plan.hpp"
#include "network/op_count.hpp"
#include "synapses/flatten.hpp"
#include "synapses/pool.hpp"

namespace synfire::network {

namespace {

constexpr std::uint64_t kWeightBytes = sizeof(std::int32_t), kEventBytes = sizeof(std::int32_t);

/// The output of a node: its spikes, or numbers. Nothing for currents, which the event engine never has as such.
struct NodeSignal {
  Tensor<std::uint8_t> spikes;
  Tensor<float> real;
  View<const float> input;  ///< the network's own

  bool is_current() const { return spikes.size() == 0 && real.size() == 0 && input.data == nullptr; }
  bool is_spikes() const { return spikes.size() > 0; }
  Signal<float> view() const {
    if (is_spikes()) return {spikes.shape(), nullptr, spikes.data(), Device::cpu};
    if (real.size() > 0) return {real.shape(), real.data(), nullptr, Device::cpu};
    return {input.shape, input.data, nullptr, Device::cpu};
  }
};

class EventCounter {
 public:
  EventCounter(const Network<float>& network, EventRuntime& runtime, View<const float> input, OpLedger& ledger)
      : network_(network),
        runtime_(runtime),
        ledger_(ledger),
        plan_(plan_ledger(network)),
        facts_(describe(network.spec, network.input)),
        inputs_(input_indices(network.spec)),
        extra_(extra_ticks(network.spec, facts_)),
        signals_(network.spec.nodes.size()) {
    if (ledger.layers.empty()) {
      ledger.layers = plan_.layers;
      ledger.engine = "event";
      ledger.mode = runtime.arithmetic() == EventArithmetic::lazy ? "L" : "S";
    }
    network_input_.input = input;
  }

  View<const float> count() {
    runtime_.record_spikes(true);
    const std::vector<EventCounts> before = runtime_.counts();
    const View<const float> output = runtime_.forward(network_input_.input);
    ledger_.samples += static_cast<std::uint64_t>(output.shape[1]);
    ledger_.ticks += static_cast<std::uint64_t>(network_input_.input.shape[0] * output.shape[1]);
    take_spikes();
    for (std::size_t i = 0; i < signals_.size(); ++i) {
      node_ = i;
      std::visit([&](const auto& operation) { pass(operation); }, network_.spec.nodes[i].operation);
    }
    if (!signals_.back().is_spikes() && signals_.back().real.size() == 0) {
      signals_.back().real = Tensor<float>(output.shape);
      std::copy(output.data, output.data + output.size(), signals_.back().real.data());
    }
    for (std::size_t layer = 0; layer < ledger_.layers.size(); ++layer) {
      const auto last = static_cast<std::size_t>(plan_.last_node[layer]);
      LayerLedger asked;
      if (signals_[last].is_current()) {
        count_current(last, asked);
      } else {
        const Signal<float> output_signal = signals_[last].view();
        count_output(output_signal, count_nonzero(output_signal), asked);
      }
      LayerLedger& record = ledger_.layers[layer];
      record.events_out += asked.events_out;
      record.output_elems += asked.output_elems;
      record.samples += asked.samples;
      record.ticks += asked.ticks;
      record.path_scatter += asked.ticks;
    }
    const std::vector<EventCounts> after = runtime_.counts();
    for (std::size_t p = 1; p < after.size(); ++p) add_executed(p, difference(after[p], before[p]));
    return output;
  }

 private:
  const NodeSignal& source(std::size_t k = 0) const {
    const int index = inputs_[node_][k];
    return index < 0 ? network_input_ : signals_[static_cast<std::size_t>(index)];
  }
  LayerLedger& record() { return ledger_.layers[static_cast<std::size_t>(plan_.layer_of_node[node_])]; }
  const Tensor<float>& tensor(const char* name) const {
    return network_.tensor(network_.spec.nodes[node_].name + "." + name).value;
  }

  /// The spikes of every population that fires, as the output of its node.
  void take_spikes() {
    const auto& populations = runtime_.program().populations;
    const auto batch = std::ssize(runtime_.spikes());
    for (const Population& population : populations) {
      if (population.kind != Population::Kind::neurons && population.kind != Population::Kind::any) continue;
      const std::ptrdiff_t ticks = network_input_.input.shape[0] + population.extra_ticks;
      signals_[static_cast<std::size_t>(population.node)].spikes =
          Tensor<std::uint8_t>(population.shape.prepend(batch).prepend(ticks));
    }
    for (std::ptrdiff_t b = 0; b < batch; ++b) {
      for (const EventSpike& spike : runtime_.spikes()[static_cast<std::size_t>(b)]) {
        const Population& population = populations[static_cast<std::size_t>(spike.population)];
        Tensor<std::uint8_t>& spikes = signals_[static_cast<std::size_t>(population.node)].spikes;
        spikes[(spike.tick * batch + b) * population.size() + spike.neuron] = 1;
      }
    }
  }

  /// What a layer is asked for, out of all that the clocked rules would count.
  void add_asked(const LayerLedger& clocked) {
    LayerLedger& to = record();
    to.dense_synops += clocked.dense_synops;
    to.eff_unit += clocked.eff_unit;
    to.eff_graded += clocked.eff_graded;
    to.nb_acs += clocked.nb_acs;
    to.nb_macs += clocked.nb_macs;
    to.events_in += clocked.events_in;
    to.input_elems += clocked.input_elems;
    to.io_rd += clocked.events_in * kEventBytes;
    to.addr_ops += 2 * clocked.events_in;
    if (clocked.sizes.weights == 0) return;
    to.sizes.weights = clocked.sizes.weights;
    to.sizes.zero_weights = clocked.sizes.zero_weights;
    to.sizes.weight_bytes = clocked.sizes.weights * kWeightBytes;
    to.sizes.once_macs = clocked.sizes.once_macs;
  }
  void read_inputs() {
    LayerLedger asked;
    for (std::size_t k = 0; k < inputs_[node_].size(); ++k) count_input(source(k).view(), asked);
    add_asked(asked);
  }

  /// How much there is of it; not its values.
  void count_current(std::size_t node, LayerLedger& asked) const {
    const Shape& in = network_input_.input.shape;
    const auto ticks = static_cast<std::uint64_t>(in[0] + extra_[node]), batch = static_cast<std::uint64_t>(in[1]);
    asked.samples += batch;
    asked.ticks += ticks * batch;
    asked.output_elems += ticks * batch * static_cast<std::uint64_t>(facts_[node].output.size());
  }

  void pass(const LinearSpec&) {
    LayerLedger clocked;
    count_linear<float>(source().view(), linear_fan_out<float>(tensor("weight").view()), false, clocked);
    add_asked(clocked);
  }
  void pass(const Conv2dSpec& spec) {
    synapses::Conv2dGeometry geometry;
    geometry.in_channels = static_cast<int>(source().view().shape.channels());
    geometry.out_channels = spec.channels;
    geometry.kernel_h = geometry.kernel_w = spec.kernel;
    geometry.stride = spec.stride;
    geometry.padding = spec.padding;
    LayerLedger clocked;
    const Signal<float> x = source().view();
    count_conv2d(x, geometry, conv2d_fan_out<float>(geometry, tensor("weight").view(), x.shape.drop_front(2)), false,
                 clocked);
    add_asked(clocked);
  }
  void pass(const DelayedLinearSpec& spec) {
    const View<const float> mask = spec.sparsity > 0.0 ? tensor("mask").view() : View<const float>{};
    LayerLedger clocked;
    const synapses::DelayParameters<float> p{tensor("weight").view(), tensor("position").view(), tensor("width").view(),
                                             mask, true};
    count_delayed_linear(source().view(), spec.delay, p, delay_fan_out(spec.delay, p), clocked);
    add_asked(clocked);
  }
  void pass(const MaxPoolSpec&) { read_inputs(); }
  void pass(const AvgPoolSpec& spec) {
    read_inputs();
    const Signal<float> x = source().view();
    signals_[node_].real = Tensor<float>(facts_[node_].output.prepend(x.shape[1]).prepend(x.shape[0]));
    synapses::avg_pool_forward(x, spec.geometry, signals_[node_].real.view());
  }
  void pass(const FlattenSpec&) {
    const Signal<float> x = source().view();
    const Shape shape{x.shape[0], x.shape[1], x.shape.size_from(2)};
    if (x.is_spikes()) {
      signals_[node_].spikes = Tensor<std::uint8_t>(shape);
      synapses::flatten_forward<std::uint8_t>({x.spikes, x.shape, x.device}, signals_[node_].spikes.view());
    } else {
      signals_[node_].real = Tensor<float>(shape);
      synapses::flatten_forward<float>({x.real, x.shape, x.device}, signals_[node_].real.view());
    }
  }
  void pass(const DropoutSpec&) {
    const Signal<float> x = source().view();
    if (x.is_spikes()) {
      signals_[node_].spikes = Tensor<std::uint8_t>(x.shape);
      std::copy(x.spikes, x.spikes + x.shape.size(), signals_[node_].spikes.data());
    } else if (x.real != nullptr) {
      signals_[node_].real = Tensor<float>(x.shape);
      std::copy(x.real, x.real + x.shape.size(), signals_[node_].real.data());
    }
  }
  void pass(const AddSpec&) {
    read_inputs();
    Tensor<float>& sum = signals_[node_].real;
    sum = Tensor<float>(source().view().shape);
    for (std::size_t k = 0; k < inputs_[node_].size(); ++k) {
      const Signal<float> x = source(k).view();
      for (std::ptrdiff_t n = 0; n < sum.size(); ++n) {
        sum[n] += x.is_spikes() ? static_cast<float>(x.spikes[n]) : x.real[n];
      }
    }
  }
  void pass(const VoteSpec&) { read_inputs(); }
  void pass(const RecurrentSpec& spec) {
    const Signal<float> spikes = signals_[node_].view();
    LayerLedger clocked;
    if (spec.delays) {
      const std::ptrdiff_t n = spikes.shape.channels();
      Tensor<float> mask(spec.self_connections ? Shape{0, 0} : Shape{n, n});
      for (std::ptrdiff_t k = 0; k < mask.size(); ++k) mask[k] = k % (n + 1) == 0 ? 0.0F : 1.0F;
      const synapses::DelayParameters<float> p{tensor("weight").view(), tensor("position").view(),
                                               tensor("width").view(), mask.view(), true};
      count_delayed_feedback(spikes, delay_fan_out(spec.delays->delay, p), clocked);
    } else {
      count_feedback(spikes, feedback_fan_out<float>(tensor("weight").view(), spec.self_connections), clocked);
    }
    add_asked(clocked);
  }
  /// Neurons that stand behind no weights read the input of their layer.
  template <class Neurons>
  void pass(const Neurons&) {
    const int layer = plan_.layer_of_node[node_];
    if (layer >= 0 && plan_.first_node[static_cast<std::size_t>(layer)] == static_cast<int>(node_)) read_inputs();
  }

  /// What the engine did for a population goes to the layer of its node, and for the weights of a current that comes
  /// from a layer of its own to that.
  void add_executed(std::size_t p, const EventCounts& counts) {
    const Population& population = runtime_.program().populations[p];
    node_ = static_cast<std::size_t>(population.node);
    LayerLedger& neurons = record();
    const int before = inputs_[node_].front();
    const bool is_apart = population.kind == Population::Kind::neurons && before >= 0 &&
                          signals_[static_cast<std::size_t>(before)].is_current();
    LayerLedger& synapses =
        is_apart ? ledger_.layers[static_cast<std::size_t>(plan_.layer_of_node[static_cast<std::size_t>(before)])]
                 : neurons;
    network::add_executed(population, network_.spec.nodes[node_].operation, runtime_.arithmetic(), counts, synapses,
                          neurons);
  }

  const Network<float>& network_;
  EventRuntime& runtime_;
  OpLedger& ledger_;
  LedgerPlan plan_;
  std::vector<NodeFacts> facts_;
  std::vector<std::vector<int>> inputs_;
  std::vector<int> extra_;  ///< ticks of each node beyond those of the input
  std::vector<NodeSignal> signals_;
  NodeSignal network_input_;
  std::size_t node_ = 0;
};

}  // namespace

View<const float> count_events(const Network<float>& network, EventRuntime& runtime, View<const float> input,
                               OpLedger& ledger) {
  return EventCounter(network, runtime, input, ledger).count();
}

}  // namespace synfire::network
