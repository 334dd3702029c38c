#include "network/continuous_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/spike_queue.hpp"

namespace synfire::network {
namespace {

/// The synapses of all sources of one kind by (source, delay, target); those of a source with one delay make a segment,
/// for which one entry waits in the queue.
struct Rows {
  struct Segment {
    std::int64_t delay;
    std::uint32_t first, last;  ///< in targets and weights
  };
  std::vector<std::uint32_t> first_segment;  ///< [num_sources + 1]
  std::vector<Segment> segments;
  std::vector<std::uint32_t> targets;
  std::vector<double> weights;

  Rows(std::vector<ContinuousSynapse> synapses, std::size_t num_sources) {
    std::stable_sort(synapses.begin(), synapses.end(), [](const ContinuousSynapse& a, const ContinuousSynapse& b) {
      return std::tie(a.source, a.delay, a.target) < std::tie(b.source, b.delay, b.target);
    });
    first_segment.reserve(num_sources + 1);
    targets.reserve(synapses.size());
    weights.reserve(synapses.size());
    for (const ContinuousSynapse& synapse : synapses) {
      const bool new_source = first_segment.size() <= synapse.source;
      while (first_segment.size() <= synapse.source) {
        first_segment.push_back(static_cast<std::uint32_t>(segments.size()));
      }
      const auto place = static_cast<std::uint32_t>(targets.size());
      if (new_source || segments.back().delay != synapse.delay) segments.push_back({synapse.delay, place, place});
      segments.back().last = place + 1;
      targets.push_back(synapse.target);
      weights.push_back(synapse.weight);
    }
    first_segment.resize(num_sources + 1, static_cast<std::uint32_t>(segments.size()));
  }
};

void check(const std::vector<ContinuousSynapse>& synapses, const char* name, std::size_t num_sources,
           std::size_t num_neurons) {
  // Numbers of segments and neurons share 32 bits in the queue.
  constexpr std::size_t kMostSynapses = std::size_t{1} << 30;
  if (synapses.size() > kMostSynapses) {
    throw ShapeError(
        fmt::format("[continuous_network] {}: at most {} are possible, got {}", name, kMostSynapses, synapses.size()));
  }
  for (std::size_t k = 0; k < synapses.size(); ++k) {
    const auto& [source, target, weight, delay] = synapses[k];
    if (source >= num_sources || target >= num_neurons) {
      throw ShapeError(
          fmt::format("[continuous_network] {}[{}] joins {} to {}, but there are {} sources and {} targets", name, k,
                      source, target, num_sources, num_neurons));
    }
    if (delay < 1 || delay > std::numeric_limits<std::int64_t>::max() / 4) {
      throw ShapeError(
          fmt::format("[continuous_network] {}[{}] must have a delay of at least 1 unit, got {}", name, k, delay));
    }
    if (!std::isfinite(weight)) {
      throw ShapeError(fmt::format("[continuous_network] {}[{}] must have a finite weight, got {}", name, k, weight));
    }
  }
}

}  // namespace

struct ContinuousNetwork::Impl {
  struct Neuron {
    neurons::ExactLif model;
    std::int64_t refractory;  ///< units of the clock

    neurons::ExactLifState state{};  ///< at `last`
    std::int64_t last = 0;
    std::int64_t ready = 0;  ///< end of refractoriness
    double sum = 0.0;        ///< of what arrives at the time that is looked at
    bool touched = false, predicted = false;
  };

  explicit Impl(const ContinuousNetworkSpec& spec)
      : units_per_ms(checked_clock(spec)),
        num_inputs(spec.num_inputs),
        from_inputs(checked_synapses(spec.input_synapses, "input_synapses", spec.num_inputs, spec), spec.num_inputs),
        from_neurons(checked_synapses(spec.synapses, "synapses", spec.neurons.size(), spec), spec.neurons.size()),
        generations(spec.neurons.size()),
        queue(spec.max_events) {
    neurons.reserve(spec.neurons.size());
    for (const neurons::ExactLifConfig& config : spec.neurons) {
      const double refractory = config.t_ref_ms * units_per_ms;
      if (!(refractory < kFarthest)) {
        throw ShapeError(
            fmt::format("[continuous_network] t_ref_ms = {} is too long for a clock of {} units a millisecond",
                        config.t_ref_ms, spec.units_per_ms));
      }
      neurons.push_back({neurons::ExactLif(config), static_cast<std::int64_t>(std::llround(refractory))});
    }
    touched.reserve(neurons.size());
  }

