#include "datasets/simulate/mel_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"

using namespace synfire;
using namespace synfire::datasets;

namespace {

/// A tone of `f_hz` between 0.3 and 0.6 s of one second.
Audio beep(double f_hz, int rate_hz) {
  Audio audio{rate_hz, std::vector<float>(static_cast<std::size_t>(rate_hz))};
  for (std::size_t i = 0; i < audio.samples.size(); ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    if (t >= 0.3 && t < 0.6) audio.samples[i] = static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * f_hz * t));
  }
  return audio;
}

}  // namespace

TEST_CASE("a tone is loudest in the band whose middle is nearest on the mel scale") {
  const MelConfig config;
  const auto mel = log_mel(beep(1000.0, 16000), config);
  // Windows of 400 samples every 160 of 16000: floor((16000 - 400) / 160) + 1.
  REQUIRE(mel.size() == 98);
  REQUIRE(mel[0].size() == 40);

  const auto& loud = mel[45];
  const auto best = std::max_element(loud.begin(), loud.end()) - loud.begin();
  // 1 kHz is 1000 mel; the 40 middles lie (2840 - 31.7) / 41 = 68.5 mel apart from 100.3 mel on.
  CHECK(best == 13);
}

TEST_CASE("a tone that begins and ends gives ON spikes, then OFF spikes, in its band and at these times") {
  const MelConfig config;
  const SpikeTrain train = mel_spikes(beep(1000.0, 16000), config);

  int on = 0, off = 0;
  for (std::size_t i = 0; i < train.t_s.size(); ++i) {
    if (i > 0) REQUIRE(train.t_s[i] >= train.t_s[i - 1]);
    REQUIRE(train.channel[i] < 80);
    if (train.channel[i] == 13) {
      ++on;
      CHECK(train.t_s[i] > 0.3F - 0.0225F);  // half a window before, and a hop
      CHECK(train.t_s[i] < 0.3F + 0.0225F);
    }
    if (train.channel[i] == 53) {
      ++off;
      CHECK(train.t_s[i] > 0.6F - 0.0225F);
      CHECK(train.t_s[i] < 0.6F + 0.0225F);
    }
  }
  // The band has two levels for 30 % and 70 % of the time, sqrt(0.3 * 0.7) = 0.46 of their distance as deviation: a
  // step is 2.2 deviations, 4 of the half ones. The slopes can take one more away.
  CHECK(on >= 3);
  CHECK(on <= 5);
  CHECK(std::abs(on - off) <= 1);
}

TEST_CASE("crossings lie on the straight line between two frames") {
  // Two frames of noise-free silence and sound: one band whose log power rises once.
  MelConfig config{.num_bands = 1, .threshold = 0.5};
  Audio audio{8000, std::vector<float>(280)};  // two windows of 200, 80 apart
  for (std::size_t i = 0; i < audio.samples.size(); ++i)
    audio.samples[i] = static_cast<float>((i < 140 ? 0.01 : 1.0) * std::sin(0.7 * static_cast<double>(i)));
  const auto mel = log_mel(audio, config);
  REQUIRE(mel.size() == 2);

  const SpikeTrain train = mel_spikes(audio, config);

  // Two values have half their distance as deviation: levels at 1/4, 2/4, 3/4 and 4/4 of the way from 12.5 to 22.5 ms.
  REQUIRE(train.t_s.size() >= 3);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(train.t_s[i] == doctest::Approx(0.0125 + 0.0025 * static_cast<double>(i + 1)).epsilon(1e-5));
}

TEST_CASE("bands end at the Nyquist frequency; what does not change gives no spikes; bad settings are errors") {
  CHECK(mel_spikes(beep(3000.0, 8000), {}).t_s.size() > 10);
  CHECK(mel_spikes({8000, std::vector<float>(8000, 0.0F)}, {}).t_s.empty());
  CHECK(mel_spikes({8000, std::vector<float>(10, 0.5F)}, {}).t_s.empty());
  CHECK(mel_spikes({8000, {}}, {}).t_s.empty());
  CHECK_THROWS_AS(mel_spikes(beep(3000.0, 8000), {.num_bands = 0}), ConfigError);
  CHECK_THROWS_AS(mel_spikes(beep(3000.0, 8000), {.hop_ms = 0.0}), ConfigError);
  CHECK_THROWS_AS(mel_spikes(beep(3000.0, 8000), {.threshold = NAN}), ConfigError);
  CHECK_THROWS_AS(mel_spikes({8000, std::vector<float>(100)}, {.window_ms = 0.1}), Error);
}
