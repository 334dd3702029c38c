#include "network/event_runtime.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "network/event_sample.hpp"

namespace synfire::network {

namespace {

/// Samples that are run at the same time; more than the cores of a machine.
constexpr std::ptrdiff_t kChunks = 64;

}  // namespace

EventCounts& EventCounts::operator+=(const EventCounts& other) {
  events_out += other.events_out;
  synaptic_events += other.synaptic_events;
  graded_events += other.graded_events;
  feedback_events += other.feedback_events;
  neuron_updates += other.neuron_updates;
  replayed_ticks += other.replayed_ticks;
  queue_push += other.queue_push;
  queue_peak = std::max(queue_peak, other.queue_peak);
  looks_computed += other.looks_computed;
  looks_evaluated += other.looks_evaluated;
  states_written += other.states_written;
  queue_stale += other.queue_stale;
  return *this;
}

struct EventRuntime::Impl {
  explicit Impl(EventProgram of) : program(std::move(of)) { use(EventArithmetic::stepped); }

  void use(EventArithmetic wanted) {
    arithmetic = wanted;
    neurons.clear();
    for (const Population& population : program.populations) {
      neurons.push_back(make_event_neurons(population, arithmetic));
    }
  }

  View<const float> forward(View<const float> input) {
    const Shape& tick = program.populations.front().shape;
    if (input.shape.rank() != tick.rank() + 2 || input.shape.drop_front(2) != tick || input.shape.size() == 0) {
      throw ShapeError(fmt::format("[events] the network reads [T, B] times {}, none of them 0, got {}", tick.text(),
                                   input.shape.text()));
    }
    if (input.device != Device::cpu) throw BackendError("[events] the event engine reads host memory");
    const std::ptrdiff_t ticks = input.shape[0], batch = input.shape[1], frame = tick.size();
    const Population& readout = program.populations.back();
    const Shape wanted{ticks + readout.extra_ticks, batch, readout.size()};
    if (output.shape() != wanted) output = Tensor<float>(wanted);
    spikes.resize(record ? static_cast<std::size_t>(batch) : 0);
    for (auto& of_sample : spikes) of_sample.clear();
    const std::ptrdiff_t chunks = std::min(kChunks, batch);
    before = total();
    last_ticks = ticks;
    last_batch = batch;
    while (std::ssize(samples) < chunks) samples.push_back(std::make_unique<EventSample>(program, neurons));

    for (std::size_t p = 0; p < neurons.size(); ++p) {
      const auto end = static_cast<std::int32_t>(ticks + program.populations[p].extra_ticks);
      std::visit([&](auto& model) { model.prepare(end); }, neurons[p]);
    }
    const int threads = num_threads(), shares = batch < threads ? threads : 1;
    parallel_chunks(batch, static_cast<int>(chunks), [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      EventSample& sample = *samples[static_cast<std::size_t>(chunk)];
      sample.watch_ticks(watcher ? &watcher : nullptr);
      sample.share_targets(shares);
      for (std::ptrdiff_t b = begin; b < end; ++b) {
        sample.run(mode, static_cast<std::int32_t>(ticks), input.data + b * frame, batch * frame,
                   output.data() + b * readout.size(), batch * readout.size(),
                   record ? &spikes[static_cast<std::size_t>(b)] : nullptr);
      }
    });
    return std::as_const(output).view();
  }

  /// Of the last pass alone.
  std::vector<double> firing_rates() const {
    int nodes = 0;
    for (const Population& population : program.populations) nodes = std::max(nodes, population.node + 1);
    std::vector<double> rates(static_cast<std::size_t>(nodes), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t p = 0; p < program.populations.size(); ++p) {
      const Population& population = program.populations[p];
      if (population.kind != Population::Kind::neurons || last_ticks == 0) continue;
      const double neuron_ticks = static_cast<double>(population.size()) *
                                  static_cast<double>(last_ticks + population.extra_ticks) *
                                  static_cast<double>(last_batch);
      rates[static_cast<std::size_t>(population.node)] =
          static_cast<double>(total()[p].events_out - before[p].events_out) / neuron_ticks;
    }
    return rates;
  }

  std::vector<EventCounts> total() const {
    std::vector<EventCounts> result(program.populations.size());
    for (const auto& sample : samples) {
      for (std::size_t p = 0; p < result.size(); ++p) result[p] += sample->counts()[p];
    }
    return result;
  }

  EventProgram program;
  std::vector<EventNeurons> neurons;
  std::vector<EventCounts> before;  ///< the last pass
  std::ptrdiff_t last_ticks = 0, last_batch = 0;
  std::vector<std::unique_ptr<EventSample>> samples;
  EventMode mode = EventMode::events;
  EventArithmetic arithmetic = EventArithmetic::stepped;
  bool record = false;
  std::function<void(std::int32_t ticks)> watcher;
  std::vector<std::vector<EventSpike>> spikes;
  Tensor<float> output;
};

EventRuntime::EventRuntime(EventProgram program) : impl_(std::make_unique<Impl>(std::move(program))) {}
EventRuntime::~EventRuntime() = default;
EventRuntime::EventRuntime(EventRuntime&&) noexcept = default;

void EventRuntime::use_mode(EventMode mode) { impl_->mode = mode; }
void EventRuntime::use_arithmetic(EventArithmetic arithmetic) { impl_->use(arithmetic); }
EventArithmetic EventRuntime::arithmetic() const { return impl_->arithmetic; }
void EventRuntime::record_spikes(bool record) { impl_->record = record; }
void EventRuntime::watch_ticks(std::function<void(std::int32_t ticks)> watcher) { impl_->watcher = std::move(watcher); }
View<const float> EventRuntime::forward(View<const float> input) { return impl_->forward(input); }

std::vector<EventCounts> EventRuntime::counts() const { return impl_->total(); }
std::vector<double> EventRuntime::firing_rates() const { return impl_->firing_rates(); }

std::vector<float> EventRuntime::trace(View<const float> input, int population, std::ptrdiff_t neuron) {
  const auto& populations = impl_->program.populations;
  if (population < 0 || population >= std::ssize(populations) ||
      populations[static_cast<std::size_t>(population)].kind != Population::Kind::neurons || neuron < 0 ||
      neuron >= populations[static_cast<std::size_t>(population)].size() || input.shape[1] != 1) {
    throw ShapeError(fmt::format(
        "[events] a trace is of one sample and one neuron with a threshold, not of neuron {} of population {}", neuron,
        population));
  }
  std::vector<float> result;
  EventRuntime alone(impl_->program);
  alone.use_mode(EventMode::clocked);
  alone.use_arithmetic(impl_->arithmetic);
  alone.impl_->samples.push_back(std::make_unique<EventSample>(alone.impl_->program, alone.impl_->neurons));
  alone.impl_->samples.front()->trace(&result, static_cast<std::size_t>(population), neuron);
  alone.forward(input);
  return result;
}
void EventRuntime::clear_counts() {
  for (const auto& sample : impl_->samples) std::fill(sample->counts().begin(), sample->counts().end(), EventCounts{});
}
const std::vector<std::vector<EventSpike>>& EventRuntime::spikes() const { return impl_->spikes; }
const EventProgram& EventRuntime::program() const { return impl_->program; }

}  // namespace synfire::network
