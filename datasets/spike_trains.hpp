#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace synfire::datasets {

/// The spikes of one recording, sorted by time, then channel.
struct SpikeTrain {
  std::vector<float> t_s;
  std::vector<std::uint16_t> channel;
};

/// Recordings of one split. `samples`, `label` and `speaker` are equally long.
struct SpikeTrainSet {
  int num_channels = 0;
  std::vector<std::string> class_names;
  std::vector<SpikeTrain> samples;
  std::vector<std::int32_t> label;
  std::vector<std::int32_t> speaker;
  std::vector<std::string> speaker_names;  ///< by number; may be empty
};

}  // namespace synfire::datasets
