#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "datasets/split.hpp"

namespace synfire::datasets {

/// A single recording of an event camera as a split for evaluation, cut into samples and frames as a configuration says
/// (`[data]` window_ms, min_events, width, height and lenient, and `[frames]`). What its events show is not known: all
/// labels are 0 and there are no class names. Warnings of the reader are appended.
/// \throws ConfigError, FileError, FormatError; FormatError also for a recording of which no sample is left
std::unique_ptr<Split> open_recording(const ConfigTable& root, const std::filesystem::path& file, int batch_size,
                                      std::vector<std::string>& warnings);

}  // namespace synfire::datasets
