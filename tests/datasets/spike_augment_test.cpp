#include "datasets/spike_augment.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <doctest/doctest.h>

#include "core/error.hpp"

namespace synfire::datasets {
namespace {

constexpr int kChannels = 100;

/// A spike each millisecond, in channels 40 to 59 in turn.
TimedSpikes ramp(int count = 1000) {
  TimedSpikes spikes;
  for (int i = 0; i < count; ++i) {
    spikes.t_us.push_back(1000 * i);
    spikes.channel.push_back(static_cast<std::uint16_t>(40 + i % 20));
  }
  return spikes;
}

TimedSpikes augmented(const SpikeAugmentConfig& config, const AugmentKey& key, TimedSpikes spikes = ramp()) {
  augment(spikes, kChannels, config, key);
  REQUIRE(spikes.t_us.size() == spikes.channel.size());
  return spikes;
}

bool same(const TimedSpikes& a, const TimedSpikes& b) { return a.t_us == b.t_us && a.channel == b.channel; }

TEST_CASE("without augmentation spikes stay as they are") { CHECK(same(augmented({}, {1, 2, 3}), ramp())); }

TEST_CASE("the same key gives the same spikes, another seed, epoch or sample others") {
  for (const SpikeAugmentConfig& config :
       {SpikeAugmentConfig{.drop_spikes_max = 0.5}, SpikeAugmentConfig{.channel_jitter = 2.0},
        SpikeAugmentConfig{.stretch = 0.2}, SpikeAugmentConfig{.shift_time_ms = 20.0},
        SpikeAugmentConfig{.noise_hz = 1.0}}) {
    const TimedSpikes first = augmented(config, {1, 2, 3});
    CHECK(same(augmented(config, {1, 2, 3}), first));
    CHECK_FALSE(same(augmented(config, {2, 2, 3}), first));
    CHECK_FALSE(same(augmented(config, {1, 3, 3}), first));
    CHECK_FALSE(same(augmented(config, {1, 2, 4}), first));
  }
}

TEST_CASE("one change does not alter what another one draws") {
  const SpikeAugmentConfig stretch{.stretch = 0.2}, both{.shift_channels = 7, .stretch = 0.2};
  CHECK(augmented(stretch, {1, 2, 3}).t_us == augmented(both, {1, 2, 3}).t_us);
}

TEST_CASE("dropped is a share between none and the maximum, a different one in each sample") {
  // The number kept of n = 1000 has at most the deviation sqrt(n) / 2 = 16 about its share; 80 is five of them.
  double least = 1e9, most = 0.0, sum = 0.0;
  for (int sample = 0; sample < 200; ++sample) {
    const double kept = static_cast<double>(augmented({.drop_spikes_max = 0.4}, {1, 0, sample}).size());
    least = std::min(least, kept);
    most = std::max(most, kept);
    sum += kept;
  }
  CHECK(least >= 600.0 - 80.0);
  CHECK(least < 640.0);
  CHECK(most > 960.0);
  CHECK(std::abs(sum / 200.0 - 800.0) < 5.0 * 400.0 / std::sqrt(12.0 * 200.0));
}

TEST_CASE("channel jitter has the wanted deviation and no mean, and keeps times") {
  // 1000 normal moves of deviation 3, rounded: variance 9 + 1/12. Five standard errors of mean and variance.
  const TimedSpikes moved = augmented({.channel_jitter = 3.0}, {5, 0, 0});
  REQUIRE(moved.size() == 1000);
  CHECK(moved.t_us == ramp().t_us);
  double sum = 0.0, squares = 0.0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const double move = static_cast<double>(moved.channel[i]) - static_cast<double>(ramp().channel[i]);
    sum += move;
    squares += move * move;
  }
  CHECK(std::abs(sum / 1000.0) < 5.0 * 3.01 / std::sqrt(1000.0));
  CHECK(std::abs(squares / 1000.0 - 9.083) < 5.0 * 9.083 * std::sqrt(2.0 / 1000.0));
}

TEST_CASE("all spikes move by the same number of channels, and those that leave are lost") {
  std::map<int, int> moves;
  for (int sample = 0; sample < 300; ++sample) {
    const TimedSpikes moved = augmented({.shift_channels = 2}, {1, 0, sample});
    const int move = moved.channel[0] - 40;
    for (std::size_t i = 0; i < moved.size(); ++i) CHECK(moved.channel[i] == ramp().channel[i] + move);
    ++moves[move];
  }
  CHECK(moves.size() == 5);
  CHECK(moves.begin()->first == -2);

  bool lost = false;
  for (int sample = 0; sample < 50; ++sample) {
    const TimedSpikes moved = augmented({.shift_channels = 60}, {1, 0, sample});
    lost = lost || moved.size() < 1000;
    for (const std::uint16_t channel : moved.channel) CHECK(channel < kChannels);
  }
  CHECK(lost);
}

TEST_CASE("time is stretched and shifted alike for all spikes, and nothing comes before 0") {
  double least = 9.0, most = 0.0;
  for (int sample = 0; sample < 200; ++sample) {
    const TimedSpikes moved = augmented({.stretch = 0.25}, {1, 0, sample});
    REQUIRE(moved.size() == 1000);
    const double factor = static_cast<double>(moved.t_us.back()) / 999'000.0;
    for (std::size_t i = 0; i < 1000; ++i)
      CHECK(std::abs(static_cast<double>(moved.t_us[i]) - 1000.0 * factor * static_cast<double>(i)) <= 1.0);
    least = std::min(least, factor);
    most = std::max(most, factor);
  }
  CHECK(least >= 0.75);
  CHECK(least < 0.78);
  CHECK(most <= 1.25);
  CHECK(most > 1.22);

  for (int sample = 0; sample < 50; ++sample) {
    const TimedSpikes moved = augmented({.shift_time_ms = 50.0}, {1, 0, sample});
    const std::int64_t shift = moved.t_us.back() - 999'000;
    CHECK(std::abs(shift) <= 50'000);
    CHECK(moved.size() == static_cast<std::size_t>(shift >= 0 ? 1000 : 1000 - (-shift + 999) / 1000));
    CHECK(*std::min_element(moved.t_us.begin(), moved.t_us.end()) >= 0);
  }
}

TEST_CASE("noise comes at its rate, in all channels and at any time of the sample") {
  // 100 channels of 20 Hz for 0.999 s: 1998 spikes, with the deviation sqrt(1998) = 45.
  const TimedSpikes noisy = augmented({.noise_hz = 20.0}, {1, 0, 0});
  const auto added = static_cast<double>(noisy.size()) - 1000.0;
  CHECK(std::abs(added - 1998.0) < 5.0 * std::sqrt(1998.0));
  const TimedSpikes before = ramp();
  CHECK(std::equal(before.t_us.begin(), before.t_us.end(), noisy.t_us.begin()));
  std::vector<int> count(kChannels);
  double time_sum = 0.0;
  for (std::size_t i = 1000; i < noisy.size(); ++i) {
    ++count.at(noisy.channel[i]);
    CHECK(noisy.t_us[i] < 999'000);
    time_sum += static_cast<double>(noisy.t_us[i]);
  }
  CHECK(*std::min_element(count.begin(), count.end()) > 0);
  CHECK(std::abs(time_sum / added - 499'500.0) < 5.0 * 999'000.0 / std::sqrt(12.0 * added));
  CHECK(augmented({.noise_hz = 20.0}, {1, 0, 0}, {}).size() == 0);
}

TEST_CASE("a mixed window is the other sample's, and the label keeps the share of the rest") {
  int mixed = 0;
  for (int sample = 0; sample < 400; ++sample) {
    TimedSpikes spikes = ramp(), other = ramp(601);  // 600 ms long
    for (std::uint16_t& channel : other.channel) channel = 7;
    const double weight = cut_mix(spikes, other, {.cutmix = 0.5}, {1, 0, sample});
    if (weight == 1.0) {
      CHECK(same(spikes, ramp()));
      continue;
    }
    ++mixed;
    // Both have a spike each millisecond, so that mixing changes neither their number nor their times.
    CHECK(spikes.size() == 1000);
    std::vector<std::int64_t> times = spikes.t_us;
    std::sort(times.begin(), times.end());
    CHECK(times == ramp().t_us);
    const auto of_other = std::count(spikes.channel.begin(), spikes.channel.end(), 7);
    CHECK(std::abs(static_cast<double>(of_other) - 999.0 * (1.0 - weight)) <= 1.0);
    CHECK(weight > 0.399);
    std::vector<std::int64_t> window;
    for (std::size_t i = 0; i < 1000; ++i)
      if (spikes.channel[i] == 7) window.push_back(spikes.t_us[i]);
    if (!window.empty()) CHECK(window.back() - window.front() == 1000 * (std::ssize(window) - 1));
    if (!window.empty()) CHECK(window.back() <= 600'000);
  }
  CHECK(std::abs(mixed - 200) < 50);  // five deviations of 10
}

TEST_CASE("a sample is not mixed with one that has no duration") {
  TimedSpikes spikes = ramp();
  CHECK(cut_mix(spikes, {}, {.cutmix = 1.0}, {1, 0, 0}) == 1.0);
  CHECK(same(spikes, ramp()));
  TimedSpikes none;
  CHECK(cut_mix(none, ramp(), {.cutmix = 1.0}, {1, 0, 0}) == 1.0);
}

TEST_CASE("the keys of [augment] for spike trains are read, and others are told") {
  const Config config = Config::parse(
      "drop_spikes_max = 0.1\nchannel_jitter = 2\nshift_channels = 3\nstretch = 0.4\nshift_time_ms = 5\n"
      "noise_hz = 6\ncutmix = 0.7\n",
      "a.toml");
  const SpikeAugmentConfig read = read_spike_augment_config(config.root());
  config.root().finish();
  CHECK(read.drop_spikes_max == 0.1);
  CHECK(read.channel_jitter == 2.0);
  CHECK(read.shift_channels == 3);
  CHECK(read.stretch == 0.4);
  CHECK(read.shift_time_ms == 5.0);
  CHECK(read.noise_hz == 6.0);
  CHECK(read.cutmix == 0.7);
  CHECK_THROWS_AS(read_spike_augment_config(Config::parse("cutmix = 1.5\n", "a.toml").root()), ConfigError);
}

}  // namespace
}  // namespace synfire::datasets
