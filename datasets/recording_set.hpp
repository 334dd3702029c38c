#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/compact_events.hpp"
#include "datasets/event_reader.hpp"
#include "datasets/sample_index.hpp"

namespace synfire::datasets {

/// The recordings of a split, decoded and in memory.
struct RecordingSet {
  std::vector<CompactEvents> recordings;  ///< one for each entry, in their order
  std::vector<std::string> files;         ///< where they come from, for messages and reports
  int width = 0;                          ///< of the sensor, the same for all
  int height = 0;
  std::vector<std::string> warnings;  ///< of the reader, each with its file, in the order of the entries
};

/// Reads the files of `entries` in parallel. The first file in their order that cannot be read is the error, whichever
/// thread met it. \throws FileError, FormatError as read_recording does, and FormatError if two sensors differ in size
RecordingSet load_recordings(std::span<const RecordingEntry> entries, const ReadOptions& options);

}  // namespace synfire::datasets
