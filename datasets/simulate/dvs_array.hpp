#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/event_stream.hpp"
#include "core/random.hpp"

namespace synfire::datasets {

/// The pixels of an event camera. Thresholds are steps of the natural logarithm of intensity: 0.2 is a contrast of 22
/// %.
struct DvsParams {
  double threshold_on = 0.25;
  double threshold_off = 0.25;
  double threshold_mismatch = 0.1;   ///< standard deviation over the pixels, as a share of the threshold
  std::int64_t refractory_us = 500;  ///< dead time after an event
  double leak_rate_hz = 0.1;         ///< ON events per second of a pixel that sees nothing change
  double leak_mismatch = 0.5;        ///< standard deviation over the pixels of ln(leak rate)
  double shot_noise_hz = 0.1;        ///< random events per second and pixel, half of them ON
  double shot_noise_mismatch =
      0.0;                 ///< standard deviation over the pixels of ln(shot noise rate); > 1 gives hot pixels
  double cutoff_hz = 0.0;  ///< -3 dB frequency of the photoreceptor; 0: infinitely fast
};

/// An array of DVS pixels [Lichtsteiner2008] that turns frames of log intensity, given at known times, into events.
///
/// Between two frames log intensity L runs on a straight line, so that events fall at the time of the crossing and not
/// at the frame. A pixel keeps a reference R. It fires ON when L - R reaches its ON threshold and OFF when R - L
/// reaches its OFF threshold; it then is dead for the refractory time, and R becomes L at the end of it. A leak lowers
/// R steadily, which a pixel at rest turns into ON events. Shot noise fires pixels at random (Poisson) and resets R as
/// well. A finite bandwidth is a one-pole low pass of L, solved exactly for the straight line.
///
/// Thresholds, leak and noise rate of each pixel are drawn from `sensor_seed`: a chip keeps its pattern in every
/// recording.
class DvsArray {
 public:
  /// \throws ConfigError for a size or a parameter that is out of its range
  DvsArray(int width, int height, const DvsParams& params, std::uint64_t sensor_seed);

  /// What a pixel has seen before a recording starts.
  enum class Past {
    stillness,  ///< only its own leak
    motion      ///< anything: L - R is equally likely everywhere between the thresholds
  };

  /// Starts a recording with `log_intensity` [height * width] at `t_us`. The noise of the recording is drawn from
  /// `noise_seed`.
  /// \throws ShapeError for another length
  void start(std::span<const float> log_intensity, std::int64_t t_us, std::uint64_t noise_seed,
             Past past = Past::stillness);

  /// Moves on to `log_intensity` at `t_us` and appends the events of the interval [previous time, t_us] to
  /// `out`, ordered by (t, y, x). Frames at most a few milliseconds apart keep the straight line honest.
  /// \throws ShapeError for another length; Error if time does not advance, or by more than ten seconds, or if a log
  ///   intensity is not finite (a black of zero has no logarithm: light it a little)
  void advance(std::span<const float> log_intensity, std::int64_t t_us, EventStream& out);

  int width() const { return width_; }
  int height() const { return height_; }
  std::span<const float> thresholds_on() const { return threshold_on_; }
  std::span<const float> thresholds_off() const { return threshold_off_; }

 private:
  struct Noise {
    double t_us;  ///< since the start of the interval
    std::uint32_t pixel;
    bool on;
  };
  void draw_noise(double duration_us);
  std::uint32_t noisy_pixel(double uniform) const;
  void filter(std::span<const float> log_intensity, double duration_us);
  void mark_busy(float duration_us);
  void run_pixel(std::size_t pixel, std::span<const Noise> noise, float duration_us);
  void emit(std::size_t pixel, float t_us, bool on);

  int width_;
  int height_;
  float refractory_us_;
  double cutoff_rate_per_us_;       ///< 1 / tau of the low pass; 0: none
  double shot_rate_per_us_;         ///< of the whole array
  std::vector<double> shot_share_;  ///< cumulative share of the pixels in the shot noise; empty: equal
  std::vector<float> threshold_on_;
  std::vector<float> threshold_off_;
  std::vector<float> leak_per_us_;

  // State between calls.
  std::int64_t now_us_ = 0;
  RandomStream noise_{0, 0, 0};
  std::uint64_t noise_drawn_ = 0;
  double next_noise_us_ = 0.0;   ///< since now_us_
  std::vector<float> input_;     ///< log intensity of the last frame
  std::vector<float> level_;     ///< L: the same behind the low pass
  std::vector<float> contrast_;  ///< L - R; kept as a difference, so that a slow leak is not lost in rounding
  std::vector<float> dead_us_;   ///< dead time left; 0 for a pixel that is awake

  // Scratch of one interval.
  std::vector<float> next_level_;
  std::vector<float> next_contrast_;
  std::vector<std::uint8_t> busy_;     ///< pixels that may fire or wake up in the interval
  std::vector<Noise> interval_noise_;  ///< sorted by (pixel, time)
  std::vector<std::uint64_t> fired_;   ///< time since now_us_, pixel and polarity, packed so that they sort
};

}  // namespace synfire::datasets
