#pragma once

#include <memory>

#include "core/op_ledger.hpp"
#include "core/tensor.hpp"
#include "network/event_runtime.hpp"
#include "network/network.hpp"

namespace synfire::network {

/// Runs batches event by event and adds them to a ledger: what the network was asked for by the spikes of its runs, in
/// the layers and by the rules of the clocked engine (docs/energy.md), and what the event engine executed for it. Where
/// the weights are zero is found out in the first pass.
class EventLedger {
 public:
  /// \param runtime  of this network; records spikes from now on
  /// \param ledger   an empty one takes the layers of the network
  EventLedger(const Network<float>& network, EventRuntime& runtime, OpLedger& ledger);
  ~EventLedger();

  /// As EventRuntime::forward.
  View<const float> forward(View<const float> input);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The same for one batch.
View<const float> count_events(const Network<float>& network, EventRuntime& runtime, View<const float> input,
                               OpLedger& ledger);

}  // namespace synfire::network
