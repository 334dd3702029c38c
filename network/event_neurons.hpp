#pragma once

#include <variant>

#include "network/event_lazy_lif.hpp"
#include "network/event_stepped_lif.hpp"
#include "network/event_stepped_rows.hpp"

/// The neuron models that the event engine runs. Private to the room.
///
/// A model has the constants of one population, the same for all samples, and
///
///     explicit Model(const Population&);
///     void prepare(num_ticks);
///         before a pass of samples of so many ticks
///     void start(NeuronState&) const;
///         before the first tick; sizes the state
///     void tick(tick, block, NeuronState&, int32* sums, EventCounts&, fired) const;
///         makes up for the ticks since the block was computed last, in which nothing arrived and none of its neurons
///         fired; then charge, fire and reset. Calls fired(n) in order, sets the block's sums to 0 and counts updates
///     int32 could_fire_in(tick, block, horizon, NeuronState&, EventCounts&) const;
///         behind `tick`: in how many ticks, at most `horizon`, one of the block could fire if nothing arrives. May be
///         too early, never too late; kNever if none can
///     float charged(tick, n, const NeuronState&, sum) const;
///         the membrane that the test for firing would see; the neuron is as after the tick before
///     void read(tick, NeuronState&, int32* sums, float* out, EventCounts&) const;
///         one tick of all neurons as a readout, without a threshold; sets the sums to 0 and counts updates
///
/// A block is the neurons that events reach together (Population::block). EventSample calls the models through
/// std::visit, once for a population and tick.
namespace synfire::network {

using EventNeurons = std::variant<SteppedLif, LazyLif, SteppedRows>;

inline EventNeurons make_event_neurons(const Population& population, EventArithmetic arithmetic) {
  if (population.rows) return SteppedRows(population);
  if (arithmetic == EventArithmetic::lazy) return LazyLif(population);
  return SteppedLif(population);
}

}  // namespace synfire::network
