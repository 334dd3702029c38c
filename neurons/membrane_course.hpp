#pragma once

#include <limits>

/// How the membrane of a leaky integrate-and-fire neuron goes on in continuous time while nothing arrives, in closed
/// form, and when it comes to a threshold. In double; times in milliseconds. See [Rotter1999] and docs/numerics.md.
namespace synfire::neurons {

/// No time at all.
inline constexpr double kNoCrossing = std::numeric_limits<double>::infinity();

/// What a current that begins with 1 and decays with tau_syn adds to a membrane that leaks with tau_mem, after t:
///
///     K(t) = integral from 0 to t of e^(-(t-u)/tau_mem) e^(-u/tau_syn) du
///          = (e^(-t/tau_mem) - e^(-t/tau_syn)) / (1/tau_syn - 1/tau_mem),      t e^(-t/tau) for equal ones
///
/// without the cancellation of that difference for time constants that are nearly equal, and without overflow.
double synaptic_kernel_ms(double t_ms, double tau_mem_ms, double tau_syn_ms);

/// Where K is largest: ln(tau_mem/tau_syn) / (1/tau_syn - 1/tau_mem).
double synaptic_kernel_peak_ms(double tau_mem_ms, double tau_syn_ms);

/// A membrane on its way from `above` to 0 over a time without arrivals, both counted from where its drive alone would
/// take it (v_inf): v(t) - v_inf = above e^(-t/tau_mem) + slope K(t). `slope` is i/C, the synaptic current of the start
/// over the capacitance; with slope 0, tau_syn is not looked at.
struct MembraneCourse {
  double tau_mem_ms;
  double tau_syn_ms;
  double above;
  double slope;

  double at(double t_ms) const;
  /// The only time > 0 at which the membrane may turn; kNoCrossing if it never does.
  double turning_point_ms() const;
};

/// The first t >= 0 with course.at(t) >= level, to rounding, or kNoCrossing. Closed forms without a synaptic current
/// and for tau_mem = 2 tau_syn, tau_syn = 2 tau_mem and tau_mem = tau_syn; else, and where those would cancel or
/// overflow, Newton's method in a bracket.
double first_crossing_ms(const MembraneCourse& course, double level);

/// The same by the bracket for every course.
double first_crossing_by_bracket_ms(const MembraneCourse& course, double level);

}  // namespace synfire::neurons
