#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/event_stream.hpp"
#include "datasets/simulate/dvs_array.hpp"
#include "datasets/simulate/fine_image.hpp"

namespace synfire::datasets {

/// How N-MNIST was recorded [Orchard2015]: an event camera on a pan-tilt head looks at a digit on a monitor and makes
/// three saccades, so that the digit runs down and to the right, up and to the right, and back to the left.
struct SaccadeParams {
  /// Fitted to the published recordings, as is all else here; docs/simulators.md has the comparison.
  DvsParams sensor{.threshold_on = 0.255,
                   .threshold_off = 0.25,
                   .threshold_mismatch = 0.1,
                   .refractory_us = 500,
                   .leak_rate_hz = 0.45,
                   .leak_mismatch = 0.5,
                   .shot_noise_hz = 0.06};
  double digit_px = 28.4;           ///< width of the 28x28 image on the sensor
  double blur_px = 0.53;            ///< standard deviation of the optical blur
  double stroke_brightness = 0.13;  ///< of the whitest pixel of the image, as a share of the background's brightness:
                                    ///< taking ON for brighter, N-MNIST shows dark digits on a bright screen
  double timing_jitter_us = 2000;   ///< standard deviation of the start of each recording
  double place_jitter_px = 0.1;     ///< standard deviation of the place of the digit
};

/// Where the middle of the digit stands, relative to the middle of the sensor, `t_us` after the start.
Point saccade_offset(double t_us);

/// Records digits with one sensor. Not for use by several threads at once: each has its own.
class SaccadeCamera {
 public:
  static constexpr int kSide = 34;       ///< pixels of the sensor
  static constexpr int kDigitSide = 28;  ///< pixels of an MNIST image

  /// \throws ConfigError for a parameter that is out of its range
  SaccadeCamera(const SaccadeParams& params, std::uint64_t sensor_seed);

  /// \param digit  [28 * 28] grey levels, 0 the background, rows from the top
  /// \throws ShapeError for another length
  EventStream record(std::span<const std::uint8_t> digit, std::uint64_t seed);

 private:
  void show(std::span<const std::uint8_t> digit);

  SaccadeParams params_;
  DvsArray sensor_;
  FineImage screen_;           ///< log intensity
  std::vector<float> spread_;  ///< [samples][28] light that a sample gets from a column (or row) of the digit
  std::vector<float> rows_;    ///< [28][samples] scratch of show()
  std::vector<float> ink_;     ///< [samples]
  std::vector<float> frame_;
};

}  // namespace synfire::datasets
