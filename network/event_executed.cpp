#include "network/event_executed.hpp"

#include <algorithm>

#include "network/neuron_count.hpp"

namespace synfire::network {

namespace {

constexpr std::uint64_t kWeightBytes = sizeof(std::int32_t), kEventBytes = sizeof(std::int32_t),
                        kStateBytes = sizeof(float);

std::uint64_t u64(int count) { return static_cast<std::uint64_t>(count); }

void add_synapses(std::uint64_t weights, std::uint64_t graded, LayerLedger& to) {
  to.addr_ops += weights;
  to.exec_acs += weights - graded;
  to.exec_macs += graded;
  to.w_rd += weights * kWeightBytes;
}

/// What it cost to find out when neurons could fire by themselves.
void add_looks(const Population& population, std::uint64_t looks, LayerLedger& to) {
  if (!population.rows) {
    to.log += looks;
    to.div += looks;
    return;
  }
  // Of each variable: its distance from its level, two products and the larger one; then their sum and the limit.
  const std::uint64_t states = u64(population.rows->model.num_states);
  to.mul += 2 * states * looks;
  to.add += 2 * states * looks;
  to.cmp += (states + 1) * looks;
}

/// Of lif neurons and leaky integrators that get over silent ticks in closed form: network/event_lazy_lif.hpp.
void add_lazy_updates(const Population& population, const EventCounts& counts, LayerLedger& to) {
  const bool fires = population.kind == Population::Kind::neurons;
  const bool leaks = static_cast<float>(population.params.decay) < 1.0F;
  // The course of a silent membrane is a product and a sum; with a leak, of the distance from where it settles.
  NeuronWork work{.states = 2, .add = leaks ? 3 : 2, .mul = 1, .cmp = fires ? 1 : 0};
  if (population.params.gain != 1.0) ++work.mul;
  if (fires && !population.params.hard_reset) work.add_per_spike = 1;
  LayerLedger all_written;
  count_neurons(work, counts.neuron_updates, fires ? counts.events_out : 0,
                static_cast<std::uint64_t>(population.size()), kStateBytes, all_written);
  to.neuron_updates += all_written.neuron_updates;
  to.add += all_written.add + counts.looks_evaluated * (leaks ? 2 : 1);
  to.mul += all_written.mul + counts.looks_evaluated;
  to.cmp += all_written.cmp + counts.looks_evaluated;
  to.state_rd += all_written.state_rd + (leaks ? counts.neuron_updates * kStateBytes : 0);  // the power of the decay
  to.state_wr += counts.states_written * u64(work.states) * kStateBytes;
  to.sizes.neurons = all_written.sizes.neurons;
  to.sizes.state_bytes = all_written.sizes.state_bytes;
}

/// With or without recurrence.
NeuronConfig neurons_of(const Operation& operation) {
  if (const auto* const cuba = std::get_if<CubaLifSpec>(&operation)) return cuba->config;
  if (const auto* const adlif = std::get_if<AdlifSpec>(&operation)) return adlif->config;
  if (const auto* const recurrent = std::get_if<RecurrentSpec>(&operation)) return recurrent->neuron;
  return std::get<LifSpec>(operation).config;
}

}  // namespace

EventCounts difference(const EventCounts& after, const EventCounts& before) {
  EventCounts result = after;
  result.events_out -= before.events_out;
  result.synaptic_events -= before.synaptic_events;
  result.graded_events -= before.graded_events;
  result.feedback_events -= before.feedback_events;
  result.neuron_updates -= before.neuron_updates;
  result.replayed_ticks -= before.replayed_ticks;
  result.queue_push -= before.queue_push;
  result.looks_computed -= before.looks_computed;
  result.looks_evaluated -= before.looks_evaluated;
  result.states_written -= before.states_written;
  result.queue_stale -= before.queue_stale;
  return result;
}

void add_executed(const Population& population, const Operation& operation, EventArithmetic arithmetic,
                  const EventCounts& counts, LayerLedger& synapses, LayerLedger& neurons) {
  neurons.io_wr += counts.events_out * kEventBytes;
  neurons.queue_push += counts.queue_push;
  neurons.queue_pop += counts.queue_push;
  neurons.queue_stale += counts.queue_stale;
  neurons.queue_peak = std::max(neurons.queue_peak, counts.queue_peak);
  if (population.kind == Population::Kind::any) {
    neurons.addr_ops += counts.synaptic_events;
    neurons.cmp += counts.synaptic_events;
    return;
  }
  add_synapses(counts.synaptic_events - counts.feedback_events, counts.graded_events, synapses);
  add_synapses(counts.feedback_events, 0, neurons);
  neurons.mul += counts.neuron_updates;  // the sum is brought from its grid
  add_looks(population, counts.looks_computed, neurons);
  if (arithmetic == EventArithmetic::lazy && population.has_membrane && !population.rows) {
    add_lazy_updates(population, counts, neurons);
    return;
  }
  neurons.add += counts.neuron_updates;  // the drive is added to the sum

  const auto size = static_cast<std::uint64_t>(population.size());
  if (population.kind == Population::Kind::neurons) {
    const NeuronWork work = neuron_work(neurons_of(operation));
    count_neurons(work, counts.neuron_updates, counts.events_out, size, sizeof(float), neurons);
    neurons.replayed_ticks += counts.replayed_ticks;
    neurons.add += counts.replayed_ticks * u64(work.add);
    neurons.mul += counts.replayed_ticks * u64(work.mul);
  } else if (const auto* const integrator = std::get_if<LeakyIntegratorSpec>(&operation)) {
    count_neurons(neuron_work(*integrator), counts.neuron_updates, 0, size, sizeof(float), neurons);
  }
}

}  // namespace synfire::network
