#pragma once

#include <cstdint>

/// The current-based neuron on the grid of ticks over a time without arrivals, in closed form and in double. Not for
/// parity with an engine that steps: it rounds in another way.
namespace synfire::neurons {

/// Per tick: i <- alpha i, v <- beta v + gain i (the new one). Both decays lie in (0, 1); v is counted from where the
/// drive alone would take it.
struct SilentTicks {
  double alpha;
  double beta;
  double gain;
  double v;
  double i;

  /// v after n >= 0 ticks: beta^n v + gain i alpha (alpha^n - beta^n) / (alpha - beta), n alpha^n for equal decays.
  double at(std::int64_t n) const;
  /// Where v would turn if n were a real number (at(n) rises or falls for all n below it, and the other way beyond);
  /// NaN if it never does.
  double turning_point() const;
};

/// The first tick n >= 1 with course.at(n) >= level, or -1.
std::int64_t first_crossing_tick(const SilentTicks& course, double level);

}  // namespace synfire::neurons
