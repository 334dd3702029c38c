#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "datasets/sample_index.hpp"

namespace synfire::datasets {

/// The files of a data set with their labels, before any is read.
struct DataListing {
  std::vector<std::string> class_names;  ///< in the order of labels
  std::vector<RecordingEntry> train;
  std::vector<RecordingEntry> test;  ///< empty if there is no test data
};

/// Lists what `[data]` names, in an order that depends on names alone. `kind` is its kind, one of
///
/// - "labelled_folders": FOLDER/<class>/<recording>, for each FOLDER of `train` and `test`;
/// - "labelled_files": FOLDER/<class>__<anything>; only classes that are in both `train` and `test` are used;
/// - "dvs_gesture": `folder` with the lists of DVS128 Gesture, and their split by subjects.
///
/// Recordings are files ending in .bin, .aedat or .aedat4. The first two kinds also know
///
///     test_recordings = ["name"]   # held out of `train` for the test, without their ending
///     merge = { clamp_test = "walking" }   # a class that counts as another one
///
/// \throws ConfigError for a class without recordings and for names that are not there; FileError for a folder that is
/// missing
DataListing list_data(const ConfigTable& data, const std::string& kind);

}  // namespace synfire::datasets
