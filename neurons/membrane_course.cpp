#include "neurons/membrane_course.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <boost/math/special_functions/lambert_w.hpp>

namespace synfire::neurons {
namespace {

/// 1/tau_syn - 1/tau_mem. The difference of the time constants is exact when they are within a factor of two.
double rate_difference(double tau_mem_ms, double tau_syn_ms) {
  return (tau_mem_ms - tau_syn_ms) / (tau_mem_ms * tau_syn_ms);
}

/// log1p(x) / d where x is proportional to d, with its limit.
double log1p_ratio(double factor, double d) { return d == 0.0 ? factor : std::log1p(factor * d) / d; }

/// Without a current the membrane approaches 0 from below, or falls.
double crossing_without_current(const MembraneCourse& course, double level) {
  if (level >= 0.0) return kNoCrossing;
  return -course.tau_mem_ms * std::log1p((level - course.above) / course.above);
}

/// The first t with a y^2 + b y = level, y = e^(-t/tau): the largest root in (0, 1).
double crossing_of_squares(double a, double b, double level, double tau_ms) {
  const double discriminant = b * b + 4.0 * a * level;
  if (discriminant < 0.0) return kNoCrossing;
  const double q = -0.5 * (b + std::copysign(std::sqrt(discriminant), b));
  double y = 0.0;
  for (const double root : {q / a, -level / q}) {
    if (root > y && root < 1.0) y = root;
  }
  return y > 0.0 ? -tau_ms * std::log(y) : kNoCrossing;
}

/// The first t with (above + slope t) e^(-t/tau) = level, by Lambert's W; nothing where that would lose digits.
std::optional<double> crossing_of_equal_taus(const MembraneCourse& course, double level) {
  const double tau = course.tau_mem_ms, p = course.above, q = course.slope;
  // Never above 0 again, or already past its top: W_0 would be a time before 0.
  if (q < 0.0 ? level >= 0.0 : p >= q * tau) return kNoCrossing;
  if (level == 0.0) return -p / q;
  // t is the difference of two terms of this size.
  constexpr double kMostCancelled = 32.0;
  const double shift = p / (q * tau);
  if (!(std::abs(shift) < kMostCancelled)) return std::nullopt;
  const double z = -level / (q * tau) * std::exp(-shift);
  if (std::abs(z) < std::numeric_limits<double>::min() || !std::isfinite(z)) return std::nullopt;
  // -1/e, rounded towards 0: below it W is not real, and the membrane turns before the level.
  constexpr double kBranchPoint = -0.36787944117144228;
  if (z < kBranchPoint) return q > 0.0 ? kNoCrossing : std::optional<double>();
  const double w = q > 0.0 ? boost::math::lambert_w0(z) : boost::math::lambert_wm1(z);
  return std::max(0.0, -p / q - tau * w);
}

}  // namespace

double synaptic_kernel_ms(double t_ms, double tau_mem_ms, double tau_syn_ms) {
  const double d = std::abs(rate_difference(tau_mem_ms, tau_syn_ms));
  const double slow = std::exp(-t_ms / std::max(tau_mem_ms, tau_syn_ms));
  // As d goes to 0, this goes to t, but the quotient of two numbers that are not normal does not.
  return t_ms * d < 1e-300 ? t_ms * slow : -std::expm1(-t_ms * d) / d * slow;
}

double synaptic_kernel_peak_ms(double tau_mem_ms, double tau_syn_ms) {
  return log1p_ratio(tau_mem_ms, rate_difference(tau_mem_ms, tau_syn_ms));
}

double MembraneCourse::at(double t_ms) const {
  const double leaked = above * std::exp(-t_ms / tau_mem_ms);
  return slope == 0.0 ? leaked : leaked + slope * synaptic_kernel_ms(t_ms, tau_mem_ms, tau_syn_ms);
}

double MembraneCourse::turning_point_ms() const {
  if (slope == 0.0) return kNoCrossing;
  // With d the difference of the rates, v' = 0 where e^(-t d) = (1 + above d / slope) / (1 + tau_mem d).
  const double d = rate_difference(tau_mem_ms, tau_syn_ms);
  const double ratio = above / slope;
  if (!(1.0 + ratio * d > 0.0)) return kNoCrossing;
  const double t_ms = log1p_ratio(tau_mem_ms, d) - log1p_ratio(ratio, d);
  return t_ms > 0.0 ? t_ms : kNoCrossing;
}

double first_crossing_by_bracket_ms(const MembraneCourse& course, double level) {
  if (course.above >= level) return 0.0;
  const bool rises = course.slope > course.above / course.tau_mem_ms;
  const double turn = course.turning_point_ms();
  double low = 0.0, high = 0.0;  // at(low) < level <= at(high), and it rises in between
  if (rises && turn != kNoCrossing) {
    if (!(course.at(turn) >= level)) return kNoCrossing;
    high = turn;
  } else {
    if (level >= 0.0) return kNoCrossing;
    low = turn == kNoCrossing ? 0.0 : turn;
    // Ends at the latest where nothing but 0 is left.
    high = low + course.tau_mem_ms;
    while (course.at(high) < level) {
      low = high;
      high *= 2.0;
    }
  }
  // Newton's steps need few of them; halving takes over where they do not come on, as when the course only touches.
  constexpr int kNewtonSteps = 40;
  double t = 0.5 * (low + high);
  for (int step = 0;; ++step) {
    const double value = course.at(t);
    (value < level ? low : high) = t;
    // v' = -v / tau_mem + i / C
    const double current = course.slope == 0.0 ? 0.0 : course.slope * std::exp(-t / course.tau_syn_ms);
    double next = t - (value - level) / (current - value / course.tau_mem_ms);
    if (step >= kNewtonSteps || !(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - t) <= 2.0 * std::numeric_limits<double>::epsilon() * t || next <= low || next >= high) {
      return std::min(next, high);
    }
    t = next;
  }
}

double first_crossing_ms(const MembraneCourse& course, double level) {
  if (course.above >= level) return 0.0;
  if (course.slope == 0.0) return crossing_without_current(course, level);
  const double tau_mem = course.tau_mem_ms, tau_syn = course.tau_syn_ms;
  // v = A e^(-t/tau_mem) + B e^(-t/tau_syn)
  if (tau_mem == 2.0 * tau_syn || tau_syn == 2.0 * tau_mem) {
    const double b = -course.slope / rate_difference(tau_mem, tau_syn), a = course.above - b;
    return tau_mem > tau_syn ? crossing_of_squares(b, a, level, tau_mem) : crossing_of_squares(a, b, level, tau_syn);
  }
  if (tau_mem == tau_syn) {
    if (const auto t = crossing_of_equal_taus(course, level)) return *t;
  }
  return first_crossing_by_bracket_ms(course, level);
}

}  // namespace synfire::neurons
