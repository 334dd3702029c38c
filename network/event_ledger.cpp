#include "network/event_ledger.hpp"

#include <algorithm>
#include <any>
#include <utility>
#include <variant>
#include <vector>

#include "core/parallel.hpp"
#include "network/describe.hpp"
#include "network/event_executed.hpp"
#include "network/ledger_plan.hpp"
#include "network/op_count.hpp"
#include "synapses/flatten.hpp"
#include "synapses/pool.hpp"

namespace synfire::network {

namespace {

constexpr std::uint64_t kWeightBytes = sizeof(std::int32_t), kEventBytes = sizeof(std::int32_t);

/// The output of a node: spikes that the runtime has listed, or numbers. Nothing for currents, which the event engine
/// never has as such.
struct NodeSignal {
  int population = -1;              ///< whose spikes these are; -1: none's
  std::vector<std::int32_t> place;  ///< of each of its neurons; empty: its own number
  Shape shape;                      ///< [T, B, ...]
  std::uint64_t events = 0;         ///< that are listed
  Tensor<std::uint8_t> spikes;      ///< the same one by one, once somebody needs them so
  Tensor<float> real;
  View<const float> input;  ///< the network's own

  bool is_listed() const { return population >= 0; }
  bool is_current() const { return !is_listed() && real.size() == 0 && input.data == nullptr; }
};

/// What the spikes of a population ask of a layer.
struct Ask {
  LayerLedger* record;
  const std::int32_t* place;               ///< null: a neuron's own number
  std::vector<const std::uint32_t*> rows;  ///< by tick: the products, by place
};

}  // namespace

class EventLedger::Impl {
 public:
  Impl(const Network<float>& network, EventRuntime& runtime, OpLedger& ledger)
      : network_(network),
        runtime_(runtime),
        ledger_(ledger),
        plan_(plan_ledger(network)),
        facts_(describe(network.spec, network.input)),
        inputs_(input_indices(network.spec)),
        extra_(extra_ticks(network.spec, facts_)),
        tables_(network.spec.nodes.size()) {
    std::ptrdiff_t largest = 0;
    for (const NodeFacts& facts : facts_) largest = std::max(largest, facts.output.size());
    no_products_.resize(static_cast<std::size_t>(largest));
    if (!ledger.layers.empty()) return;
    ledger.layers = plan_.layers;
    ledger.engine = "event";
    ledger.mode = runtime.arithmetic() == EventArithmetic::lazy ? "L" : "S";
  }

  View<const float> forward(View<const float> input) {
    runtime_.record_spikes(true);
    const std::vector<EventCounts> before = runtime_.counts();
    const View<const float> output = runtime_.forward(input);
    ledger_.samples += static_cast<std::uint64_t>(output.shape[1]);
    ledger_.ticks += static_cast<std::uint64_t>(input.shape[0] * output.shape[1]);
    std::vector<EventCounts> counts = runtime_.counts();
    for (std::size_t p = 0; p < counts.size(); ++p) counts[p] = difference(counts[p], before[p]);

    network_input_.input = input;
    take_spikes(counts);
    asks_.assign(counts.size(), {});
    for (std::size_t i = 0; i < signals_.size(); ++i) {
      node_ = i;
      std::visit([&](const auto& operation) { pass(operation); }, network_.spec.nodes[i].operation);
    }
    answer();
    if (signals_.back().is_current()) {
      signals_.back().real = Tensor<float>(output.shape);
      std::copy(output.data, output.data + output.size(), signals_.back().real.data());
    }
    for (std::size_t layer = 0; layer < ledger_.layers.size(); ++layer) count_output_of(layer);
    for (std::size_t p = 1; p < counts.size(); ++p) add_executed(p, counts[p]);
    return output;
  }

 private:
  NodeSignal& source(std::size_t k = 0) {
    const int index = inputs_[node_][k];
    return index < 0 ? network_input_ : signals_[static_cast<std::size_t>(index)];
  }
  LayerLedger& record() { return ledger_.layers[static_cast<std::size_t>(plan_.layer_of_node[node_])]; }
  const Tensor<float>& tensor(const char* name) const {
    return network_.tensor(network_.spec.nodes[node_].name + "." + name).value;
  }
  /// What a node makes of its weights, the first time that it is asked.
  template <class Make>
  auto table(const Make& make) -> const decltype(make())& {
    std::any& kept = tables_[node_];
    if (!kept.has_value()) kept = make();
    return *std::any_cast<decltype(make())>(&kept);
  }

