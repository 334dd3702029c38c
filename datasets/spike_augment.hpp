#pragma once

#include "core/config.hpp"
#include "datasets/augment_key.hpp"
#include "datasets/spike_bins.hpp"

namespace synfire::datasets {

/// Random changes of a training sample of spike trains, made before its spikes are counted into time bins. Everything
/// is off by default.
struct SpikeAugmentConfig {
  double drop_spikes_max = 0.0;  ///< each spike is lost with a probability that a sample draws from [0, maximum]
  double channel_jitter = 0.0;   ///< standard deviation, in channels, of a move that each spike draws
  int shift_channels = 0;        ///< all spikes of a sample move alike, by whole channels in [-shift, shift]
  double stretch = 0.0;          ///< time times a factor in [1 - stretch, 1 + stretch]
  double shift_time_ms = 0.0;    ///< by a time in [-shift, shift]
  double noise_hz = 0.0;         ///< further spikes of each channel, a Poisson process over the sample's duration
  double cutmix = 0.0;           ///< probability that a part of the sample is another sample's
};

/// Reads `[augment]`, with the keys as above. \throws ConfigError
SpikeAugmentConfig read_spike_augment_config(const ConfigTable& table);

/// Changes the spikes in place, in the order above but for `cutmix`. What leaves the channels or comes before time 0 is
/// lost.
void augment(TimedSpikes& spikes, int num_channels, const SpikeAugmentConfig& config, const AugmentKey& key);

/// CutMix [Yun2019] along time: with the probability `cutmix`, a window of the time that both samples last is `other`'s
/// instead of the sample's own. Its length is any share of that time, its place any within it.
/// \return share of the sample's duration that is still its own: the weight of its label. 1 if nothing was mixed.
double cut_mix(TimedSpikes& spikes, const TimedSpikes& other, const SpikeAugmentConfig& config, const AugmentKey& key);

}  // namespace synfire::datasets
