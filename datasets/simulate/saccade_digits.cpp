#include "datasets/simulate/saccade_digits.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "datasets/simulate/fast_log.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kJitterStream = 0x534143'01;
constexpr std::int64_t kFrame_us = 1000;
constexpr std::int64_t kDuration_us = 316'000;
constexpr int kFine = 4;    // samples per pixel of the sensor, in each direction
constexpr int kMargin = 6;  // pixels of screen around the sensor: further than any saccade

// Light that is spread further than this does not matter.
constexpr float kLeastShare = 1e-5F;

// The path, every 5 ms, from registering 256 published recordings with the images that were shown: of all paths, widths
// and blurs it is the one whose change of log intensity comes closest to ON minus OFF events, pixel by pixel.
constexpr std::int64_t kKnot_us = 5000;
constexpr std::array kPath = std::to_array<Point>({
    {-2.49, -1.76}, {-2.5, -1.74},  {-2.51, -1.69}, {-2.54, -1.57}, {-2.59, -1.36}, {-2.63, -1.05}, {-2.66, -0.63},
    {-2.67, -0.1},  {-2.66, 0.48},  {-2.63, 1.1},   {-2.55, 1.75},  {-2.34, 2.32},  {-2.02, 2.8},   {-1.72, 3.16},
    {-1.4, 3.44},   {-1.17, 3.57},  {-1.08, 3.62},  {-1.02, 3.65},  {-0.99, 3.63},  {-0.96, 3.6},   {-0.91, 3.56},
    {-0.84, 3.51},  {-0.76, 3.47},  {-0.66, 3.46},  {-0.54, 3.43},  {-0.36, 3.35},  {-0.07, 3.18},  {0.27, 2.88},
    {0.64, 2.44},   {0.99, 1.92},   {1.26, 1.34},   {1.42, 0.75},   {1.52, 0.18},   {1.67, -0.36},  {1.87, -0.86},
    {2.04, -1.21},  {2.18, -1.43},  {2.27, -1.54},  {2.34, -1.59},  {2.4, -1.59},   {2.48, -1.57},  {2.59, -1.57},
    {2.71, -1.57},  {2.78, -1.58},  {2.82, -1.59},  {2.82, -1.6},   {2.74, -1.61},  {2.43, -1.59},  {1.97, -1.57},
    {1.46, -1.56},  {0.97, -1.57},  {0.45, -1.58},  {-0.1, -1.61},  {-0.64, -1.65}, {-1.11, -1.69}, {-1.48, -1.74},
    {-1.76, -1.8},  {-2.03, -1.82}, {-2.25, -1.83}, {-2.39, -1.82}, {-2.46, -1.81}, {-2.47, -1.8},  {-2.47, -1.8},
});

double checked(double value, double at_least, double at_most, const char* name) {
  if (value >= at_least && value <= at_most) return value;
  throw ConfigError("", 0, name, fmt::format("must be between {} and {}, got {}", at_least, at_most, value));
}

/// Integral of the normal density from -infinity to z.
double normal_share(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double catmull_rom(double a, double b, double c, double d, double u) {
  return b + 0.5 * u * (c - a + u * (2.0 * a - 5.0 * b + 4.0 * c - d + u * (3.0 * (b - c) + d - a)));
}

}  // namespace

Point saccade_offset(double t_us) {
  const double position = std::clamp(t_us / kKnot_us, 0.0, static_cast<double>(kPath.size() - 1));
  const auto last = static_cast<std::ptrdiff_t>(kPath.size() - 1);
  const auto knot = std::min(static_cast<std::ptrdiff_t>(position), last - 1);
  const double u = position - static_cast<double>(knot);
  const auto at = [&](std::ptrdiff_t i) {
    return kPath[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i, 0, last))];
  };
  const Point a = at(knot - 1), b = at(knot), c = at(knot + 1), d = at(knot + 2);
  return {catmull_rom(a.x, b.x, c.x, d.x, u), catmull_rom(a.y, b.y, c.y, d.y, u)};
}

