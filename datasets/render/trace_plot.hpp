#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/render/image.hpp"

namespace synfire::datasets {

/// The membrane potential of a neuron in every tick, before its reset.
struct MembraneTrace {
  std::string title;
  std::vector<float> v;
  double v_th = 0.0;
  std::vector<std::int32_t> spike_ticks;  ///< 0 to v.size() - 1
};

/// One panel a trace, from top to bottom, over the same time: the potential in blue, the threshold in orange, and an
/// orange mark at the top for each spike. Values that are not finite are left out.
Image trace_plot(const std::vector<MembraneTrace>& traces, double dt_ms, int width);

}  // namespace synfire::datasets
