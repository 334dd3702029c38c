#include "datasets/simulate/dvs_array.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire::datasets {

namespace {

// What a random number is for: the `stream` of RandomStream.
constexpr std::uint32_t kThresholdStream = 0x445653'01;
constexpr std::uint32_t kLeakStream = 0x445653'02;
constexpr std::uint32_t kShotRateStream = 0x445653'03;
constexpr std::uint32_t kShotStream = 0x445653'04;

// A pixel below this share of the nominal threshold would fire without end.
constexpr double kLeastThresholdShare = 0.1;
// Pixel and polarity take 25 bits of a packed event, so that 16.7 million pixels fit; time takes the rest.
constexpr int kPixelBits = 24;
constexpr std::int64_t kLongestInterval_us = 10'000'000;
// Of log intensity between two frames: e^100 is more than any light.
constexpr float kLargestChange = 100.0F;

double checked(double value, double at_least, double at_most, const char* name) {
  if (value >= at_least && value <= at_most) return value;
  throw ConfigError("", 0, name, fmt::format("must be between {} and {}, got {}", at_least, at_most, value));
}

void check_length(std::size_t length, std::size_t num_pixels) {
  if (length == num_pixels) return;
  throw ShapeError(fmt::format("[DvsArray] a frame must have {} pixels, got {}", num_pixels, length));
}

/// Waiting time of unit rate from a uniform number.
double exponential(double uniform) { return -std::log(1.0 - uniform); }

int checked_side(int side, const char* name) { return static_cast<int>(checked(side, 1, 4096, name)); }

// The common case, a pixel that does nothing, is decided here, many pixels at a time. L - R runs on a straight line, so
// it is inside the thresholds all the time if it is at the end.
void advance_quiet(std::ptrdiff_t count, float duration_us, const float* __restrict level,
                   const float* __restrict next_level, const float* __restrict leak_per_us, const float* __restrict on,
                   const float* __restrict off, const float* __restrict dead_us, const float* __restrict contrast,
                   float* __restrict next_contrast, std::uint8_t* __restrict busy) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const float end = contrast[i] + (next_level[i] - level[i]) + leak_per_us[i] * duration_us;
    next_contrast[i] = end;
    busy[i] = (end < on[i]) & (end > -off[i]) & (dead_us[i] == 0.0F) ? 0 : 1;
  }
}

}  // namespace

DvsArray::DvsArray(int width, int height, const DvsParams& params, std::uint64_t sensor_seed)
    : width_(checked_side(width, "width")),
      height_(checked_side(height, "height")),
      refractory_us_(static_cast<float>(checked(static_cast<double>(params.refractory_us), 0, 1e6, "refractory_us"))),
      cutoff_rate_per_us_(2e-6 * std::numbers::pi * checked(params.cutoff_hz, 0, 1e6, "cutoff_hz")) {
  checked(params.threshold_on, 0.01, 10, "threshold_on");
  checked(params.threshold_off, 0.01, 10, "threshold_off");
  checked(params.threshold_mismatch, 0, 0.5, "threshold_mismatch");
  checked(params.leak_rate_hz, 0, 1e4, "leak_rate_hz");
  checked(params.leak_mismatch, 0, 3, "leak_mismatch");
  checked(params.shot_noise_hz, 0, 1e4, "shot_noise_hz");
  checked(params.shot_noise_mismatch, 0, 3, "shot_noise_mismatch");

  const std::size_t count = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
  for (auto* column : {&threshold_on_, &threshold_off_, &leak_per_us_, &input_, &level_, &contrast_, &dead_us_,
                       &next_level_, &next_contrast_}) {
    column->assign(count, 0.0F);
  }
  busy_.assign(count, 0);

  const RandomStream thresholds(sensor_seed, kThresholdStream, 0);
  const RandomStream leaks(sensor_seed, kLeakStream, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const auto share = [&](std::uint64_t element) {
      return std::max(kLeastThresholdShare, 1.0 + params.threshold_mismatch * thresholds.normal(element));
    };
    threshold_on_[i] = static_cast<float>(params.threshold_on * share(2 * i));
    threshold_off_[i] = static_cast<float>(params.threshold_off * share(2 * i + 1));
    // The mean of a log-normal number is exp(sigma^2 / 2) above its median.
    const double leak = std::exp(params.leak_mismatch * (leaks.normal(i) - 0.5 * params.leak_mismatch));
    leak_per_us_[i] = static_cast<float>(1e-6 * params.leak_rate_hz * leak * threshold_on_[i]);
  }

  shot_rate_per_us_ = 1e-6 * params.shot_noise_hz * static_cast<double>(count);
  if (params.shot_noise_hz > 0.0 && params.shot_noise_mismatch > 0.0) {
    const RandomStream rates(sensor_seed, kShotRateStream, 0);
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i)
      shot_share_.push_back(sum += std::exp(params.shot_noise_mismatch * rates.normal(i)));
    for (double& share : shot_share_) share /= sum;
  }
}

