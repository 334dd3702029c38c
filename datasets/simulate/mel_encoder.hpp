#pragma once

#include <vector>

#include "datasets/audio_reader.hpp"
#include "datasets/spike_trains.hpp"

namespace synfire::datasets {

/// Mel bands and crossings of levels: the simple way to turn speech into spikes.
struct MelConfig {
  int num_bands = 40;  ///< triangles, evenly spaced on the mel scale 2595 lg(1 + f / 700 Hz)
  double lowest_hz = 20.0;
  double highest_hz = 8000.0;  ///< or the Nyquist frequency, if that is lower
  double window_ms = 25.0;     ///< Hann
  double hop_ms = 10.0;
  double threshold = 0.5;  ///< distance of the levels, in standard deviations of the band
  double floor = 1e-5;     ///< added to the power, as a share of the largest in the recording
};

/// \throws ConfigError for values that make no bands or no windows
void check_mel(const MelConfig& config);

/// [frames][bands] ln(power + floor), for windows that lie in the sound as a whole.
/// \throws Error for a rate at which a window has less than 4 or more than 2^20 samples
std::vector<std::vector<float>> log_mel(const Audio& audio, const MelConfig& config);

/// Spikes on 2 * num_bands channels. Each band follows its log power with a reference that begins at the first frame's
/// and moves by one level each time it is a level behind: upward with a spike on channel b, downward on num_bands + b.
/// Times lie on the straight line between the middles of two windows. The same sound gives the same spikes.
SpikeTrain mel_spikes(const Audio& audio, const MelConfig& config);

}  // namespace synfire::datasets