  /// The spikes of every population that fires, as the output of its node.
  void take_spikes(const std::vector<EventCounts>& counts) {
    signals_.clear();
    signals_.resize(network_.spec.nodes.size());
    const auto& populations = runtime_.program().populations;
    for (std::size_t p = 0; p < populations.size(); ++p) {
      const Population& population = populations[p];
      if (population.kind != Population::Kind::neurons && population.kind != Population::Kind::any) continue;
      NodeSignal& signal = signals_[static_cast<std::size_t>(population.node)];
      const Shape& in = network_input_.input.shape;
      signal.population = static_cast<int>(p);
      signal.shape = population.shape.prepend(in[1]).prepend(in[0] + population.extra_ticks);
      signal.events = counts[p].events_out;
    }
  }

  /// Every element of it, for rules that need them.
  Signal<float> elements(NodeSignal& x) {
    if (x.real.size() > 0) return {x.real.shape(), x.real.data(), nullptr, Device::cpu};
    if (!x.is_listed()) return {x.input.shape, x.input.data, nullptr, Device::cpu};
    if (x.spikes.size() == 0) {
      x.spikes = Tensor<std::uint8_t>(x.shape);
      const std::ptrdiff_t frame = x.shape.size_from(2);
      for (std::ptrdiff_t b = 0; b < x.shape[1]; ++b) {
        for (const EventSpike& spike : runtime_.spikes()[static_cast<std::size_t>(b)]) {
          if (spike.population != x.population) continue;
          const std::ptrdiff_t n = x.place.empty() ? spike.neuron : x.place[static_cast<std::size_t>(spike.neuron)];
          x.spikes[(spike.tick * x.shape[1] + b) * frame + n] = 1;
        }
      }
    }
    return {x.shape, nullptr, x.spikes.data(), Device::cpu};
  }

