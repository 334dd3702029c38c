#include "datasets/spike_augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/random.hpp"

namespace synfire::datasets {

namespace {

// Streams of random numbers of this file.
constexpr std::uint32_t kSampleStream = 0xDA7A0006U;  ///< what a sample draws once
constexpr std::uint32_t kDropStream = 0xDA7A0007U;    ///< the others: what each spike draws
constexpr std::uint32_t kJitterStream = 0xDA7A0008U;
constexpr std::uint32_t kNoiseStream = 0xDA7A0009U;

/// What a sample draws once, each from an element of its own: adding a change alters no other one's numbers.
enum class Draw : std::uint64_t { drop_ratio, shift_channels, stretch, shift_time, mix, mix_length, mix_begin };

/// The numbers of one stream for one sample.
class SampleRandom {
 public:
  SampleRandom(const AugmentKey& key, std::uint32_t stream)
      : random_(key.seed, stream, static_cast<std::uint32_t>(key.epoch)),
        base_(static_cast<std::uint64_t>(key.sample) << 32U) {}

  double uniform(std::uint64_t i) const { return random_.uniform(base_ + i); }
  /// One word for each spike: the block of spikes 4 i to 4 i + 3.
  Philox::Block words(std::uint64_t i) const { return random_.words(base_ + i); }
  std::uint64_t below(std::uint64_t i, std::uint64_t n) const { return random_.below(base_ + i, n); }
  double uniform(Draw draw, double low, double high) const {
    return low + (high - low) * uniform(static_cast<std::uint64_t>(draw));
  }

 private:
  RandomStream random_;
  std::uint64_t base_;
};

/// Keeps the spikes for which `keep(i)` is true, in their order; `keep` may move them.
template <class Keep>
void filter(TimedSpikes& spikes, Keep keep) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    if (!keep(i)) continue;
    spikes.t_us[kept] = spikes.t_us[i];
    spikes.channel[kept] = spikes.channel[i];
    ++kept;
  }
  spikes.t_us.resize(kept);
  spikes.channel.resize(kept);
}

/// From the sample's beginning to its last spike.
std::int64_t duration_us(const TimedSpikes& spikes) {
  return spikes.t_us.empty() ? 0 : *std::max_element(spikes.t_us.begin(), spikes.t_us.end());
}

void drop(TimedSpikes& spikes, double ratio, const AugmentKey& key) {
  const SampleRandom random(key, kDropStream);
  const auto threshold = static_cast<std::uint64_t>(ratio * 0x1.0p32);
  Philox::Block words{};
  filter(spikes, [&](std::size_t i) {
    if (i % 4 == 0) words = random.words(i / 4);
    return words[i % 4] >= threshold;
  });
}

/// Four independent standard normals of one block, by Box and Muller; 32 bits are plenty for whole channels.
std::array<double, 4> normals(const Philox::Block& words) {
  std::array<double, 4> result{};
  for (std::size_t pair = 0; pair < 4; pair += 2) {
    const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(words[pair]) + 0.5) * 0x1.0p-32));
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(words[pair + 1]) * 0x1.0p-32;
    result[pair] = radius * std::cos(angle);
    result[pair + 1] = radius * std::sin(angle);
  }
  return result;
}

void move_channels(TimedSpikes& spikes, int num_channels, const SpikeAugmentConfig& config, const AugmentKey& key) {
  const auto span = 2 * static_cast<std::uint64_t>(config.shift_channels) + 1;
  const auto drawn = SampleRandom(key, kSampleStream).below(static_cast<std::uint64_t>(Draw::shift_channels), span);
  const auto shift = static_cast<std::int64_t>(drawn) - config.shift_channels;
  const SampleRandom random(key, kJitterStream);
  std::array<double, 4> moves{};
  filter(spikes, [&](std::size_t i) {
    if (i % 4 == 0 && config.channel_jitter > 0.0) moves = normals(random.words(i / 4));
    const auto jitter = static_cast<std::int64_t>(std::nearbyint(config.channel_jitter * moves[i % 4]));
    const std::int64_t channel = spikes.channel[i] + shift + jitter;
    if (channel < 0 || channel >= num_channels) return false;
    spikes.channel[i] = static_cast<std::uint16_t>(channel);
    return true;
  });
}

