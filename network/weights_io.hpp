#pragma once

#include <filesystem>

#include "network/network.hpp"

namespace synfire::network {

/// Writes all tensors of a network, trained or not, to an HDF5 file: `weights/conv1.weight` and so on, float32 in the
/// shape of the tensor. Either the old file or the whole new one has the name.
/// \throws FileError
void write_weights(const std::filesystem::path& file, const Network<float>& network);

/// Reads them back, also from the checkpoint of a training run. A file of another network changes nothing.
/// \throws FileError, or FormatError that names the tensor which is missing, too many or of another shape
void read_weights(const std::filesystem::path& file, Network<float>& network);

}  // namespace synfire::network
