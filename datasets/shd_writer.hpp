#pragma once

#include <filesystem>

#include "datasets/spike_trains.hpp"

namespace synfire::datasets {

/// Writes the HDF5 layout of the Spiking Heidelberg Digits; see docs/formats.md and [Cramer2022] in
/// docs/references.md. Times become halves, as there: 1 ms apart above 1 s, 0.1 ms around 0.1 s. One thing more than
/// SHD has is written, `extra/num_channels`, because the last channels may be silent in all samples.
/// The file appears as a whole or not at all.
/// \throws ShapeError if the lists differ in length
/// \throws Error      for a channel, label or speaker out of range, a time that is no half >= 0, or spikes out of order
/// \throws FileError  if the file cannot be written
void write_shd(const std::filesystem::path& file, const SpikeTrainSet& set);

}  // namespace synfire::datasets
