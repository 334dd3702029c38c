#pragma once

#include "core/op_ledger.hpp"
#include "core/tensor.hpp"
#include "network/event_runtime.hpp"
#include "network/network.hpp"

namespace synfire::network {

/// Runs a batch [T, B, ...] event by event and adds it to a ledger: what the network was asked for by the spikes of
/// this run, in the layers and by the rules of the clocked engine (docs/energy.md), and what the event engine executed
/// for it. An empty ledger takes the layers of the network.
///
/// \param runtime  of this network; records spikes from now on
/// \return         [T', B, K], as EventRuntime::forward
View<const float> count_events(const Network<float>& network, EventRuntime& runtime, View<const float> input,
                               OpLedger& ledger);

}  // namespace synfire::network
