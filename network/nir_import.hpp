#pragma once

#include <filesystem>

#include "network/network.hpp"

namespace synfire::network {

/// Reads a network that another tool wrote as a NIR graph [Pedersen2024]: a chain of Conv2d, SumPool2d, AvgPool2d,
/// Flatten, Affine, Linear and IF nodes, whatever their names. A sum over a window becomes a mean with the next weights
/// scaled. NIR is silent about time steps: an IF neuron here adds its input of a tick, v += r x, fires once and is
/// reset, at its threshold as sinabs does or only above it as NIR's equation says. \throws FileError; FormatError that
/// names the node for other graphs and for what does not fit
Network<float> read_nir(const std::filesystem::path& file, neurons::FiresAt fires_at);

}  // namespace synfire::network