  static double checked_clock(const ContinuousNetworkSpec& spec) {
    if (spec.units_per_ms < 1) {
      throw ShapeError(fmt::format("[continuous_network] units_per_ms must be positive, got {}", spec.units_per_ms));
    }
    constexpr std::size_t kMost = std::size_t{1} << 28;
    if (spec.neurons.size() > kMost || spec.num_inputs > kMost) {
      throw ShapeError(fmt::format("[continuous_network] at most {} neurons and inputs are possible, got {} and {}",
                                   kMost, spec.neurons.size(), spec.num_inputs));
    }
    return static_cast<double>(spec.units_per_ms);
  }
  static const std::vector<ContinuousSynapse>& checked_synapses(const std::vector<ContinuousSynapse>& synapses,
                                                                const char* name, std::size_t num_sources,
                                                                const ContinuousNetworkSpec& spec) {
    check(synapses, name, num_sources, spec.neurons.size());
    return synapses;
  }

  // What waits in the queue is a segment of an input, a segment of a neuron, or a predicted spike, numbered in this
  // order: so arrivals of one time come in an order that does not depend on what sent them when.
  std::uint32_t num_input_segments() const { return static_cast<std::uint32_t>(from_inputs.segments.size()); }
  std::uint32_t num_segments() const {
    return num_input_segments() + static_cast<std::uint32_t>(from_neurons.segments.size());
  }

  void reset() {
    queue.clear();
    touched.clear();  // a run may have ended by an error
    for (std::uint32_t n = 0; n < neurons.size(); ++n) {
      Neuron& neuron = neurons[n];
      neuron.state = {neuron.model.config().v_rest, 0.0};
      neuron.last = neuron.ready = 0;
      neuron.sum = 0.0;
      neuron.touched = neuron.predicted = false;
      predict(n);
    }
  }

  void send(const Rows& rows, std::uint32_t source, std::uint32_t number_of_first, std::int64_t now) {
    for (std::uint32_t s = rows.first_segment[source]; s < rows.first_segment[source + 1]; ++s) {
      const std::int64_t delay = rows.segments[s].delay;
      if (delay <= end - now) queue.push(now + delay, {number_of_first + s, 0});
    }
  }

  void touch(std::uint32_t n) {
    if (!neurons[n].touched) touched.push_back(n);
    neurons[n].touched = true;
  }

  void take(const Prediction& entry) {
    if (entry.neuron >= num_segments()) {
      const Prediction prediction{entry.neuron - num_segments(), entry.generation};
      if (!generations.holds(prediction)) {
        ++counts.stale_predictions;
        return;
      }
      neurons[prediction.neuron].predicted = true;
      touch(prediction.neuron);
      return;
    }
    const bool of_input = entry.neuron < num_input_segments();
    const Rows& rows = of_input ? from_inputs : from_neurons;
    const Rows::Segment& segment = rows.segments[of_input ? entry.neuron : entry.neuron - num_input_segments()];
    for (std::uint32_t k = segment.first; k < segment.last; ++k) {
      Neuron& neuron = neurons[rows.targets[k]];
      neuron.sum += rows.weights[k];
      touch(rows.targets[k]);
    }
    counts.synaptic_events += segment.last - segment.first;
  }

  /// What the neuron is at `now` before anything arrives. Refractory ones keep v.
  void solve(Neuron& neuron, std::int64_t now) {
    if (neuron.last < neuron.ready) {
      const std::int64_t until = std::min(now, neuron.ready);
      neuron.state.i = neuron.model.advance_current(neuron.state.i, milliseconds(until - neuron.last));
      neuron.last = until;
    }
    if (neuron.last < now) neuron.state = neuron.model.advance(neuron.state, milliseconds(now - neuron.last));
    neuron.last = now;
    ++counts.neuron_updates;
  }

  double milliseconds(std::int64_t units) const { return static_cast<double>(units) / units_per_ms; }