void DvsArray::start(std::span<const float> log_intensity, std::int64_t t_us, std::uint64_t noise_seed, Past past) {
  check_length(log_intensity.size(), level_.size());
  noise_ = RandomStream(noise_seed, kShotStream, 0);
  std::copy(log_intensity.begin(), log_intensity.end(), input_.begin());
  level_ = input_;
  std::fill(dead_us_.begin(), dead_us_.end(), 0.0F);
  for (std::size_t i = 0; i < level_.size(); ++i) {
    const float lowest = past == Past::motion ? -threshold_off_[i] : 0.0F;
    const bool settled = past == Past::stillness && leak_per_us_[i] == 0.0F;
    contrast_[i] = settled ? 0.0F : lowest + (threshold_on_[i] - lowest) * static_cast<float>(noise_.uniform(i));
  }
  noise_drawn_ = level_.size();
  now_us_ = t_us;
  if (shot_rate_per_us_ > 0.0) next_noise_us_ = exponential(noise_.uniform(noise_drawn_++)) / shot_rate_per_us_;
}

void DvsArray::advance(std::span<const float> log_intensity, std::int64_t t_us, EventStream& out) {
  check_length(log_intensity.size(), level_.size());
  const std::int64_t interval_us = t_us - now_us_;
  if (interval_us <= 0 || interval_us > kLongestInterval_us) {
    throw Error(fmt::format("[DvsArray] time must advance by 1 to {} us, got {}", kLongestInterval_us, interval_us));
  }
  const auto duration_us = static_cast<float>(interval_us);
  filter(log_intensity, duration_us);
  draw_noise(duration_us);
  mark_busy(duration_us);

  fired_.clear();
  std::size_t noise_begin = 0;
  const std::size_t count = level_.size();
  for (std::size_t i = 0; i < count;) {
    std::uint64_t eight = 1;
    if (i + sizeof eight <= count) std::memcpy(&eight, &busy_[i], sizeof eight);
    const std::size_t end = std::min(i + sizeof eight, count);
    if (eight == 0) {
      i = end;
      continue;
    }
    for (; i < end; ++i) {
      if (busy_[i] == 0) continue;
      std::size_t noise_end = noise_begin;
      while (noise_end < interval_noise_.size() && interval_noise_[noise_end].pixel == i) ++noise_end;
      run_pixel(i, std::span(interval_noise_).subspan(noise_begin, noise_end - noise_begin), duration_us);
      noise_begin = noise_end;
    }
  }
  std::swap(level_, next_level_);
  std::swap(contrast_, next_contrast_);

  std::sort(fired_.begin(), fired_.end());
  const auto width = static_cast<std::uint32_t>(width_);
  for (const std::uint64_t packed : fired_) {
    const auto pixel = static_cast<std::uint32_t>(packed >> 1U) & ((1U << kPixelBits) - 1U);
    out.push_back({now_us_ + static_cast<std::int64_t>(packed >> (kPixelBits + 1)),
                   static_cast<std::uint16_t>(pixel % width), static_cast<std::uint16_t>(pixel / width),
                   static_cast<std::uint8_t>(packed & 1U)});
  }
  now_us_ = t_us;
}

void DvsArray::mark_busy(float duration_us) {
  advance_quiet(static_cast<std::ptrdiff_t>(level_.size()), duration_us, level_.data(), next_level_.data(),
                leak_per_us_.data(), threshold_on_.data(), threshold_off_.data(), dead_us_.data(), contrast_.data(),
                next_contrast_.data(), busy_.data());
  for (const Noise& noise : interval_noise_) busy_[noise.pixel] = 1;
}

