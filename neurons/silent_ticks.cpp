#include "neurons/silent_ticks.hpp"

#include <cmath>
#include <limits>

namespace synfire::neurons {
namespace {

/// (alpha^n - beta^n) / (alpha - beta), without the cancellation for decays that are nearly equal.
double power_difference(double alpha, double beta, std::int64_t n) {
  const double slow = alpha > beta ? alpha : beta;
  const double log_ratio = std::log1p(-std::abs(alpha - beta) / slow);  // of the faster decay to the slower one
  const auto ticks = static_cast<double>(n);
  const double terms = log_ratio == 0.0 ? ticks : std::expm1(ticks * log_ratio) / std::expm1(log_ratio);
  return std::pow(slow, ticks - 1.0) * terms;
}

/// The first n in (low, high] that reaches the level: at(low) < level <= at(high), and v rises in between.
std::int64_t bisect(const SilentTicks& course, double level, std::int64_t low, std::int64_t high) {
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (course.at(middle) < level ? low : high) = middle;
  }
  return high;
}

}  // namespace

double SilentTicks::at(std::int64_t n) const {
  const double leaked = std::pow(beta, static_cast<double>(n)) * v;
  return i == 0.0 ? leaked : leaked + gain * i * alpha * power_difference(alpha, beta, n);
}

double SilentTicks::turning_point() const {
  // at(n + 1) = at(n) where (alpha/beta)^n = (1 + d / (1 - alpha)) (1 - d v / (gain i alpha)), d = alpha - beta.
  const double d = alpha - beta, first = 1.0 / (1.0 - alpha), second = -v / (gain * i * alpha);
  if (!(1.0 + second * d > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  if (d == 0.0) return beta * (first + second);
  return (std::log1p(first * d) + std::log1p(second * d)) / std::log1p(d / beta);
}

std::int64_t first_crossing_tick(const SilentTicks& course, double level) {
  if (course.at(1) >= level) return 1;
  const double turn = course.gain * course.i == 0.0 ? std::numeric_limits<double>::quiet_NaN() : course.turning_point();
  // The last tick before which v rises or falls.
  constexpr double kMost = 1e15;
  const std::int64_t best = turn > 1.0 && turn < kMost ? static_cast<std::int64_t>(std::floor(turn)) + 1 : 1;
  if (course.at(best) > course.at(1)) {
    // A top. Rounding may put it one tick too far.
    if (course.at(best) >= level) return bisect(course, level, 1, best);
    return course.at(best - 1) >= level ? bisect(course, level, 1, best - 1) : -1;
  }
  if (level >= 0.0) return -1;
  // On its way up to 0, at the latest where nothing else is left.
  std::int64_t low = best, high = 2 * best;
  while (course.at(high) < level) {
    if (high > std::numeric_limits<std::int64_t>::max() / 2) return -1;
    low = high;
    high *= 2;
  }
  return bisect(course, level, low, high);
}

}  // namespace synfire::neurons
