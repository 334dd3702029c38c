#include "network/event_program.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "network/describe.hpp"
#include "network/event_expression.hpp"

namespace synfire::network {

namespace {

class ProgramMaker {
 public:
  ProgramMaker(const Network<float>& network, std::int32_t max_count) : network_(network) {
    program_.max_count = max_count;
  }

  EventProgram make() {
    const std::vector<NodeFacts> facts = describe(network_.spec, network_.input);
    extra_ = extra_ticks(network_.spec, facts);
    const std::vector<std::vector<int>> inputs = input_indices(network_.spec);
    Population input;
    input.name = kInputName;
    input.shape = network_.input;
    program_.populations.push_back(std::move(input));
    EventExpression network_input;
    network_input.signals.push_back({0, {}, 1.0});

    for (std::size_t i = 0; i < facts.size(); ++i) {
      node_ = static_cast<int>(i);
      std::vector<const EventExpression*> operands;
      std::vector<Shape> shapes;
      for (const int k : inputs[i]) {
        operands.push_back(k < 0 ? &network_input : &expressions_[static_cast<std::size_t>(k)]);
        shapes.push_back(k < 0 ? network_.input : facts[static_cast<std::size_t>(k)].output);
      }
      out_shape_ = facts[i].output;
      in_shape_ = shapes[0];
      expressions_.push_back(std::visit(
          [&](const auto& operation) {
            if constexpr (std::is_same_v<std::decay_t<decltype(operation)>, AddSpec>)
              return sum(operands);
            else
              return apply(operation, *operands[0]);
          },
          network_.spec.nodes[i].operation));
    }
    if (program_.populations.back().kind != Population::Kind::readout) {
      Population readout;
      readout.kind = Population::Kind::readout;
      readout.has_membrane = false;
      add(std::move(readout), to_current(expressions_.back()));
    }
    return std::move(program_);
  }

 private:
  const NodeSpec& node() const { return network_.spec.nodes[static_cast<std::size_t>(node_)]; }
  [[noreturn]] void refuse(const std::string& why) const {
    throw ShapeError(fmt::format("[events] layer \"{}\": {}", node().name, why));
  }
  const Tensor<float>& tensor(const char* name) const {
    return network_.tensor(fmt::format("{}.{}", node().name, name)).value;
  }

  const EventExpression& as_signal(const EventExpression& from) const {
    if (from.is_current) refuse("the event engine needs neurons between two linear maps");
    return from;
  }

  /// Every place becomes move(place).
  template <class Move>
  EventExpression moved(const EventExpression& from, double factor, const Move& move) const {
    EventExpression result = as_signal(from);
    for (EventSignal& signal : result.signals) {
      const std::ptrdiff_t size = program_.populations[static_cast<std::size_t>(signal.source)].size();
      std::vector<std::int32_t> place(static_cast<std::size_t>(size));
      for (std::ptrdiff_t n = 0; n < size; ++n) {
        const auto at = static_cast<std::size_t>(n);
        const std::ptrdiff_t before = signal.place.empty() ? n : signal.place[at];
        place[at] = before < 0 ? -1 : static_cast<std::int32_t>(move(before));
      }
      signal.place = std::move(place);
      signal.factor *= factor;
    }
    return result;
  }

  EventExpression apply(const LinearSpec& spec, const EventExpression& from) const {
    if (spec.per_token) refuse("the event engine does not run linear with per_token yet");
    EventExpression result = weighted(as_signal(from), dense_weights(tensor("weight")));
    if (spec.bias) add_bias(tensor("bias"), out_shape_, result);
    return result;
  }

  EventExpression apply(const Conv2dSpec& spec, const EventExpression& from) const {
    EventExpression result = weighted(as_signal(from), conv_weights(spec, tensor("weight"), in_shape_, out_shape_));
    if (spec.bias) add_bias(tensor("bias"), out_shape_, result);
    return result;
  }

  EventExpression apply(const DelayedLinearSpec& spec, const EventExpression& from) const {
    const Tensor<float>* const mask = spec.sparsity > 0.0 ? &tensor("mask") : nullptr;
    const auto is_there = [&](std::ptrdiff_t out, std::ptrdiff_t in) {
      return mask == nullptr || (*mask)[out * in_shape_[0] + in] != 0.0F;
    };
    return weighted(as_signal(from), delayed_weights(spec.delay, tensor("weight"), tensor("position"), is_there));
  }

  EventExpression apply(const BatchNormSpec& spec, const EventExpression& from) const {
    const Tensor<float>&gamma = tensor("gamma"), &beta = tensor("beta"), &mean = tensor("running_mean"),
          &var = tensor("running_var");
    std::vector<double> scale, shift;
    for (std::ptrdiff_t c = 0; c < gamma.size(); ++c) {
      scale.push_back(static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(var[c]) + spec.config.eps));
      shift.push_back(static_cast<double>(beta[c]) - static_cast<double>(mean[c]) * scale.back());
    }
    EventExpression result = from;
    if (!from.is_current || !scale_channels(scale, shift, out_shape_, result)) {
      refuse("the event engine folds a batch norm into the weights before it, and there are none");
    }
    return result;
  }

  EventExpression apply(const DropoutSpec&, const EventExpression& from) const { return from; }

