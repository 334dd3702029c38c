#include "datasets/simulate/cochlea.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/simulate/auditory_nerve.hpp"
#include "datasets/simulate/bushy_cell.hpp"
#include "datasets/simulate/hair_cell.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kFibreStream = 0xC0C41EAU;

int checked_channels(int num_channels) {
  if (num_channels < 1 || num_channels > 65536)
    throw ConfigError("cochlea", 0, "channels", fmt::format("must lie in 1 to 65536, got {}", num_channels));
  return num_channels;
}

/// A group of sixteen channels behind the membrane, with what it remembers from block to block.
struct Pathway {
  HairCells hair{static_cast<float>(MembraneFilter::kRateHz)};
  AuditoryNerves nerves;
  BushyCells bushy{MembraneFilter::kRateHz, AuditoryNerves::kFibres};
  LaneUniform uniform;
  Pathway(std::uint64_t seed, std::uint32_t recording, std::size_t group)
      : uniform(seed, kFibreStream, recording, static_cast<std::uint32_t>(group * kLanes)) {}
};

struct Spike {
  std::uint32_t sample;
  std::uint16_t channel;
  bool operator<(const Spike& other) const {
    return sample != other.sample ? sample < other.sample : channel < other.channel;
  }
};

}  // namespace

std::vector<float> prepare_sound(const Audio& audio) {
  std::vector<float> sound = resample(audio, MembraneFilter::kSoundRateHz).samples;
  double power = 0.0;
  for (const float x : sound) power += static_cast<double>(x) * x;
  if (power == 0.0) return sound;
  constexpr double kLevel = 0.3;
  const double gain = kLevel / std::sqrt(power / static_cast<double>(sound.size()));
  for (float& x : sound) x = static_cast<float>(gain * x);
  const std::size_t half = sound.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const double phase = 2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(2 * half - 1);
    const auto ramp = static_cast<float>(0.5 - 0.5 * std::cos(phase));
    sound[i] *= ramp;
    sound[sound.size() - 1 - i] *= ramp;
  }
  return sound;
}

Cochlea::Cochlea(const CochleaConfig& config)
    : seed_(config.seed), filter_(config.membrane, checked_channels(config.num_channels)) {}

SpikeTrain Cochlea::hear(const Audio& audio, std::uint32_t recording) const {
  const std::vector<float> sound = prepare_sound(audio);
  const auto num_samples = static_cast<std::ptrdiff_t>(sound.size() / 2);
  std::vector<Pathway> pathways;
  for (std::size_t group = 0; group < filter_.num_groups(); ++group) pathways.emplace_back(seed_, recording, group);

  std::vector<Spike> spikes;
  MembraneFilter::Work work = filter_.make_work();
  for (std::ptrdiff_t block = 0; block * MembraneFilter::kBlock < num_samples; ++block) {
    filter_.hear(sound, block, work);
    const std::ptrdiff_t first = block * MembraneFilter::kBlock;
    const std::ptrdiff_t count = std::min(MembraneFilter::kBlock, num_samples - first);
    for (std::size_t group = 0; group < pathways.size(); ++group) {
      const std::span<const Lanes> velocity = filter_.group_velocity(group, work);
      Pathway& pathway = pathways[group];
      Lanes probability, uniform, released;
      for (std::ptrdiff_t i = 0; i < count; ++i) {
        const auto sample = static_cast<std::uint32_t>(first + i);
        pathway.hair.step(velocity[static_cast<std::size_t>(i)], probability);
        pathway.uniform.next(uniform);
        pathway.nerves.step(probability, uniform, released);
        for (std::uint32_t fired = pathway.bushy.step(released); fired != 0; fired &= fired - 1) {
          const std::size_t channel = group * kLanes + static_cast<std::size_t>(std::countr_zero(fired));
          if (channel < static_cast<std::size_t>(num_channels()))
            spikes.push_back({sample, static_cast<std::uint16_t>(channel)});
        }
      }
    }
  }
  std::sort(spikes.begin(), spikes.end());
  SpikeTrain train;
  for (const Spike& spike : spikes) {
    train.t_s.push_back(static_cast<float>(spike.sample) / static_cast<float>(MembraneFilter::kRateHz));
    train.channel.push_back(spike.channel);
  }
  return train;
}

}  // namespace synfire::datasets