void DvsArray::run_pixel(std::size_t pixel, std::span<const Noise> noise, float duration_us) {
  const float change = next_level_[pixel] - level_[pixel];
  // Also false for a change that is not a number.
  if (!(std::abs(change) <= kLargestChange)) {
    throw Error(fmt::format("[DvsArray] log intensity of pixel {} must be finite, got {} after {}", pixel,
                            next_level_[pixel], level_[pixel]));
  }
  const float closing = change / duration_us + leak_per_us_[pixel];  // growth of L - R per us
  const float distance = closing > 0.0F ? threshold_on_[pixel] : threshold_off_[pixel];
  float t = 0.0F;
  float contrast = contrast_[pixel];
  float& dead_us = dead_us_[pixel];

  const auto run_to = [&](float end_us) {
    while (true) {
      if (dead_us > 0.0F) {
        const float wake_us = t + dead_us;
        if (wake_us > end_us) {
          dead_us = wake_us - end_us;
          t = end_us;
          return;
        }
        dead_us = 0.0F;
        t = wake_us;
        contrast = 0.0F;
      }
      const float missing = closing > 0.0F ? distance - contrast : distance + contrast;
      const float crossing_us = t + std::max(0.0F, missing) / std::abs(closing);
      if (!(crossing_us <= end_us)) break;  // also for a pixel at rest, whose crossing is never
      t = crossing_us;
      contrast = 0.0F;
      emit(pixel, t, closing > 0.0F);
    }
    contrast += closing * (end_us - t);
    t = end_us;
  };
  for (const Noise& each : noise) {
    run_to(static_cast<float>(each.t_us));
    if (dead_us > 0.0F) continue;
    contrast = 0.0F;
    emit(pixel, t, each.on);
  }
  run_to(duration_us);
  next_contrast_[pixel] = contrast;
}

void DvsArray::emit(std::size_t pixel, float t_us, bool on) {
  const auto whole_us = static_cast<std::uint64_t>(std::ceil(t_us));
  fired_.push_back((whole_us << (kPixelBits + 1)) | (static_cast<std::uint64_t>(pixel) << 1U) | (on ? 1U : 0U));
  dead_us_[pixel] = refractory_us_;
}

// One pole, exact for an input on a straight line: the output follows slope * tau behind, and what it was off that
// line on entry dies out.
void DvsArray::filter(std::span<const float> log_intensity, double duration_us) {
  if (cutoff_rate_per_us_ == 0.0) {
    std::copy(log_intensity.begin(), log_intensity.end(), next_level_.begin());
    return;
  }
  const auto decay = static_cast<float>(std::exp(-duration_us * cutoff_rate_per_us_));
  const auto lag = static_cast<float>(1.0 / (duration_us * cutoff_rate_per_us_));
  for (std::size_t i = 0; i < level_.size(); ++i) {
    const float behind = lag * (log_intensity[i] - input_[i]);
    next_level_[i] = log_intensity[i] - behind + decay * (level_[i] - input_[i] + behind);
    input_[i] = log_intensity[i];
  }
}

void DvsArray::draw_noise(double duration_us) {
  interval_noise_.clear();
  if (shot_rate_per_us_ == 0.0) return;
  while (next_noise_us_ < duration_us) {
    const double where = 2.0 * noise_.uniform(noise_drawn_++);
    const bool on = where >= 1.0;
    interval_noise_.push_back({next_noise_us_, noisy_pixel(on ? where - 1.0 : where), on});
    next_noise_us_ += exponential(noise_.uniform(noise_drawn_++)) / shot_rate_per_us_;
  }
  next_noise_us_ -= duration_us;
  std::stable_sort(interval_noise_.begin(), interval_noise_.end(),
                   [](const Noise& a, const Noise& b) { return a.pixel < b.pixel; });
}

std::uint32_t DvsArray::noisy_pixel(double uniform) const {
  const std::size_t last = level_.size() - 1;
  const auto pixel = shot_share_.empty()
                         ? static_cast<std::size_t>(uniform * static_cast<double>(level_.size()))
                         : static_cast<std::size_t>(std::upper_bound(shot_share_.begin(), shot_share_.end(), uniform) -
                                                    shot_share_.begin());
  return static_cast<std::uint32_t>(std::min(pixel, last));
}

}  // namespace synfire::datasets
