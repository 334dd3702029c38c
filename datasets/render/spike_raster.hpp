#pragma once

#include <vector>

#include "datasets/render/image.hpp"
#include "datasets/spike_trains.hpp"

/// Pictures of spike trains.
namespace synfire::datasets {

/// Channels over time, channel 0 at the bottom, and spikes per second over time, with axes; `width` x 3/4 `width`
/// pixels. The darkness of a point goes with the logarithm of its number of spikes.
Image spike_raster(const SpikeTrain& train, int num_channels, int width);

/// Channels over time without axes, as PNG: a thumbnail for reports.
std::vector<unsigned char> spike_thumbnail_png(const SpikeTrain& train, int num_channels);

}  // namespace synfire::datasets
