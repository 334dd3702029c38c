#pragma once

#include <cstdint>

#include "network/elementwise.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"

/// How many elements of the signals of a counted pass are not 0, each signal counted once. Private to the room.
namespace synfire::network {

template <class Scalar>
std::uint64_t events_of(const Run<Scalar>& run, const Wire& wire) {
  if (const auto known = run.counted->events(wire.values)) return *known;
  const std::uint64_t events = count_nonzero(run.signal(wire));
  run.counted->set_events(wire.values, events);
  return events;
}

template <class Scalar>
void count_input(const Run<Scalar>& run, const Wire& wire, LayerLedger& record) {
  count_input(run.signal(wire), events_of(run, wire), record);
}

/// Mean firing rate of a population; the number of its spikes is known from then on.
template <class Scalar>
double spike_rate(const Run<Scalar>& run, const Wire& output) {
  const double sum = sum_of(run.signal(output));
  if (run.counted != nullptr && output.spikes) run.counted->set_events(output.values, static_cast<std::uint64_t>(sum));
  return sum / static_cast<double>(output.shape.size());
}

/// \param changed  updates that changed a membrane, after the first tick: NeuroBench counts all of that one
template <class Scalar>
void count_neurons_of(const Run<Scalar>& run, const Wire& output, const NeuronWork& work, std::uint64_t changed,
                      LayerLedger& record) {
  count_layer_neurons(work, run.signal(output), work.add_per_spike > 0 ? events_of(run, output) : 0, record);
  record.membrane_updates_nb += static_cast<std::uint64_t>(output.shape.size_from(1)) + changed;
}

}  // namespace synfire::network
