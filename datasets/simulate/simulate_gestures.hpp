#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/event_stream.hpp"
#include "datasets/simulate/dvs_array.hpp"
#include "datasets/simulate/set_folder.hpp"

namespace synfire::datasets {

/// A set of recordings like DVS128 Gesture: people who make eleven gestures in a row, under one light or several.
struct GestureSetConfig {
  int num_train_subjects = 23;                 ///< users 1, 2, ...
  int num_test_subjects = 6;                   ///< and those that follow; no user is in both
  std::vector<std::string> lights{"natural"};  ///< of fluorescent, fluorescent_led, lab, led, natural: a recording each
  int repetitions = 1;                         ///< of all gestures in each recording
  double seconds = 2.5;                        ///< of a gesture
  double pause_s = 0.3;     ///< between two gestures, without a label, in which the arms go from one to the next
  double frame_hz = 500.0;  ///< pictures of the scene per second; events fall between them
  std::uint64_t seed = 1;
  DvsParams sensor{.threshold_on = 0.18,
                   .threshold_off = 0.18,
                   .threshold_mismatch = 0.15,
                   .refractory_us = 100,
                   .leak_rate_hz = 0.02,
                   .leak_mismatch = 0.5,
                   .shot_noise_hz = 0.03,
                   .shot_noise_mismatch = 1.5,
                   .cutoff_hz = 300.0};
};

/// A gesture within a recording.
struct GestureLabel {
  int gesture = 0;  ///< 1 to 11
  std::int64_t start_us = 0;
  std::int64_t end_us = 0;
};

struct GestureRecording {
  EventStream events;
  std::vector<GestureLabel> labels;
};

/// One recording of the set. \throws ConfigError for a parameter out of its range
GestureRecording simulate_gesture_recording(const GestureSetConfig& config, int user, const std::string& light);

/// Makes the set in DVS128 Gesture's own layout: `userNN_LIGHT.aedat` (AEDAT 3.1), `userNN_LIGHT_labels.csv`,
/// `trials_to_train.txt`, `trials_to_test.txt`, `gesture_mapping.csv`; and `manifest.json`. The same configuration
/// gives the same bytes for any number of threads. \throws ConfigError for a parameter out of its range \throws
/// FileError   if `out` exists already or cannot be written
void simulate_gestures(const GestureSetConfig& config, const std::filesystem::path& out,
                       const SetProgress& progress = {});

}  // namespace synfire::datasets
