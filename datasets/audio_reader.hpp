#pragma once

#include <filesystem>
#include <vector>

namespace synfire::datasets {

/// Sound of one channel, full scale at 1.
struct Audio {
  int rate_hz = 0;
  std::vector<float> samples;
};

/// Reads WAV, FLAC and what else libsndfile knows; several channels become their mean.
/// \throws FileError   if there is no such file
/// \throws FormatError if it is no sound, is damaged or cut short, holds what is no number, or is longer than 2^28
///                     samples in all its channels
Audio read_audio(const std::filesystem::path& file);

/// The same sound at another rate, band-limited to the lower of the two: libsamplerate's best sinc. The length is
/// rounded up. \throws Error if the rates are more than a factor of 256 apart
Audio resample(const Audio& audio, int rate_hz);

}  // namespace synfire::datasets
