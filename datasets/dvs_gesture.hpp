#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/event_stream.hpp"
#include "datasets/event_reader.hpp"

/// The data set DVS128 Gesture [Amir2017] as its publisher packs it: recordings with several gestures each, and a list
/// of the times of each gesture.
namespace synfire::datasets {

/// One gesture: events of `recording` with start <= t < end, on the recording's own time axis. Neighbours may overlap.
struct GestureSample {
  std::filesystem::path recording;
  int gesture = 0;  ///< 1 to 11, see gesture_names()
  std::int64_t start_us = 0;
  std::int64_t end_us = 0;
  int user = 0;
  std::string light;   ///< fluorescent, fluorescent_led, lab, led or natural
  int label_line = 0;  ///< in the recording's list of labels, for messages
};

enum class GestureSplit { train, test };

/// Names of the gestures 1 to 11, at the positions 0 to 10.
const std::array<std::string_view, 11>& gesture_names();

/// The samples of a split: recordings in the order of `trials_to_train.txt` or `trials_to_test.txt`, and for each the
/// rows of its `..._labels.csv` in their order. A gesture may occur more than once in a recording.
///
/// \throws FileError   if a list, or a recording or its labels that a list names, is missing
/// \throws FormatError if a list or label cannot be understood, or names no sample at all
std::vector<GestureSample> list_gestures(const std::filesystem::path& folder, GestureSplit split);

/// Cuts gestures out of their recordings; keeps the last recording, so that samples in the order of list_gestures read
/// each file once.
class GestureReader {
 public:
  explicit GestureReader(const ReadOptions& options = {}) : options_(options) {}

  /// Events of the sample in the order of the file, times as in the file.
  /// \throws FormatError if there are none, unless the options are lenient; and what read_recording throws
  EventStream read(const GestureSample& sample);

 private:
  ReadOptions options_;
  std::filesystem::path file_;
  Recording recording_;
};

}  // namespace synfire::datasets
