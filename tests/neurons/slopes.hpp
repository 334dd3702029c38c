#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/tolerance.hpp"

namespace synfire::test {

/// L = sum over all ticks and neurons of e s.
inline double weighted_sum(const std::vector<double>& spikes, const std::vector<double>& grad_spikes) {
  double sum = 0.0;
  for (std::size_t i = 0; i < spikes.size(); ++i) sum += grad_spikes[i] * spikes[i];
  return sum;
}

/// Compares `analytic` with the central difference over `value`. The step balances rounding (u |L| / h) and truncation
/// (h^2 L'''/6): with h = u^(1/3) both are some h^2; L has tens of terms, and its third derivative grows with alpha^3.
inline void check_slope(double& value, double analytic, const std::function<double()>& evaluate,
                        double allowed_squares = 2000.0) {
  static const double step = std::cbrt(unit_roundoff<double>);
  const double at = value;
  value = at + step;
  const double above = evaluate();
  value = at - step;
  const double below = evaluate();
  value = at;
  CHECK(std::abs((above - below) / (2.0 * step) - analytic) <= allowed_squares * step * step);
}

}  // namespace synfire::test
