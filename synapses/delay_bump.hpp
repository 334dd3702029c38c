#pragma once

#include <algorithm>
#include <cmath>

#include "synapses/delayed_linear.hpp"

/// The taps of one synapse: the equations of delayed_linear.hpp. Private to the room: not installed.
namespace synfire::synapses {

/// In the sum over all delays; of the reference.
inline constexpr double kSumOffset = 1e-7;
/// A gauss ends where X has fallen to 1e-6, at sqrt(2 ln 10^6) widths: the rest is 1.5e-7 of its sum.
inline constexpr double kGaussEnd = 5.2565217697;

/// What all bumps of one width have in common.
class BumpShape {
 public:
  BumpShape(const DelayConfig& config, double width, bool rounded)
      : max_delay_(config.max_delay),
        gauss_(config.bump == DelayBump::gauss && !rounded),
        s_(rounded ? 1.0 : std::abs(width) + (gauss_ ? 0.27 : 1.0)),
        inverse_variance_(1.0 / (s_ * s_)),
        fall_(std::exp(-inverse_variance_)),
        end_(gauss_ ? kGaussEnd * s_ : s_),
        whole_(rounded) {}

  int max_delay() const { return max_delay_; }
  bool gauss() const { return gauss_; }
  double s() const { return s_; }

  /// The most taps that any position has in reach.
  int reach() const {
    if (whole_) return 1;
    const double most = gauss_ ? std::floor(2.0 * end_) + 1.0 : std::ceil(2.0 * end_);
    return static_cast<int>(std::min(most, max_delay_ + 1.0));
  }

  /// The first and last delay with X > 0 within the range.
  int first(double centre) const {
    const double d = gauss_ ? std::ceil(centre - end_) : std::floor(centre - end_) + 1.0;
    return static_cast<int>(std::clamp(d, 0.0, static_cast<double>(max_delay_)));
  }
  int last(double centre) const {
    const double d = gauss_ ? std::floor(centre + end_) : std::ceil(centre + end_) - 1.0;
    return static_cast<int>(std::clamp(d, 0.0, static_cast<double>(max_delay_)));
  }

  /// Calls `body(delay, X)` for the delays in reach: from the nearest up, then from the next below it down.
  template <class Body>
  void each(double centre, const Body& body) const {
    const int lowest = first(centre), highest = last(centre);
    if (!gauss_) {
      for (int d = lowest; d <= highest; ++d) body(d, std::max(0.0, s_ - std::abs(d - centre)));
      return;
    }
    // X(u + 1) = X(u) r(u), r(u) = exp(-(2u + 1) / 2s^2), r(u + 1) = r(u) exp(-1 / s^2): two exponentials a synapse.
    const int nearest = std::clamp(static_cast<int>(std::nearbyint(centre)), lowest, highest);
    const double u = nearest - centre;
    const double x = std::exp(-0.5 * u * u * inverse_variance_);
    const double up = std::exp(-(u + 0.5) * inverse_variance_);
    double value = x, ratio = up;
    for (int d = nearest; d <= highest; ++d, value *= ratio, ratio *= fall_) body(d, value);
    ratio = fall_ / up;
    value = x * ratio;
    for (int d = nearest - 1; d >= lowest; --d) {
      body(d, value);
      ratio *= fall_;
      value *= ratio;
    }
  }

 private:
  int max_delay_;
  bool gauss_;
  double s_;
  double inverse_variance_;
  double fall_;
  double end_;  ///< distance from which X is 0
  bool whole_;
};

/// A bump of that shape around one centre.
class Bump {
 public:
  Bump(const BumpShape& shape, double centre) : shape_(shape), centre_(centre) {
    double sum = 0.0;
    shape.each(centre, [&](int, double x) { sum += x; });
    inverse_sum_ = 1.0 / (sum + kSumOffset);
  }

  /// Calls `body(delay, share)` for each tap in reach.
  template <class Body>
  void each(const Body& body) const {
    shape_.each(centre_, [&](int d, double x) { body(d, x * inverse_sum_); });
  }
  int first() const { return shape_.first(centre_); }

  /// Sums of G_d times the share and times its derivatives by position and width, without the weight.
  struct Sums {
    double share = 0.0, position = 0.0, width = 0.0;
  };
  template <class Correlation>
  Sums against(const Correlation& correlation) const {
    Sums sums;
    double first = 0.0, second = 0.0, with_u = 0.0, with_u2 = 0.0;
    if (shape_.gauss()) {
      each([&](int d, double share) {
        const double u = d - centre_, g = static_cast<double>(correlation(d)) * share;
        sums.share += g;
        with_u += g * u;
        with_u2 += g * u * u;
        first += share * u;
        second += share * u * u;
      });
      const double s = shape_.s();
      sums.position = -(with_u - sums.share * first) / (s * s);
      sums.width = (with_u2 - sums.share * second) / (s * s * s);
    } else {
      each([&](int d, double share) {
        if (share == 0.0) return;
        const double u = d - centre_, g = static_cast<double>(correlation(d));
        const double sign = u > 0.0 ? 1.0 : u < 0.0 ? -1.0 : 0.0;
        sums.share += g * share;
        with_u += g * sign;
        with_u2 += g;
        first += sign;
        second += 1.0;
      });
      sums.position = -(with_u - sums.share * first) * inverse_sum_;
      sums.width = (with_u2 - sums.share * second) * inverse_sum_;
    }
    return sums;
  }

 private:
  const BumpShape& shape_;
  double centre_;
  double inverse_sum_ = 0.0;
};

/// The delay at the centre of a synapse.
inline double centre_of(const DelayConfig& config, double position, bool rounded) {
  return config.middle() - (rounded ? std::nearbyint(position) : position);
}

}  // namespace synfire::synapses
