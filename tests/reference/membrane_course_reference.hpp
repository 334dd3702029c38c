#pragma once

#include <cmath>

namespace synfire::test {

/// above e^(-t/tau_mem) + slope K(t) in long double, as the textbook writes it. It cancels for time constants that are
/// nearly but not quite equal.
inline long double course_reference(long double tau_mem, long double tau_syn, long double above, long double slope,
                                    long double t) {
  const long double leaked = above * std::exp(-t / tau_mem);
  if (slope == 0.0L) return leaked;
  if (tau_mem == tau_syn) return leaked + slope * t * std::exp(-t / tau_mem);
  const long double factor = tau_mem * tau_syn / (tau_mem - tau_syn);
  return leaked + slope * factor * (std::exp(-t / tau_mem) - std::exp(-t / tau_syn));
}

}  // namespace synfire::test
