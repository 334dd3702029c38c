#pragma once

#include "core/config.hpp"
#include "datasets/open_data.hpp"

namespace synfire::datasets {

/// open_data for `kind = "shd"`. \throws ConfigError, FileError, FormatError, ShapeError
DataSplits open_spike_trains(const ConfigTable& root, int batch_size, Load load);

}  // namespace synfire::datasets
