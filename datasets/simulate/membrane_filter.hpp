#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "datasets/simulate/basilar_membrane.hpp"
#include "datasets/simulate/lane_fft.hpp"

namespace synfire::datasets {

/// The membrane's response for all channels, as filters that are derived once. Sound comes at 48 kHz and velocity goes
/// out at 24 kHz, block by block; docs/simulators.md says why, and what is special about it. Channels stand in groups
/// of sixteen; those beyond the last one repeat it.
class MembraneFilter {
 public:
  static constexpr int kSoundRateHz = 48000;
  static constexpr int kRateHz = kSoundRateHz / 2;
  /// Samples of velocity that a block gives.
  static constexpr std::ptrdiff_t kBlock = 12288;

  /// \param num_channels  from 1 on, at equal distances from base to apex; a single one lies at the base
  MembraneFilter(const MembraneParams& params, int num_channels);

  int num_channels() const { return num_channels_; }
  std::size_t num_groups() const { return groups_.size(); }

  /// Memory for the work on a block; one for each thread.
  struct Work {
    std::vector<Lanes> sound;     ///< its spectrum, in one of eight lanes
    std::vector<Lanes> velocity;  ///< what `group_velocity` returns lies in it
  };
  Work make_work() const;

  /// The spectrum of what block `block` needs to hear. Before and after the sound it is silent.
  void hear(std::span<const float> sound, std::ptrdiff_t block, Work& work) const;
  /// [kBlock] velocities of sixteen channels, from sample kBlock * block on of the block that was heard last.
  std::span<const Lanes> group_velocity(std::size_t group, Work& work) const;

 private:
  static constexpr std::size_t kSpectrum = 32768;  ///< samples of sound at once
  static constexpr std::size_t kBefore = 1024;     ///< of them before the block; what comes after has the rest

  int num_channels_;
  std::vector<std::vector<Lanes>> groups_;  ///< two for each frequency, up to where nothing passes any more
  LaneFft sound_fft_{kSpectrum};
  LaneFft velocity_fft_{kSpectrum / 2};
};

}  // namespace synfire::datasets
