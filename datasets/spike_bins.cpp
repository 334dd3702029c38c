#include "datasets/spike_bins.hpp"

#include <algorithm>
#include <cmath>

namespace synfire::datasets {

namespace {

std::int64_t bin_us(const SpikeBinConfig& config) { return std::llround(config.dt_ms * 1000.0); }

/// Without a maximum.
std::int64_t num_bins_to_last(const TimedSpikes& spikes, std::int64_t dt_us) {
  if (spikes.t_us.empty()) return 1;
  const std::int64_t last_us = *std::max_element(spikes.t_us.begin(), spikes.t_us.end());
  return std::max<std::int64_t>(1, (last_us + dt_us - 1) / dt_us);
}

}  // namespace

SpikeBinConfig read_spike_bin_config(const ConfigTable& table) {
  SpikeBinConfig config;
  config.dt_ms = table.number("dt_ms", config.dt_ms, 0.001, 1e6);
  config.channel_group = static_cast<int>(table.integer("channel_group", config.channel_group, 1, 65536));
  config.binary = table.flag("binary", config.binary);
  config.from_first_spike = table.flag("from_first_spike", config.from_first_spike);
  config.max_bins = static_cast<int>(table.integer("max_bins", config.max_bins, 0, 65536));
  return config;
}

void to_timed_spikes(const SpikeTrain& train, bool from_first_spike, TimedSpikes& spikes) {
  spikes.t_us.resize(train.t_s.size());
  // No time is negative, so that this rounds to the nearest.
  std::transform(train.t_s.begin(), train.t_s.end(), spikes.t_us.begin(),
                 [](float t_s) { return static_cast<std::int64_t>(1e6 * static_cast<double>(t_s) + 0.5); });
  spikes.channel = train.channel;
  if (!from_first_spike || spikes.t_us.empty()) return;
  const std::int64_t first_us = *std::min_element(spikes.t_us.begin(), spikes.t_us.end());
  for (std::int64_t& t_us : spikes.t_us) t_us -= first_us;
}

int num_groups(int num_channels, const SpikeBinConfig& config) {
  return (num_channels + config.channel_group - 1) / config.channel_group;
}

std::int64_t num_bins(const TimedSpikes& spikes, const SpikeBinConfig& config) {
  const std::int64_t count = num_bins_to_last(spikes, bin_us(config));
  return config.max_bins > 0 ? std::min<std::int64_t>(count, config.max_bins) : count;
}

void bin_spikes(const TimedSpikes& spikes, const SpikeBinConfig& config, float* out, std::ptrdiff_t step) {
  const std::int64_t dt_us = bin_us(config);
  const std::int64_t last = num_bins_to_last(spikes, dt_us) - 1;
  const std::int64_t wanted = num_bins(spikes, config);
  const auto group = static_cast<std::uint32_t>(config.channel_group);
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    const std::int64_t bin = std::min(spikes.t_us[i] / dt_us, last);
    if (bin >= wanted) continue;
    float& count = out[bin * step + static_cast<std::ptrdiff_t>(spikes.channel[i] / group)];
    count = config.binary ? 1.0F : count + 1.0F;
  }
}

}  // namespace synfire::datasets
