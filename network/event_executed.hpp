#pragma once

#include "core/op_ledger.hpp"
#include "network/event_program.hpp"
#include "network/event_runtime.hpp"
#include "network/spec.hpp"

/// What the event engine did, as counters of the ledger: docs/energy.md. Private to the room.
namespace synfire::network {

/// The counts of a run between two of its runtime; the peak of the queue is that of all runs.
EventCounts difference(const EventCounts& after, const EventCounts& before);

/// Adds what was done for a population in a run.
/// \param counts    of the run alone
/// \param neurons   the layer of the population
/// \param synapses  the layer of the weights before it; often the same. What a population sends back to itself is
///                  counted with its neurons
void add_executed(const Population& population, const Operation& operation, EventArithmetic arithmetic,
                  const EventCounts& counts, LayerLedger& synapses, LayerLedger& neurons);

}  // namespace synfire::network
