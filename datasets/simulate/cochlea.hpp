#pragma once

#include <cstdint>
#include <vector>

#include "datasets/audio_reader.hpp"
#include "datasets/simulate/membrane_filter.hpp"
#include "datasets/spike_trains.hpp"

namespace synfire::datasets {

struct CochleaConfig {
  int num_channels = 700;  ///< from the base (0, high tones) to the apex
  std::uint64_t seed = 1;
  MembraneParams membrane;
};

/// The inner ear that made the Spiking Heidelberg Digits, [Cramer2022]: level, ramps, basilar membrane, hair cells,
/// fibres of the auditory nerve, bushy cells. docs/simulators.md has the equations.
class Cochlea {
 public:
  /// Derives the membrane's filters, which takes a second or two. \throws ConfigError for less than 1 or more than
  /// 65536 channels
  explicit Cochlea(const CochleaConfig& config);

  int num_channels() const { return filter_.num_channels(); }

  /// The spikes of one recording, at any rate; of nothing if it is empty. Random numbers are those of `recording`:
  /// the result depends on nothing else. May be called by several threads.
  SpikeTrain hear(const Audio& audio, std::uint32_t recording) const;

 private:
  std::uint64_t seed_;
  MembraneFilter filter_;
};

/// Sound as the membrane gets it: at 48 kHz, with a root mean square of 0.3, then raised and lowered by half a Hann
/// window each over the whole length. Silence stays silence.
std::vector<float> prepare_sound(const Audio& audio);

}  // namespace synfire::datasets
