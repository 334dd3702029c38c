#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "datasets/recording_set.hpp"

namespace synfire::datasets {

/// load_recordings with a memory on disk: one HDF5 file in `folder` for each list of files and set of options, with the
/// decoded events and a manifest of what they were made from (path, size, time of change and SHA-256 of each file, the
/// options, the version of the readers). The file is written aside and renamed when whole.
///
/// It is used if the manifest says the same as the files: sizes and times of change as recorded, or else the digests.
/// Anything else (no manifest, a file that changed, another version, damage) means to decode and write it anew.
///
/// \param split  begins the name of the file in `folder`, for people
/// \throws what load_recordings throws, and FileError if the folder cannot be written
RecordingSet load_cached(const std::filesystem::path& folder, const std::string& split,
                         std::span<const RecordingEntry> entries, const ReadOptions& options);

/// The file that load_cached uses.
std::filesystem::path cache_file(const std::filesystem::path& folder, const std::string& split,
                                 std::span<const RecordingEntry> entries, const ReadOptions& options);

}  // namespace synfire::datasets
