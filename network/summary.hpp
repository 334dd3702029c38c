#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "network/spec.hpp"

namespace synfire::network {

/// One node of a network as a person wants to see it listed.
struct NodeSummary {
  std::string name;
  std::string type;
  std::string detail;           ///< "3x3, stride 1, padding 1": what sets it apart from others of its type
  Shape output;                 ///< one tick of one sample
  std::int64_t parameters = 0;  ///< trained ones
  double macs_per_tick = 0.0;   ///< multiply-accumulates of a dense run, one sample
};

struct Summary {
  std::vector<NodeSummary> nodes;
  std::int64_t parameters = 0;
  double macs_per_tick = 0.0;
};

/// What can be said of a network before it has parameters. The memory of a step: ClockedRuntime::planned_bytes and
/// kept_bytes.
/// \throws ShapeError `[build] layer "conv2": ...` if the layers do not fit
Summary summarize(const NetworkSpec& spec, const Shape& input);

}  // namespace synfire::network
