#pragma once

#include <filesystem>

#include "datasets/spike_trains.hpp"

namespace synfire::datasets {

inline constexpr int kShdChannels = 700;

/// Whether a file is HDF5, as files of spike trains are; false if it cannot be read.
bool is_spike_train_file(const std::filesystem::path& file);

/// Reads the HDF5 layout of the Spiking Heidelberg Digits and Spiking Speech Commands (docs/formats.md): times as
/// halves, floats or doubles, channels, labels and speakers as integers of any width. Only the spikes themselves are
/// in memory, with one row of the file at a time; they stay in the order of the file.
///
/// Without `extra/keys` classes have no names, and without `extra/speaker` every sample has speaker 0. The number of
/// channels is `extra/num_channels`, where that is there, else 700.
///
/// \throws FileError
/// \throws FormatError  with the file and the path inside: if times, units and labels are not equally many, in all or
///                      in a sample; for a channel, label or time that cannot be; for damage
SpikeTrainSet read_shd(const std::filesystem::path& file);

}  // namespace synfire::datasets