  EventExpression apply(const FlattenSpec&, const EventExpression& from) const {
    const std::ptrdiff_t pixels = in_shape_[0] * in_shape_[1], channels = in_shape_[2];
    return moved(from, 1.0, [&](std::ptrdiff_t n) { return n % channels * pixels + n / channels; });
  }

  /// Where windows overlap, a neuron counts in several, in a signal of its own for each.
  EventExpression pooled(const synapses::PoolGeometry& geometry, const EventExpression& from, double factor) const {
    const int overlap = (geometry.kernel + geometry.stride - 1) / geometry.stride;
    EventExpression result;
    for (int rows_back = 0; rows_back < overlap; ++rows_back) {
      for (int columns_back = 0; columns_back < overlap; ++columns_back) {
        const PoolPlace place{geometry, in_shape_, out_shape_, rows_back, columns_back};
        add_expression(moved(from, factor, place), result);
      }
    }
    return result;
  }

  EventExpression apply(const AvgPoolSpec& spec, const EventExpression& from) const {
    return pooled(spec.geometry, from, 1.0 / (spec.geometry.kernel * spec.geometry.kernel));
  }
  EventExpression apply(const MaxPoolSpec& spec, const EventExpression& from) {
    Population any;
    any.kind = Population::Kind::any;
    const EventExpression windows = pooled(spec.geometry, from, 1.0);
    for (const EventSignal& signal : windows.signals) {
      const Population::Kind kind = program_.populations[static_cast<std::size_t>(signal.source)].kind;
      if (signal.factor != 1.0 || kind == Population::Kind::input) {
        refuse("the event engine runs a max pool of spikes only");
      }
    }
    return add(std::move(any), to_current(windows));
  }

  EventExpression apply(const VoteSpec& spec, const EventExpression& from) const {
    return moved(from, 1.0 / spec.group, [&](std::ptrdiff_t n) { return n / spec.group; });
  }

  EventExpression sum(const std::vector<const EventExpression*>& operands) const {
    EventExpression result = *operands[0];
    for (std::size_t k = 1; k < operands.size(); ++k) {
      if (operands[k]->is_current != result.is_current) {
        refuse("the event engine adds signals to signals, currents to currents");
      }
      add_expression(*operands[k], result);
    }
    return result;
  }

  EventExpression apply(const LifSpec& spec, const EventExpression& from) { return neurons(spec.config, from); }
  EventExpression apply(const CubaLifSpec& spec, const EventExpression& from) { return neurons(spec.config, from); }
  EventExpression apply(const AdlifSpec& spec, const EventExpression& from) { return neurons(spec.config, from); }

  EventExpression apply(const RecurrentSpec& spec, const EventExpression& from) {
    EventExpression current = to_current(from);
    const int itself = static_cast<int>(program_.populations.size());
    current.currents.push_back({{itself, {}, 1.0}, feedback(spec), true});
    return neurons(spec.neuron, current);
  }
  EventWeights<double> feedback(const RecurrentSpec& spec) const {
    if (spec.delays) {
      return delayed_weights(spec.delays->delay, tensor("weight"), tensor("position"),
                             [&](std::ptrdiff_t out, std::ptrdiff_t in) { return spec.self_connections || out != in; });
    }
    DenseWeights<double> w = dense_weights(tensor("weight"));
    for (std::ptrdiff_t n = 0; n < w.in && !spec.self_connections; ++n) {
      w.values[static_cast<std::size_t>(n * (w.out + 1))] = 0.0;
    }
    return w;
  }

  EventExpression neurons(const NeuronConfig& config, const EventExpression& from) {
    Population population;
    population.kind = Population::Kind::neurons;
    population.shape = out_shape_;
    set_neurons(config, network_, node().name, population);
    return add(std::move(population), to_current(from));
  }

  EventExpression apply(const LeakyIntegratorSpec& spec, const EventExpression& from) {
    if (node_ + 1 != static_cast<int>(network_.spec.nodes.size())) {
      refuse("the event engine reads a leaky integrator out; nothing can stand behind it");
    }
    Population readout;
    readout.kind = Population::Kind::readout;
    readout.params = neurons::lif_params(integrator_config(spec), network_.spec.dt_ms);
    return add(std::move(readout), to_current(from));
  }

  template <class Other>
  EventExpression apply(const Other&, const EventExpression&) const {
    refuse(fmt::format("the event engine does not run {} yet", kind_name(node().operation)));
  }

  /// Adds a population with what comes into it; what it hands on are its spikes.
  EventExpression add(Population population, const EventExpression& current) {
    population.name = node().name;
    population.node = node_;
    population.shape = out_shape_;
    population.extra_ticks = extra_[static_cast<std::size_t>(node_)];
    put_on_grid(current, program_, population);
    program_.populations.push_back(std::move(population));
    EventExpression result;
    result.signals.push_back({static_cast<int>(program_.populations.size()) - 1, {}, 1.0});
    return result;
  }

  const Network<float>& network_;
  EventProgram program_;
  std::vector<EventExpression> expressions_;
  std::vector<int> extra_;
  int node_ = 0;
  Shape in_shape_, out_shape_;
};

}  // namespace

EventProgram make_event_program(const Network<float>& network, std::int32_t max_count) {
  return ProgramMaker(network, max_count).make();
}

}  // namespace synfire::network
