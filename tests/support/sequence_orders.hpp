#pragma once

#include <string>
#include <vector>

#include "core/sequences.hpp"

namespace synfire::test {

inline std::vector<SequenceOrder> all_orders() {
  std::vector<SequenceOrder> orders;
  for (const SequenceAxis axis : {SequenceAxis::tokens, SequenceAxis::frame, SequenceAxis::time}) {
    for (const SequenceDirection direction : {SequenceDirection::forward, SequenceDirection::backward}) {
      orders.push_back({axis, direction});
    }
  }
  return orders;
}

/// "time/backward", as in tests/data/selective_scan_torch
inline std::string order_text(SequenceOrder order) {
  static constexpr const char* kAxes[] = {"tokens", "frame", "time"};
  return std::string(kAxes[static_cast<int>(order.axis)]) +
         (order.direction == SequenceDirection::forward ? "/forward" : "/backward");
}

}  // namespace synfire::test
