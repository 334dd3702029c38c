#include "datasets/simulate/mel_encoder.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/simulate/lane_fft.hpp"

namespace synfire::datasets {

namespace {

double to_mel(double f_hz) { return 2595.0 * std::log10(1.0 + f_hz / 700.0); }
double from_mel(double mel) { return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0); }

struct Frames {
  std::size_t window = 0;  ///< samples
  double hop = 0.0;        ///< samples, not rounded, so that time does not drift
  std::size_t count = 0;

  Frames(const Audio& audio, const MelConfig& config) {
    const double samples = std::round(config.window_ms * 1e-3 * audio.rate_hz);
    if (samples < 4.0 || samples > 1048576.0)
      throw Error(
          fmt::format("[log_mel] a window of {} ms at {} Hz has {} samples", config.window_ms, audio.rate_hz, samples));
    window = static_cast<std::size_t>(samples);
    hop = config.hop_ms * 1e-3 * audio.rate_hz;
    if (audio.samples.size() >= window)
      count = static_cast<std::size_t>(static_cast<double>(audio.samples.size() - window) / hop) + 1;
  }
  std::size_t begin(std::size_t frame) const { return static_cast<std::size_t>(static_cast<double>(frame) * hop); }
};

/// The triangles: for each band its first bin and the weights from there on.
struct Band {
  std::size_t first = 0;
  std::vector<float> weights;
};

std::vector<Band> triangles(const MelConfig& config, double rate_hz, std::size_t fft_length) {
  const double low = to_mel(config.lowest_hz);
  const double high = to_mel(std::min(config.highest_hz, 0.5 * rate_hz));
  const double bin_hz = rate_hz / static_cast<double>(fft_length);
  const auto edge_bin = [&](int i) { return from_mel(low + (high - low) * i / (config.num_bands + 1)) / bin_hz; };
  std::vector<Band> bands(static_cast<std::size_t>(config.num_bands));
  for (int b = 0; b < config.num_bands; ++b) {
    const double left = edge_bin(b), middle = edge_bin(b + 1), right = edge_bin(b + 2);
    Band& band = bands[static_cast<std::size_t>(b)];
    band.first = static_cast<std::size_t>(std::ceil(left));
    for (std::size_t k = band.first; static_cast<double>(k) < right; ++k) {
      const auto x = static_cast<double>(k);
      const double weight = x < middle ? (x - left) / (middle - left) : (right - x) / (right - middle);
      band.weights.push_back(static_cast<float>(weight));
    }
  }
  return bands;
}

}  // namespace

void check_mel(const MelConfig& config) {
  const auto check = [](bool good, const char* key, const std::string& problem) {
    if (!good) throw ConfigError("mel", 0, key, problem);
  };
  check(config.num_bands >= 1 && config.num_bands <= 32768, "num_bands",
        fmt::format("must lie in 1 to 32768, got {}", config.num_bands));
  check(config.lowest_hz >= 0.0 && config.lowest_hz < config.highest_hz, "highest_hz",
        fmt::format("must lie above lowest_hz, got {} and {}", config.highest_hz, config.lowest_hz));
  check(config.window_ms > 0.0 && config.hop_ms > 0.0, "hop_ms", "windows and hops must be positive");
  check(config.threshold > 0.0 && config.floor > 0.0, "threshold", "thresholds and floor must be positive");
}

std::vector<std::vector<float>> log_mel(const Audio& audio, const MelConfig& config) {
  check_mel(config);
  const Frames frames(audio, config);
  // Bins four times as narrow as the window resolves, so that the narrow bands at the bottom have one.
  const LaneFft fft(4 * std::bit_ceil(frames.window));
  const std::vector<Band> bands = triangles(config, audio.rate_hz, fft.length());
  std::vector<float> hann(frames.window);
  for (std::size_t i = 0; i < hann.size(); ++i)
    hann[i] = static_cast<float>(0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * (static_cast<double>(i) + 0.5) /
                                                      static_cast<double>(hann.size())));

  std::vector<std::vector<float>> mel(frames.count, std::vector<float>(bands.size()));
  std::vector<Lanes> values;
  std::vector<float> power(fft.length() / 2 + 1);
  float largest = 0.0F;
  // Eight frames in the lanes of one transform; the real input makes its direction irrelevant for the power.
  for (std::size_t first = 0; first < frames.count; first += kHalf) {
    const std::size_t together = std::min(kHalf, frames.count - first);
    values.assign(fft.length(), Lanes{});
    for (std::size_t lane = 0; lane < together; ++lane)
      for (std::size_t i = 0; i < frames.window; ++i)
        values[fft.slot(i)].set(lane, hann[i] * audio.samples[frames.begin(first + lane) + i]);
    fft.inverse(values);
    for (std::size_t lane = 0; lane < together; ++lane) {
      for (std::size_t k = 0; k < power.size(); ++k) {
        const float re = values[k].get(lane), im = values[k].get(lane + kHalf);
        power[k] = re * re + im * im;
      }
      for (std::size_t b = 0; b < bands.size(); ++b) {
        float sum = 0.0F;
        for (std::size_t j = 0; j < bands[b].weights.size() && bands[b].first + j < power.size(); ++j)
          sum += bands[b].weights[j] * power[bands[b].first + j];
        mel[first + lane][b] = sum;
        largest = std::max(largest, sum);
      }
    }
  }
  // Silence has a level too.
  const float floor = largest > 0.0F ? static_cast<float>(config.floor) * largest : 1.0F;
  for (std::vector<float>& frame : mel)
    for (float& value : frame) value = std::log(value + floor);
  return mel;
}

SpikeTrain mel_spikes(const Audio& audio, const MelConfig& config) {
  const std::vector<std::vector<float>> mel = log_mel(audio, config);
  SpikeTrain train;
  if (mel.empty()) return train;
  const double first_s = 0.5e-3 * config.window_ms;
  std::vector<std::pair<float, std::uint16_t>> spikes;
  for (std::size_t b = 0; b < mel[0].size(); ++b) {
    double mean = 0.0, square = 0.0;
    for (const std::vector<float>& frame : mel) mean += frame[b];
    mean /= static_cast<double>(mel.size());
    for (const std::vector<float>& frame : mel) square += (frame[b] - mean) * (frame[b] - mean);
    const double level = config.threshold * std::sqrt(square / static_cast<double>(mel.size()));
    if (level < 1e-6) continue;  // a band that does not change has no crossings
    double reference = mel[0][b];
    for (std::size_t frame = 1; frame < mel.size(); ++frame) {
      const double from = mel[frame - 1][b], to = mel[frame][b];
      const double sign = to > from ? 1.0 : -1.0;
      const std::size_t channel = to > from ? b : mel[0].size() + b;
      while (sign * (to - reference) >= level) {
        reference += sign * level;
        // The reference may be left behind by rounding only.
        const double part = std::clamp((reference - from) / (to - from), 0.0, 1.0);
        const double t_s = first_s + 1e-3 * config.hop_ms * (static_cast<double>(frame - 1) + part);
        spikes.emplace_back(static_cast<float>(t_s), static_cast<std::uint16_t>(channel));
      }
    }
  }
  std::sort(spikes.begin(), spikes.end());
  for (const auto& [t_s, channel] : spikes) {
    train.t_s.push_back(t_s);
    train.channel.push_back(channel);
  }
  return train;
}

}  // namespace synfire::datasets
