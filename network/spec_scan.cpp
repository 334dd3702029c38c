#include "network/spec_scan.hpp"

#include "neurons/selective_scan.hpp"
#include "synapses/causal_conv1d.hpp"

namespace synfire::network {

namespace {

constexpr std::int64_t kMaxRank = 4096;

SequenceOrder read_order(const LayerTable& table) {
  SequenceOrder order;
  const std::string axis = table.choice("axis", {"tokens", "frame", "time"}, "tokens");
  order.axis = axis == "tokens" ? SequenceAxis::tokens : axis == "frame" ? SequenceAxis::frame : SequenceAxis::time;
  order.direction = table.choice("direction", {"forward", "backward"}, "forward") == "forward"
                        ? SequenceDirection::forward
                        : SequenceDirection::backward;
  return order;
}

}  // namespace

Operation read_causal_conv1d(const LayerTable& table) {
  return CausalConv1dSpec{read_order(table), table.integer("kernel", 4, 1, synapses::kMaxConvTaps),
                          table.flag("bias", true)};
}

Operation read_selective_scan(const LayerTable& table) {
  return SelectiveScanSpec{read_order(table), table.integer("state", 16, 1, neurons::kMaxScanStates),
                           table.integer("rank", 0, 0, kMaxRank)};
}

}  // namespace synfire::network
