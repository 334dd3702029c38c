#pragma once

#include <vector>

#include "core/op_ledger.hpp"
#include "network/network.hpp"

namespace synfire::network {

/// Which layer of a ledger each node counts into. A layer begins with a node that carries signals on (linear, conv2d,
/// delayed_linear, recurrent, a pool, add, vote); batch norms, neurons and what leaves events as they are (flatten,
/// dropout, drop_path) belong to the layer before them, until it has neurons. Every engine counts into the same layers.
struct LedgerPlan {
  std::vector<LayerLedger> layers;  ///< names, kinds and sizes; nothing counted
  std::vector<int> layer_of_node;   ///< -1: flatten or dropout of the network's own input
  std::vector<int> first_node;      ///< of each layer
  std::vector<int> last_node;       ///< of each layer: its output is the layer's
};

/// \param scalar_bytes  of a weight and a state
template <class Scalar>
LedgerPlan plan_ledger(const Network<Scalar>& network);

}  // namespace synfire::network
