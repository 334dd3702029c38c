#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/render/image.hpp"

/// Pictures of what a network does.
namespace synfire::datasets {

/// The spikes of one layer; `tick` and `neuron` are equally long.
struct RasterLayer {
  std::string title;
  std::ptrdiff_t num_neurons = 0;
  std::vector<std::int32_t> tick;    ///< 0 and more
  std::vector<std::int32_t> neuron;  ///< 0 to num_neurons - 1
};

/// The layers from top to bottom, each under its title, neuron 0 at the bottom; time on the common x axis. A spike's
/// mark is as wide as its tick, and the darkness of a point goes with the logarithm of its number of spikes. Spikes of
/// later ticks than `num_ticks` (at least 1) are left out.
Image layer_raster(const std::vector<RasterLayer>& layers, std::int32_t num_ticks, double dt_ms, int width);

}  // namespace synfire::datasets
