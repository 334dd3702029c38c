#include "network/event_program.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "network/describe.hpp"
#include "neurons/parametric_lif.hpp"

namespace synfire::network {

namespace {

constexpr double kSumOffset = 1e-7;  // of a rounded delay's weight: synapses/delayed_linear.hpp

/// A signal on its way from neurons to weights: which neurons, where they stand by now, and by how much they count.
struct Signal {
  int source = 0;
  std::vector<std::int32_t> place;
  double factor = 1.0;
};

/// A signal behind weights.
struct Current {
  Signal from;
  EventWeights<double> weights;
};

/// What a node hands on: signals, or currents and a drive once there were weights.
struct Expression {
  std::vector<Signal> signals;
  std::vector<Current> currents;
  std::vector<double> drive;  ///< [size]; empty: none
  bool is_current = false;
};

template <class Weights, class Body>
void each_value(Weights& weights, const Body& body) {
  using Number = typename decltype(weights.values)::value_type;
  if constexpr (std::is_same_v<std::remove_const_t<Weights>, DelayedWeights<Number>>) {
    for (std::size_t k = 0; k < weights.values.size(); ++k) body(weights.values[k], weights.target[k]);
  } else {
    for (std::size_t k = 0; k < weights.values.size(); ++k) {
      body(weights.values[k], static_cast<std::ptrdiff_t>(k) % weights.out);
    }
  }
}

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
    Expression network_input;
    network_input.signals.push_back({0, {}, 1.0});

