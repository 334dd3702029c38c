#include "datasets/spike_bins.hpp"

#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.hpp"
#include "tests/datasets/made_spike_trains.hpp"

namespace synfire::datasets {
namespace {

TimedSpikes timed(const SpikeTrain& train, bool from_first_spike = true) {
  TimedSpikes spikes;
  to_timed_spikes(train, from_first_spike, spikes);
  return spikes;
}

std::vector<float> bins_of(const TimedSpikes& spikes, int num_channels, const SpikeBinConfig& config) {
  const std::ptrdiff_t groups = num_groups(num_channels, config);
  std::vector<float> bins(static_cast<std::size_t>(num_bins(spikes, config) * groups));
  bin_spikes(spikes, config, bins.data(), groups);
  return bins;
}

TEST_CASE("spikes are counted by tick and group of channels, from the first spike on") {
  // 0, 5, 10, 10, 25 and 30 ms after the first spike; the last one is at the end of the third bin.
  const SpikeTrain train{{0.5F, 0.505F, 0.51F, 0.51F, 0.525F, 0.53F}, {0, 3, 3, 1, 2, 0}};
  const SpikeBinConfig config{.dt_ms = 10.0, .channel_group = 2};

  CHECK(num_groups(5, config) == 3);
  CHECK(bins_of(timed(train), 5, config) == std::vector<float>{1, 1, 0, 1, 1, 0, 1, 1, 0});
  CHECK(bins_of(timed(train), 4, {.dt_ms = 10.0, .channel_group = 4, .binary = true}) == std::vector<float>{1, 1, 1});
}

TEST_CASE("a sample that begins at time 0 of its file keeps its silence") {
  const SpikeTrain train{{0.015F, 0.021F}, {0, 0}};

  CHECK(bins_of(timed(train, false), 1, {.channel_group = 1}) == std::vector<float>{0, 1, 1});
  CHECK(bins_of(timed(train, true), 1, {.channel_group = 1}) == std::vector<float>{2});
}

TEST_CASE("what comes after the last wanted bin is left out, not piled up in it") {
  const SpikeTrain train{{0.0F, 0.011F, 0.02F, 0.029F, 0.03F}, {0, 0, 0, 0, 0}};

  CHECK(bins_of(timed(train), 1, {.max_bins = 2}) == std::vector<float>{1, 1});
  CHECK(bins_of(timed(train), 1, {.max_bins = 3}) == std::vector<float>{1, 1, 3});
  CHECK(bins_of(timed(train), 1, {.max_bins = 9}) == std::vector<float>{1, 1, 3});
}

TEST_CASE("a sample without spikes, or with all at once, is one bin") {
  CHECK(bins_of(timed({}), 2, {.channel_group = 1}) == std::vector<float>{0, 0});
  CHECK(bins_of(timed({{0.7F, 0.7F}, {1, 1}}), 2, {.channel_group = 1}) == std::vector<float>{0, 2});
}

TEST_CASE("a half's time is taken exactly: a step of 1/1024 s above a second is 977 us") {
  const TimedSpikes spikes = timed({{1.0F, 1.0F + 0x1.0p-10F, 1.0F + 0x1.0p-9F}, {0, 0, 0}}, false);

  CHECK(spikes.t_us == std::vector<std::int64_t>{1'000'000, 1'000'977, 1'001'953});
}

TEST_CASE("every spike is counted once, in a bin that holds its time, in whatever order they come") {
  const SpikeTrainSet set = test::made_spike_trains(40, 2);
  for (const SpikeTrain& train : set.samples) {
    const SpikeBinConfig config{.dt_ms = 7.5, .channel_group = 3};
    const TimedSpikes spikes = timed(train);
    const std::vector<float> bins = bins_of(spikes, 700, config);

    const std::int64_t last_us = spikes.t_us.back();
    CHECK(num_bins(spikes, config) == (last_us + 7499) / 7500);
    CHECK(std::accumulate(bins.begin(), bins.end(), 0.0F) == static_cast<float>(train.t_s.size()));

    SpikeTrain reversed{{train.t_s.rbegin(), train.t_s.rend()}, {train.channel.rbegin(), train.channel.rend()}};
    CHECK(bins_of(timed(reversed), 700, config) == bins);
  }
}

TEST_CASE("bins are those of SpikingJelly's frames of fixed duration") {
  // spikingjelly.datasets.shd._integrate_events_by_fixed_duration, as it defines its frames, on times in double:
  // frame i < n - 1 takes floor(t / 10) == i, the last one the rest; n = ceil(t_last / 10). None of these spikes lies
  // within half a microsecond of an edge, where rounding to whole ones makes a difference.
  const SpikeTrainSet set = test::made_spike_trains(40, 2);
  for (const SpikeTrain& train : set.samples) {
    std::vector<double> t_ms;
    for (const float t_s : train.t_s)
      t_ms.push_back(1000.0 * static_cast<double>(t_s) - 1000.0 * static_cast<double>(train.t_s.front()));
    const auto frames = static_cast<std::size_t>(std::ceil(t_ms.back() / 10.0));
    std::vector<float> expected(frames * 140);
    for (std::size_t i = 0; i < t_ms.size(); ++i) {
      const auto frame = std::min(frames - 1, static_cast<std::size_t>(std::floor(t_ms[i] / 10.0)));
      ++expected[frame * 140 + train.channel[i] / 5];
    }

    CHECK(bins_of(timed(train), 700, {}) == expected);
  }
}

}  // namespace
}  // namespace synfire::datasets