  /// What the spikes of x ask for; `answer` finds it. All of them are 1, so NeuroBench calls the products ACs.
  template <class RowOf>
  void ask(const NodeSignal& x, const RowOf& row_of) {
    Ask asked{&record(), x.place.empty() ? nullptr : x.place.data(), {}};
    for (std::ptrdiff_t t = 0; t < x.shape[0]; ++t) asked.rows.push_back(row_of(t));
    asks_[static_cast<std::size_t>(x.population)].push_back(std::move(asked));
  }
  /// One walk over the spikes of all samples.
  void answer() {
    for (std::vector<Ask>& of_population : asks_) {
      for (Ask& asked : of_population) all_asks_.push_back(&asked);
    }
    std::vector<std::size_t> first(asks_.size());
    for (std::size_t p = 1; p < asks_.size(); ++p) first[p] = first[p - 1] + asks_[p - 1].size();
    const auto batch = std::ssize(runtime_.spikes());
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(batch) * all_asks_.size());
    parallel_for(batch, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t b = begin; b < end; ++b) {
        std::uint64_t* const of_sample = sums.data() + static_cast<std::size_t>(b) * all_asks_.size();
        for (const EventSpike& spike : runtime_.spikes()[static_cast<std::size_t>(b)]) {
          const auto p = static_cast<std::size_t>(spike.population);
          std::uint64_t* sum = of_sample + first[p];
          for (const Ask& asked : asks_[p]) {
            const std::int32_t place = asked.place == nullptr ? spike.neuron : asked.place[spike.neuron];
            *sum++ += asked.rows[static_cast<std::size_t>(spike.tick)][place];
          }
        }
      }
    });
    for (std::size_t k = 0; k < sums.size(); ++k) {
      LayerLedger& to = *all_asks_[k % all_asks_.size()]->record;
      to.eff_unit += sums[k];
      to.nb_acs += sums[k];
    }
    all_asks_.clear();
  }

  void count_output_of(std::size_t layer) {
    const auto last = static_cast<std::size_t>(plan_.last_node[layer]);
    NodeSignal& signal = signals_[last];
    LayerLedger asked;
    if (signal.is_listed()) {
      asked.events_out = signal.events;
      set_sizes(signal.shape, asked);
    } else if (signal.is_current()) {
      const Shape& in = network_input_.input.shape;
      set_sizes(facts_[last].output.prepend(in[1]).prepend(in[0] + extra_[last]), asked);
    } else {
      asked.events_out = count_nonzero(elements(signal));
      set_sizes(elements(signal).shape, asked);
    }
    LayerLedger& to = ledger_.layers[layer];
    to.events_out += asked.events_out;
    to.output_elems += asked.output_elems;
    to.samples += asked.samples;
    to.ticks += asked.ticks;
    to.path_scatter += asked.ticks;
  }
  static void set_sizes(const Shape& y, LayerLedger& asked) {
    asked.output_elems = static_cast<std::uint64_t>(y.size());
    asked.samples = static_cast<std::uint64_t>(y[1]);
    asked.ticks = static_cast<std::uint64_t>(y[0] * y[1]);
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
  static void count_listed(const NodeSignal& x, LayerLedger& clocked) {
    clocked.events_in += x.events;
    clocked.input_elems += static_cast<std::uint64_t>(x.shape.size());
  }
  void read_inputs() {
    LayerLedger clocked;
    for (std::size_t k = 0; k < inputs_[node_].size(); ++k) {
      NodeSignal& x = source(k);
      if (x.is_listed()) {
        count_listed(x, clocked);
      } else {
        count_input(elements(x), clocked);
      }
    }
    add_asked(clocked);
  }
  template <class Table>
  static void set_weights(const Table& fan_out, std::uint64_t once_macs, LayerLedger& clocked) {
    clocked.sizes.weights = fan_out.weights;
    clocked.sizes.zero_weights = fan_out.zero_weights;
    clocked.sizes.once_macs = once_macs;
  }

  void ask_weights(const FanOut& fan_out) {
    NodeSignal& x = source();
    LayerLedger clocked;
    if (x.is_listed()) {
      clocked.dense_synops = static_cast<std::uint64_t>(x.shape[0] * x.shape[1]) * fan_out.dense;
      count_listed(x, clocked);
      ask(x, [&](std::ptrdiff_t) { return fan_out.effective.data(); });
    } else {
      count_asked(elements(x), fan_out, clocked);
    }
    set_weights(fan_out, fan_out.dense, clocked);
    add_asked(clocked);
  }
  void pass(const LinearSpec&) {
    ask_weights(table([&] { return linear_fan_out<float>(tensor("weight").view()); }));
  }
  void pass(const Conv2dSpec& spec) {
    ask_weights(table([&] {
      const int source = inputs_[node_].front();
      const Shape& in = source < 0 ? network_.input : facts_[static_cast<std::size_t>(source)].output;
      synapses::Conv2dGeometry geometry;
      geometry.in_channels = static_cast<int>(in.channels());
      geometry.out_channels = spec.channels;
      geometry.kernel_h = geometry.kernel_w = spec.kernel;
      geometry.stride = spec.stride;
      geometry.padding = spec.padding;
      return conv2d_fan_out<float>(geometry, tensor("weight").view(), in);
    }));
  }
  void pass(const DelayedLinearSpec& spec) {
    const View<const float> mask = spec.sparsity > 0.0 ? tensor("mask").view() : View<const float>{};
    const synapses::DelayParameters<float> p{tensor("weight").view(), tensor("position").view(), tensor("width").view(),
                                             mask, true};
    const DelayFanOut& fan_out = table([&] { return delay_fan_out(spec.delay, p); });
    NodeSignal& x = source();
    LayerLedger clocked;
    if (x.is_listed()) {
      const std::ptrdiff_t ticks = x.shape[0] + spec.delay.extra_ticks;
      clocked.dense_synops =
          static_cast<std::uint64_t>(ticks * x.shape[1] * fan_out.delays * fan_out.inputs * spec.out_features);
      count_listed(x, clocked);
      ask(x, [&](std::ptrdiff_t t) { return fan_out.arriving(ticks - t); });
      set_weights(fan_out, fan_out.weights, clocked);
    } else {
      count_delayed_linear(elements(x), spec.delay, p, fan_out, clocked);
    }
    add_asked(clocked);
  }
  void pass(const MaxPoolSpec&) { read_inputs(); }
  void pass(const AvgPoolSpec& spec) {
    read_inputs();
    const Signal<float> x = elements(source());
    signals_[node_].real = Tensor<float>(facts_[node_].output.prepend(x.shape[1]).prepend(x.shape[0]));
    synapses::avg_pool_forward(x, spec.geometry, signals_[node_].real.view());
  }
  void pass(const FlattenSpec&) {
    NodeSignal &x = source(), &y = signals_[node_];
    if (!x.is_listed()) {
      const Signal<float> real = elements(x);
      y.real = Tensor<float>(Shape{real.shape[0], real.shape[1], real.shape.size_from(2)});
      synapses::flatten_forward<float>({real.real, real.shape, real.device}, y.real.view());
      return;
    }
    y.population = x.population;
    y.events = x.events;
    y.shape = Shape{x.shape[0], x.shape[1], x.shape.size_from(2)};
    const std::ptrdiff_t channels = x.shape.channels(), pixels = y.shape[2] / channels;
    y.place.resize(static_cast<std::size_t>(y.shape[2]));
    for (std::size_t n = 0; n < y.place.size(); ++n) {
      const std::ptrdiff_t at = x.place.empty() ? static_cast<std::ptrdiff_t>(n) : x.place[n];
      y.place[n] = static_cast<std::int32_t>(at % channels * pixels + at / channels);
    }
  }
  void pass(const DropoutSpec&) {
    NodeSignal &x = source(), &y = signals_[node_];
    if (x.is_current()) return;
    if (!x.is_listed()) {
      const Signal<float> real = elements(x);
      y.real = Tensor<float>(real.shape);
      std::copy(real.real, real.real + real.shape.size(), y.real.data());
      return;
    }
    y.population = x.population;
    y.place = x.place;
    y.shape = x.shape;
    y.events = x.events;
  }
  void pass(const AddSpec&) {
    read_inputs();
    Tensor<float>& sum = signals_[node_].real;
    sum = Tensor<float>(elements(source()).shape);
    for (std::size_t k = 0; k < inputs_[node_].size(); ++k) {
      const Signal<float> x = elements(source(k));
      for (std::ptrdiff_t n = 0; n < sum.size(); ++n) {
        sum[n] += x.is_spikes() ? static_cast<float>(x.spikes[n]) : x.real[n];
      }
    }
  }
  void pass(const VoteSpec&) { read_inputs(); }
  void pass(const RecurrentSpec& spec) {
    const NodeSignal& spikes = signals_[node_];
    const std::ptrdiff_t ticks = spikes.shape[0], n = spikes.shape.channels();
    const auto frames = static_cast<std::uint64_t>(ticks * spikes.shape[1]);
    LayerLedger clocked;
    count_listed(spikes, clocked);
    if (spec.delays) {
      const DelayFanOut& fan_out = table([&] {
        Tensor<float> mask(spec.self_connections ? Shape{0, 0} : Shape{n, n});
        for (std::ptrdiff_t k = 0; k < mask.size(); ++k) mask[k] = k % (n + 1) == 0 ? 0.0F : 1.0F;
        const synapses::DelayParameters<float> p{tensor("weight").view(), tensor("position").view(),
                                                 tensor("width").view(), mask.view(), true};
        return delay_fan_out(spec.delays->delay, p);
      });
      clocked.dense_synops = frames * static_cast<std::uint64_t>(fan_out.delays * n * n);
      ask(spikes, [&](std::ptrdiff_t t) { return fan_out.arriving(ticks - 1 - t); });
      set_weights(fan_out, 0, clocked);
    } else {
      const FanOut& fan_out =
          table([&] { return feedback_fan_out<float>(tensor("weight").view(), spec.self_connections); });
      clocked.dense_synops = frames * fan_out.dense;
      // Nobody reads the spikes of the last tick.
      ask(spikes, [&](std::ptrdiff_t t) { return t + 1 < ticks ? fan_out.effective.data() : no_products_.data(); });
      set_weights(fan_out, 0, clocked);
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
  std::vector<int> extra_;                  ///< ticks of each node beyond those of the input
  std::vector<std::any> tables_;            ///< by node
  std::vector<std::uint32_t> no_products_;  ///< of as many inputs as any node has
  // Of one pass:
  std::vector<NodeSignal> signals_;
  NodeSignal network_input_;
  std::vector<std::vector<Ask>> asks_;  ///< by population
  std::vector<Ask*> all_asks_;
  std::size_t node_ = 0;
};

EventLedger::EventLedger(const Network<float>& network, EventRuntime& runtime, OpLedger& ledger)
    : impl_(std::make_unique<Impl>(network, runtime, ledger)) {}
EventLedger::~EventLedger() = default;

View<const float> EventLedger::forward(View<const float> input) { return impl_->forward(input); }

View<const float> count_events(const Network<float>& network, EventRuntime& runtime, View<const float> input,
                               OpLedger& ledger) {
  return EventLedger(network, runtime, ledger).forward(input);
}

}  // namespace synfire::network
