#pragma once

#include <cstddef>

#include "datasets/simulate/lanes.hpp"

namespace synfire::datasets {

/// Sixteen hair cells after [Meddis1986], values of [Meddis1988]: transmitter q is released into the cleft (c) at a
/// rate that the membrane sets, lost, or taken back, reprocessed (w) and returned; new transmitter comes slowly.
/// Forward Euler, as in the published chain:
///
///     k  = g (s + A) / (s + A + B)  if s + A > 0, else 0
///     q' = y max(M - q, 0) - k q + x w,   c' = k q - (l + r) c,   w' = r c - x w,   all >= 0
///     probability of a spike in a sample: h c dt
class HairCells {
 public:
  static constexpr float kA = 5.0F, kB = 300.0F, kG = 2000.0F, kY = 5.05F, kL = 2500.0F, kX = 66.3F, kR = 6580.0F,
                         kM = 1.0F, kH = 50000.0F;  ///< all but A, B and M in 1/s

  /// At rest: what is released in silence is what comes back or new. `rate_hz` of the samples.
  explicit HairCells(float rate_hz) : dt_(1.0F / rate_hz) {
    constexpr float k = kG * kA / (kA + kB);
    constexpr float c = kM * kY * k / (kL * k + kY * (kL + kR));
    c_.fill(c);
    q_.fill(c * (kL + kR) / k);
    w_.fill(c * kR / kX);
  }

  const Lanes& q() const { return q_; }
  const Lanes& c() const { return c_; }
  const Lanes& w() const { return w_; }

  /// \param s            velocity of the membrane
  /// \param probability  of a spike in this sample
  void step(const Lanes& s, Lanes& probability) {
    for (std::size_t h = 0; h < 2; ++h) {
      const Float8 q = q_.half[h], c = c_.half[h], w = w_.half[h];
      Float8 drive = s.half[h] + kA, missing = kM - q;
      clamp_at_zero(drive);
      clamp_at_zero(missing);
      const Float8 release = dt_ * kG * drive / (drive + kB) * q;
      const Float8 returned = dt_ * kX * w;
      q_.half[h] = q + dt_ * kY * missing - release + returned;
      c_.half[h] = c + release - dt_ * (kL + kR) * c;
      w_.half[h] = w + dt_ * kR * c - returned;
      clamp_at_zero(q_.half[h]);
      clamp_at_zero(c_.half[h]);
      clamp_at_zero(w_.half[h]);
      probability.half[h] = kH * dt_ * c_.half[h];
    }
  }

 private:
  float dt_;
  Lanes q_, c_, w_;
};

}  // namespace synfire::datasets