SaccadeCamera::SaccadeCamera(const SaccadeParams& params, std::uint64_t sensor_seed)
    : params_(params),
      sensor_(kSide, kSide, params.sensor, sensor_seed),
      screen_(kSide, kSide, kMargin, kFine),
      spread_(static_cast<std::size_t>(screen_.columns()) * kDigitSide),
      rows_(static_cast<std::size_t>(kDigitSide) * static_cast<std::size_t>(screen_.columns())),
      ink_(static_cast<std::size_t>(screen_.columns())),
      frame_(static_cast<std::size_t>(kSide) * kSide) {
  checked(params.digit_px, 10.0, 40.0, "digit_px");
  checked(params.blur_px, 0.1, 4.0, "blur_px");
  checked(params.stroke_brightness, 0.01, 1.0, "stroke_brightness");
  checked(params.timing_jitter_us, 0.0, 20'000.0, "timing_jitter_us");
  checked(params.place_jitter_px, 0.0, 2.0, "place_jitter_px");

  // A pixel of the digit is an even square; the optics blur it. Both are separable.
  const double width = params.digit_px / kDigitSide;
  for (int sample = 0; sample < screen_.columns(); ++sample) {
    const double place = screen_.place(0, sample).x - 0.5 * kSide;
    for (int column = 0; column < kDigitSide; ++column) {
      const double left = (column - 0.5 * kDigitSide) * width;
      spread_[static_cast<std::size_t>(sample * kDigitSide + column)] = static_cast<float>(
          normal_share((place - left) / params.blur_px) - normal_share((place - left - width) / params.blur_px));
    }
  }
}

EventStream SaccadeCamera::record(std::span<const std::uint8_t> digit, std::uint64_t seed) {
  if (digit.size() != static_cast<std::size_t>(kDigitSide) * kDigitSide) {
    throw ShapeError(fmt::format("[SaccadeCamera] a digit must have 784 pixels, got {}", digit.size()));
  }
  show(digit);
  const RandomStream jitter(seed, kJitterStream, 0);
  const double delay_us = params_.timing_jitter_us * jitter.normal(0);
  const Point place{params_.place_jitter_px * jitter.normal(1), params_.place_jitter_px * jitter.normal(2)};

  EventStream events;
  events.width = events.height = kSide;
  events.reserve(8192);
  for (std::int64_t t_us = 0; t_us <= kDuration_us; t_us += kFrame_us) {
    const Point offset = saccade_offset(static_cast<double>(t_us) - delay_us);
    screen_.look({offset.x + place.x, offset.y + place.y}, frame_);
    if (t_us == 0) {
      // The digit before this one has only just gone.
      sensor_.start(frame_, t_us, seed, DvsArray::Past::motion);
    } else {
      sensor_.advance(frame_, t_us, events);
    }
  }
  return events;
}

// The digit as it falls on the sensor before any movement.
void SaccadeCamera::show(std::span<const std::uint8_t> digit) {
  const auto samples = static_cast<std::size_t>(screen_.columns());
  std::fill(rows_.begin(), rows_.end(), 0.0F);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    for (std::size_t x = 0; x < kDigitSide; ++x) {
      const float share = spread_[sample * kDigitSide + x];
      if (share < kLeastShare) continue;
      for (std::size_t y = 0; y < kDigitSide; ++y) {
        rows_[y * samples + sample] += share * static_cast<float>(digit[y * kDigitSide + x]);
      }
    }
  }
  const auto darkening = static_cast<float>((1.0 - params_.stroke_brightness) / 255.0);
  for (int row = 0; row < screen_.rows(); ++row) {
    std::fill(ink_.begin(), ink_.end(), 0.0F);
    for (std::size_t y = 0; y < kDigitSide; ++y) {
      const float share = spread_[static_cast<std::size_t>(row) * kDigitSide + y];
      if (share < kLeastShare) continue;
      for (std::size_t sample = 0; sample < samples; ++sample) ink_[sample] += share * rows_[y * samples + sample];
    }
    for (std::size_t sample = 0; sample < samples; ++sample) {
      screen_.at(row, static_cast<int>(sample)) = fast_log(1.0F - darkening * ink_[sample]);
    }
  }
}

}  // namespace synfire::datasets