  void predict(std::uint32_t n) {
    generations.touch(n);
    const Neuron& neuron = neurons[n];
    neurons::ExactLifState state = neuron.state;
    const std::int64_t start = std::max(neuron.last, neuron.ready);
    if (start > end) return;
    if (start > neuron.last) state.i = neuron.model.advance_current(state.i, milliseconds(start - neuron.last));
    const double crossing = std::ceil(neuron.model.first_crossing_ms(state) * units_per_ms);
    if (!(crossing < kFarthest) || static_cast<std::int64_t>(crossing) > end - start) return;
    const Prediction prediction = generations.predict(n);
    queue.push(start + static_cast<std::int64_t>(crossing), {num_segments() + n, prediction.generation});
    ++counts.predictions;
  }

  /// All that happens to a neuron at `now`, once its arrivals are summed.
  void settle(std::uint32_t n, std::int64_t now, std::vector<ContinuousSpike>& spikes) {
    Neuron& neuron = neurons[n];
    const double sum = std::exchange(neuron.sum, 0.0);
    const bool predicted = std::exchange(neuron.predicted, false);
    const bool delta = neuron.model.config().tau_syn_ms == 0.0;
    neuron.touched = false;
    const bool refractory = now < neuron.ready;
    if (refractory && delta) return;
    solve(neuron, now);
    (delta ? neuron.state.v : neuron.state.i) += sum;
    // A neuron that was to cross at this very time may stand below by rounding; only what pulls v down can undo it.
    const bool crossed = predicted && !(delta && sum < 0.0);
    if (!refractory && (crossed || neuron.state.v >= neuron.model.config().v_th)) {
      spikes.push_back({now, n});
      neuron.state.v = neuron.model.config().v_reset;
      neuron.ready = now + neuron.refractory;
      send(from_neurons, n, num_input_segments(), now);
    }
    predict(n);
  }

  std::vector<ContinuousSpike> run(std::span<const ContinuousSpike> given, std::int64_t until) {
    std::vector<ContinuousSpike> input(given.begin(), given.end());
    std::sort(input.begin(), input.end());
    for (const ContinuousSpike& spike : input) {
      if (spike.time < 0 || spike.neuron >= num_inputs) {
        throw ShapeError(
            fmt::format("[continuous_network] spike of input {} at time {}: there are {} inputs, from time 0",
                        spike.neuron, spike.time, num_inputs));
      }
    }
    if (until < 0 || static_cast<double>(until) >= kFarthest) {
      throw ShapeError(fmt::format("[continuous_network] cannot run until time {}", until));
    }
    end = until;
    reset();
    std::vector<ContinuousSpike> spikes;
    auto next_input = input.begin();
    while (true) {
      // Input is taken as it comes, so that what waits is only what is under way.
      if (next_input != input.end() && next_input->time <= std::min(queue.next_time(), end)) {
        send(from_inputs, next_input->neuron, 0, next_input->time);
        ++next_input;
        continue;
      }
      const std::int64_t now = queue.next_time();
      if (now > end) break;
      while (queue.next_time() == now) take(queue.pop().entry);
      std::sort(touched.begin(), touched.end());
      for (const std::uint32_t n : touched) settle(n, now, spikes);
      touched.clear();
    }
    return spikes;
  }

  static constexpr double kFarthest = 0x1p61;

  double units_per_ms;
  std::uint32_t num_inputs;
  Rows from_inputs, from_neurons;
  std::vector<Neuron> neurons;
  Generations generations;
  TimeQueue<Prediction> queue;  ///< of arrivals too: a segment, generation 0
  std::vector<std::uint32_t> touched;
  std::int64_t end = 0;
  ContinuousCounts counts;
};

ContinuousNetwork::ContinuousNetwork(const ContinuousNetworkSpec& spec) : impl_(std::make_unique<Impl>(spec)) {}
ContinuousNetwork::~ContinuousNetwork() = default;
ContinuousNetwork::ContinuousNetwork(ContinuousNetwork&&) noexcept = default;

std::vector<ContinuousSpike> ContinuousNetwork::run(std::span<const ContinuousSpike> input, std::int64_t end) {
  return impl_->run(input, end);
}

const ContinuousCounts& ContinuousNetwork::counts() const { return impl_->counts; }

}  // namespace synfire::network
