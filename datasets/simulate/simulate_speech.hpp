#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/simulate/cochlea.hpp"
#include "datasets/simulate/mel_encoder.hpp"
#include "datasets/simulate/set_folder.hpp"

namespace synfire::datasets {

enum class SpeechEncoder : std::uint8_t { cochlea, mel };

struct SpeechSetConfig {
  SpeechEncoder encoder = SpeechEncoder::cochlea;
  CochleaConfig cochlea;
  MelConfig mel;
  int first_test_index = 10;  ///< test recordings of each speaker and digit, in the split by recording
  int last_test_index = 14;
  std::vector<std::string> test_speakers{"theo", "yweweler"};  ///< in the split by speaker
};

/// A recording of the Free Spoken Digit Dataset: DIGIT_SPEAKER_INDEX.wav (or .flac).
struct SpokenDigit {
  std::filesystem::path file;
  int digit = 0;
  std::string speaker;
  int index = 0;
};

/// The recordings in a folder and below it, sorted by digit, speaker, index; other files are passed over.
/// \throws FileError   if there is no such folder, or no recording in it
/// \throws FormatError for a sound with another name, or two of one name
std::vector<SpokenDigit> find_spoken_digits(const std::filesystem::path& folder);

/// Turns spoken digits into spikes, in the layout of SHD: out/train.h5 and out/test.h5, split by recording;
/// out/speakers_train.h5 and out/speakers_test.h5, split by speaker; out/manifest.json. Speakers are numbered by
/// name. The random numbers of a recording depend on the seed and its place in the list. The same configuration and
/// recordings give the same bytes for any number of threads.
/// \throws ConfigError for a test speaker who is not there
/// \throws FormatError for a damaged sound
/// \throws FileError   if `out` exists already or cannot be written
void simulate_speech(const SpeechSetConfig& config, const std::filesystem::path& folder,
                     const std::filesystem::path& out, const SetProgress& progress = {});

}  // namespace synfire::datasets
