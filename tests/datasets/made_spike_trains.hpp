#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "core/half.hpp"
#include "core/random.hpp"
#include "datasets/spike_trains.hpp"

namespace synfire::test {

/// Samples of `num_classes` classes in turn, of speakers 0 to 3, with 20 to 60 spikes on 700 channels in 0.2 to 1.2 s;
/// times are halves, so that a file gives them back.
inline datasets::SpikeTrainSet made_spike_trains(int num_samples, int num_classes, std::uint64_t seed = 5) {
  datasets::SpikeTrainSet set;
  set.num_channels = 700;
  for (int c = 0; c < num_classes; ++c) set.class_names.push_back("class" + std::to_string(c));
  for (int s = 0; s < num_samples; ++s) {
    const RandomStream random(seed, 77, static_cast<std::uint32_t>(s));
    const double length_s = 0.2 + random.uniform(0);
    std::vector<std::pair<float, std::uint16_t>> spikes(20 + random.below(1, 41));
    for (std::size_t i = 0; i < spikes.size(); ++i)
      spikes[i] = {to_float(to_half(static_cast<float>(0.01 + length_s * random.uniform(2 * i + 2)))),
                   static_cast<std::uint16_t>(random.below(2 * i + 3, 700))};
    std::sort(spikes.begin(), spikes.end());
    datasets::SpikeTrain train;
    for (const auto& [t_s, channel] : spikes) {
      train.t_s.push_back(t_s);
      train.channel.push_back(channel);
    }
    set.samples.push_back(train);
    set.label.push_back(s % num_classes);
    set.speaker.push_back(s / num_classes % 4);
  }
  return set;
}

}  // namespace synfire::test