    for (std::size_t i = 0; i < facts.size(); ++i) {
      node_ = static_cast<int>(i);
      std::vector<const Expression*> operands;
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

  const Expression& as_signal(const Expression& from) const {
    if (from.is_current) refuse("the event engine needs neurons between two linear maps");
    return from;
  }
  /// A signal that goes straight into a neuron is a current with the weight 1.
  Expression to_current(const Expression& from) const {
    if (from.is_current) return from;
    Expression result;
    result.is_current = true;
    for (const Signal& signal : from.signals) result.currents.push_back({signal, DirectWeights<double>{1.0}});
    return result;
  }
  Expression weighted(const Expression& from, const EventWeights<double>& weights) const {
    Expression result;
    result.is_current = true;
    for (const Signal& signal : as_signal(from).signals) result.currents.push_back({signal, weights});
    return result;
  }
  void add_bias(Expression& current) const {
    const Tensor<float>& bias = tensor("bias");
    current.drive.resize(static_cast<std::size_t>(out_shape_.size()));
    for (std::size_t k = 0; k < current.drive.size(); ++k) {
      current.drive[k] = static_cast<double>(bias[static_cast<std::ptrdiff_t>(k) % bias.size()]);
    }
  }

  /// Every place becomes move(place).
  template <class Move>
  Expression moved(const Expression& from, double factor, const Move& move) const {
    Expression result = as_signal(from);
    for (Signal& signal : result.signals) {
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

  Expression apply(const LinearSpec& spec, const Expression& from) const {
    const Tensor<float>& weight = tensor("weight");
    DenseWeights<double> w{weight.shape()[1], weight.shape()[0], {}};
    w.values.resize(static_cast<std::size_t>(w.in * w.out));
    for (std::ptrdiff_t i = 0; i < w.in; ++i) {
      for (std::ptrdiff_t o = 0; o < w.out; ++o) {
        w.values[static_cast<std::size_t>(i * w.out + o)] = static_cast<double>(weight[o * w.in + i]);
      }
    }
    Expression result = weighted(from, w);
    if (spec.bias) add_bias(result);
    return result;
  }

  Expression apply(const Conv2dSpec& spec, const Expression& from) const {
    const Tensor<float>& weight = tensor("weight");
    ConvWeights<double> w{in_shape_[0],  in_shape_[1], in_shape_[2], out_shape_[0], out_shape_[1],
                          out_shape_[2], spec.kernel,  spec.stride,  spec.padding,  {}};
    const std::ptrdiff_t taps = w.kernel * w.kernel;
    w.values.resize(static_cast<std::size_t>(w.in_channels * taps * w.out));
    for (std::ptrdiff_t o = 0; o < w.out; ++o) {
      for (std::ptrdiff_t k = 0; k < w.in_channels * taps; ++k) {
        w.values[static_cast<std::size_t>(k * w.out + o)] = static_cast<double>(weight[o * w.in_channels * taps + k]);
      }
    }
    Expression result = weighted(from, w);
    if (spec.bias) add_bias(result);
    return result;
  }

  Expression apply(const DelayedLinearSpec& spec, const Expression& from) const {
    const Tensor<float>& weight = tensor("weight");
    const Tensor<float>& position = tensor("position");
    const Tensor<float>* const mask = spec.sparsity > 0.0 ? &tensor("mask") : nullptr;
    const std::ptrdiff_t out = weight.shape()[0], in = weight.shape()[1], kernels = weight.shape()[2];
    struct Synapse {
      std::int32_t delay, target;
      double value;
    };
    DelayedWeights<double> w{in, out, {0}, {}, {}, {}};
    for (std::ptrdiff_t i = 0; i < in; ++i) {
      std::vector<Synapse> synapses;
      for (std::ptrdiff_t o = 0; o < out; ++o) {
        if (mask != nullptr && (*mask)[o * in + i] == 0.0F) continue;
        for (std::ptrdiff_t m = 0; m < kernels; ++m) {
          const std::ptrdiff_t row = spec.delay.per == synapses::DelayPer::input ? 0 : o;
          const std::ptrdiff_t column = spec.delay.per == synapses::DelayPer::output ? 0 : i;
          const float at = position[(row * position.shape()[1] + column) * kernels + m];
          const double value = static_cast<double>(weight[(o * in + i) * kernels + m]) / (1.0 + kSumOffset);
          synapses.push_back({static_cast<std::int32_t>(spec.delay.middle() - std::lrint(std::nearbyint(at))),
                              static_cast<std::int32_t>(o), value});
        }
      }
      std::stable_sort(synapses.begin(), synapses.end(),
                       [](const Synapse& a, const Synapse& b) { return a.delay < b.delay; });
      for (const Synapse& synapse : synapses) {
        const auto at = static_cast<std::int32_t>(w.target.size());
        const bool begun = static_cast<std::int32_t>(w.segments.size()) > w.first_segment.back();
        if (!begun || w.segments.back().delay != synapse.delay) w.segments.push_back({synapse.delay, at, at});
        w.target.push_back(synapse.target);
        w.values.push_back(synapse.value);
        w.segments.back().last = at + 1;
      }
      w.first_segment.push_back(static_cast<std::int32_t>(w.segments.size()));
    }
    return weighted(from, w);
  }

  Expression apply(const BatchNormSpec& spec, const Expression& from) const {
    if (!from.is_current) refuse("the event engine folds a batch norm into the weights before it, and there are none");
    const Tensor<float>&gamma = tensor("gamma"), &beta = tensor("beta"), &mean = tensor("running_mean"),
          &var = tensor("running_var");
    const std::ptrdiff_t channels = gamma.size();
    std::vector<double> scale, shift;
    for (std::ptrdiff_t c = 0; c < channels; ++c) {
      scale.push_back(static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(var[c]) + spec.config.eps));
      shift.push_back(static_cast<double>(beta[c]) - static_cast<double>(mean[c]) * scale.back());
    }
    Expression result = from;
    result.drive.resize(static_cast<std::size_t>(out_shape_.size()));
    for (std::size_t k = 0; k < result.drive.size(); ++k) {
      const std::size_t c = k % static_cast<std::size_t>(channels);
      result.drive[k] = result.drive[k] * scale[c] + shift[c];
    }
    for (Current& current : result.currents) {
      std::visit(
          [&](auto& weights) {
            if constexpr (std::is_same_v<std::decay_t<decltype(weights)>, DirectWeights<double>>) {
              refuse("the event engine folds a batch norm into the weights before it, and there are none");
            } else {
              each_value(weights,
                         [&](double& value, std::ptrdiff_t out) { value *= scale[static_cast<std::size_t>(out)]; });
            }
          },
          current.weights);
    }
    return result;
  }

  Expression apply(const DropoutSpec&, const Expression& from) const { return from; }

  Expression apply(const FlattenSpec&, const Expression& from) const {
    const std::ptrdiff_t pixels = in_shape_[0] * in_shape_[1], channels = in_shape_[2];
    return moved(from, 1.0, [&](std::ptrdiff_t n) { return n % channels * pixels + n / channels; });
  }

  Expression pooled(const synapses::PoolGeometry& geometry, const Expression& from, double factor) const {
    if (geometry.stride < geometry.kernel) refuse("the event engine needs pooling windows that do not overlap");
    const std::ptrdiff_t width = in_shape_[1], channels = in_shape_[2];
    return moved(from, factor, [&](std::ptrdiff_t n) -> std::ptrdiff_t {
      const std::ptrdiff_t y = n / channels / width, x = n / channels % width, c = n % channels;
      const std::ptrdiff_t row = y / geometry.stride, column = x / geometry.stride;
      const bool inside = y % geometry.stride < geometry.kernel && x % geometry.stride < geometry.kernel &&
                          row < out_shape_[0] && column < out_shape_[1];
      return inside ? (row * out_shape_[1] + column) * channels + c : -1;
    });
  }

  Expression apply(const AvgPoolSpec& spec, const Expression& from) const {
    return pooled(spec.geometry, from, 1.0 / (spec.geometry.kernel * spec.geometry.kernel));
  }
  Expression apply(const MaxPoolSpec& spec, const Expression& from) {
    Population any;
    any.kind = Population::Kind::any;
    const Expression windows = pooled(spec.geometry, from, 1.0);
    for (const Signal& signal : windows.signals) {
      const Population::Kind kind = program_.populations[static_cast<std::size_t>(signal.source)].kind;
      if (signal.factor != 1.0 || kind == Population::Kind::input) {
        refuse("the event engine runs a max pool of spikes only");
      }
    }
    return add(std::move(any), to_current(windows));
  }

  Expression apply(const VoteSpec& spec, const Expression& from) const {
    return moved(from, 1.0 / spec.group, [&](std::ptrdiff_t n) { return n / spec.group; });
  }

  Expression sum(const std::vector<const Expression*>& operands) const {
    Expression result = *operands[0];
    for (std::size_t k = 1; k < operands.size(); ++k) {
      const Expression& other = *operands[k];
      if (other.is_current != result.is_current)
        refuse("the event engine adds signals to signals, currents to currents");
      result.signals.insert(result.signals.end(), other.signals.begin(), other.signals.end());
      result.currents.insert(result.currents.end(), other.currents.begin(), other.currents.end());
      if (other.drive.empty()) continue;
      result.drive.resize(other.drive.size());
      for (std::size_t n = 0; n < other.drive.size(); ++n) result.drive[n] += other.drive[n];
    }
    return result;
  }

  Expression apply(const LifSpec& spec, const Expression& from) {
    Population lif;
    lif.kind = Population::Kind::lif;
    lif.params = neurons::lif_params(spec.config, network_.spec.dt_ms);
    if (spec.config.learn_tau) {
      lif.params =
          neurons::with_leak_logit(lif.params, spec.config.decay_input, static_cast<double>(tensor("leak_logit")[0]));
    }
    return add(std::move(lif), to_current(from));
  }

  Expression apply(const LeakyIntegratorSpec& spec, const Expression& from) {
    if (node_ + 1 != static_cast<int>(network_.spec.nodes.size())) {
      refuse("the event engine reads a leaky integrator out; nothing can stand behind it");
    }
    Population readout;
    readout.kind = Population::Kind::readout;
    readout.params = neurons::lif_params(integrator_config(spec), network_.spec.dt_ms);
    return add(std::move(readout), to_current(from));
  }

  template <class Other>
  Expression apply(const Other&, const Expression&) const {
    refuse(fmt::format("the event engine does not run {} yet", kind_name(node().operation)));
  }

  /// Adds a population with what comes into it, in whole numbers; what it hands on are its spikes.
  Expression add(Population population, const Expression& current) {
    population.name = node().name;
    population.node = node_;
    population.shape = out_shape_;
    population.extra_ticks = extra_[static_cast<std::size_t>(node_)];
    const bool counts = population.kind != Population::Kind::any;
    population.shift = counts ? shift_for(current) : 0;
    const auto whole = [&](double value) {
      return counts ? static_cast<std::int32_t>(std::llrint(std::ldexp(value, population.shift))) : std::int32_t{1};
    };
    for (const double drive : current.drive) population.drive.push_back(whole(drive));
    for (const Current& part : current.currents) {
      Projection projection{part.from.source, part.from.place, {}};
      projection.weights =
          std::visit([&](const auto& w) { return in_whole(w, part.from.factor, whole); }, part.weights);
      population.inputs.push_back(std::move(projection));
    }
    program_.populations.push_back(std::move(population));
    Expression result;
    result.signals.push_back({static_cast<int>(program_.populations.size()) - 1, {}, 1.0});
    return result;
  }

  template <class Whole>
  static EventWeights<std::int32_t> in_whole(const DirectWeights<double>& w, double factor, const Whole& whole) {
    return DirectWeights<std::int32_t>{whole(w.value * factor)};
  }
  template <class Whole>
  static EventWeights<std::int32_t> in_whole(const DenseWeights<double>& w, double factor, const Whole& whole) {
    return DenseWeights<std::int32_t>{w.in, w.out, values(w.values, factor, whole)};
  }
  template <class Whole>
  static EventWeights<std::int32_t> in_whole(const ConvWeights<double>& w, double factor, const Whole& whole) {
    return ConvWeights<std::int32_t>{w.in_h, w.in_w,   w.in_channels, w.out_h,   w.out_w,
                                     w.out,  w.kernel, w.stride,      w.padding, values(w.values, factor, whole)};
  }
  template <class Whole>
  static EventWeights<std::int32_t> in_whole(const DelayedWeights<double>& w, double factor, const Whole& whole) {
    DelayedWeights<std::int32_t> result{w.in, w.out, w.first_segment, {}, w.target, values(w.values, factor, whole)};
    for (const auto& s : w.segments) result.segments.push_back({s.delay, s.first, s.last});
    return result;
  }
  template <class Whole>
  static std::vector<std::int32_t> values(const std::vector<double>& from, double factor, const Whole& whole) {
    std::vector<std::int32_t> result;
    result.reserve(from.size());
    for (const double value : from) result.push_back(whole(value * factor));
    return result;
  }

  /// The finest grid on which no sum of one tick can leave 31 bits, whichever inputs fire.
  int shift_for(const Expression& current) const {
    std::vector<double> sum(static_cast<std::size_t>(out_shape_.size()));
    for (std::size_t n = 0; n < current.drive.size(); ++n) sum[n] = std::abs(current.drive[n]);
    double largest = 0.0;
    for (const Current& part : current.currents) {
      const Population& source = program_.populations[static_cast<std::size_t>(part.from.source)];
      const double most = source.kind == Population::Kind::input ? program_.max_count : 1;
      std::visit([&](const auto& w) { add_absolute(w, source, part.from, most * std::abs(part.from.factor), sum); },
                 part.weights);
    }
    for (const double value : sum) largest = std::max(largest, value);
    if (!(largest > 0.0)) return 0;
    return std::clamp(30 - std::ilogb(largest), -30, 30);
  }
  /// More than one after an average pool.
  static double neurons_at_an_input(const Population& source, const Signal& from, std::ptrdiff_t inputs) {
    if (from.place.empty()) return 1.0;
    std::vector<std::int32_t> count(static_cast<std::size_t>(inputs));
    std::int32_t most = 1;
    for (const std::int32_t place : from.place) {
      if (place >= 0) most = std::max(most, ++count[static_cast<std::size_t>(place)]);
    }
    return static_cast<double>(std::min<std::ptrdiff_t>(most, source.size()));
  }
  /// Per channel for a kernel, since the sums of its pixels differ at the edges only.
  static void add_absolute(const ConvWeights<double>& w, const Population& source, const Signal& from, double factor,
                           std::vector<double>& sum) {
    const double times = neurons_at_an_input(source, from, w.in_h * w.in_w * w.in_channels);
    std::vector<double> channel(static_cast<std::size_t>(w.out));
    for (std::size_t k = 0; k < w.values.size(); ++k) {
      channel[k % channel.size()] += factor * times * std::abs(w.values[k]);
    }
    for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += channel[n % channel.size()];
  }
  static void add_absolute(const DirectWeights<double>& w, const Population& source, const Signal& from, double factor,
                           std::vector<double>& sum) {
    for (std::ptrdiff_t n = 0; n < source.size(); ++n) {
      const std::ptrdiff_t to = from.place.empty() ? n : from.place[static_cast<std::size_t>(n)];
      if (to >= 0) sum[static_cast<std::size_t>(to)] += factor * std::abs(w.value);
    }
  }
  template <class Weights>
  static void add_absolute(const Weights& w, const Population& source, const Signal& from, double factor,
                           std::vector<double>& sum) {
    const double times = neurons_at_an_input(source, from, w.in);
    each_value(w, [&](double value, std::ptrdiff_t out) {
      sum[static_cast<std::size_t>(out)] += factor * times * std::abs(value);
    });
  }

  const Network<float>& network_;
  EventProgram program_;
  std::vector<Expression> expressions_;
  std::vector<int> extra_;
  int node_ = 0;
  Shape in_shape_, out_shape_;
};

}  // namespace

EventProgram make_event_program(const Network<float>& network, std::int32_t max_count) {
  return ProgramMaker(network, max_count).make();
}

}  // namespace synfire::network