void move_time(TimedSpikes& spikes, const SpikeAugmentConfig& config, const SampleRandom& random) {
  const double factor = random.uniform(Draw::stretch, 1.0 - config.stretch, 1.0 + config.stretch);
  const double shift_us = 1000.0 * random.uniform(Draw::shift_time, -config.shift_time_ms, config.shift_time_ms);
  filter(spikes, [&](std::size_t i) {
    spikes.t_us[i] = static_cast<std::int64_t>(std::nearbyint(factor * static_cast<double>(spikes.t_us[i]) + shift_us));
    return spikes.t_us[i] >= 0;
  });
}

void add_noise(TimedSpikes& spikes, int num_channels, double noise_hz, const AugmentKey& key) {
  const SampleRandom random(key, kNoiseStream);
  const auto end_us = static_cast<double>(duration_us(spikes));
  const double mean_gap_us = 1e6 / (noise_hz * num_channels);
  double t_us = 0.0;
  for (std::uint64_t i = 0;; i += 2) {
    t_us -= mean_gap_us * std::log(1.0 - random.uniform(i));
    if (t_us >= end_us) return;
    spikes.t_us.push_back(static_cast<std::int64_t>(t_us));
    spikes.channel.push_back(static_cast<std::uint16_t>(random.below(i + 1, static_cast<std::uint64_t>(num_channels))));
  }
}

}  // namespace

SpikeAugmentConfig read_spike_augment_config(const ConfigTable& table) {
  SpikeAugmentConfig config;
  config.drop_spikes_max = table.number("drop_spikes_max", 0.0, 0.0, 1.0);
  config.channel_jitter = table.number("channel_jitter", 0.0, 0.0, 65535.0);
  config.shift_channels = static_cast<int>(table.integer("shift_channels", 0, 0, 65535));
  config.stretch = table.number("stretch", 0.0, 0.0, 0.9);
  config.shift_time_ms = table.number("shift_time_ms", 0.0, 0.0, 1e4);
  config.noise_hz = table.number("noise_hz", 0.0, 0.0, 100.0);
  config.cutmix = table.number("cutmix", 0.0, 0.0, 1.0);
  return config;
}

void augment(TimedSpikes& spikes, int num_channels, const SpikeAugmentConfig& config, const AugmentKey& key) {
  const SampleRandom random(key, kSampleStream);
  if (config.drop_spikes_max > 0.0) drop(spikes, random.uniform(Draw::drop_ratio, 0.0, config.drop_spikes_max), key);
  if (config.channel_jitter > 0.0 || config.shift_channels > 0) move_channels(spikes, num_channels, config, key);
  if (config.stretch > 0.0 || config.shift_time_ms > 0.0) move_time(spikes, config, random);
  if (config.noise_hz > 0.0) add_noise(spikes, num_channels, config.noise_hz, key);
}

double cut_mix(TimedSpikes& spikes, const TimedSpikes& other, const SpikeAugmentConfig& config, const AugmentKey& key) {
  const SampleRandom random(key, kSampleStream);
  const std::int64_t own_us = duration_us(spikes), common_us = std::min(own_us, duration_us(other));
  if (common_us == 0 || random.uniform(Draw::mix, 0.0, 1.0) >= config.cutmix) return 1.0;
  const auto length_us =
      static_cast<std::int64_t>(random.uniform(Draw::mix_length, 0.0, static_cast<double>(common_us)));
  const auto begin_us =
      static_cast<std::int64_t>(random.uniform(Draw::mix_begin, 0.0, static_cast<double>(common_us - length_us)));
  const auto in_window = [&](std::int64_t t_us) { return t_us >= begin_us && t_us < begin_us + length_us; };
  filter(spikes, [&](std::size_t i) { return !in_window(spikes.t_us[i]); });
  for (std::size_t i = 0; i < other.size(); ++i) {
    if (!in_window(other.t_us[i])) continue;
    spikes.t_us.push_back(other.t_us[i]);
    spikes.channel.push_back(other.channel[i]);
  }
  return 1.0 - static_cast<double>(length_us) / static_cast<double>(own_us);
}

}  // namespace synfire::datasets
