#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// What a synapse looks like over its delays while they are learned: a bump X around its centre, divided by its sum.
enum class DelayBump : std::uint8_t {
  gauss,    ///< X = exp(-(u/s)^2 / 2), s = |width| + 0.27
  triangle  ///< X = max(0, s - |u|), s = |width| + 1; at width 0 the linear interpolation between two ticks
};

/// Which synapses share a delay.
enum class DelayPer : std::uint8_t {
  synapse,  ///< none
  input,    ///< all from one neuron: axonal delays
  output    ///< all to one neuron: dendritic delays
};

struct DelayConfig {
  int kernel_count = 1;  ///< M: delays of one pair of neurons
  int max_delay = 24;    ///< in ticks; even
  int extra_ticks = 12;  ///< by which the output is longer than the input
  DelayBump bump = DelayBump::gauss;
  DelayPer per = DelayPer::synapse;

  /// A position is a distance from the middle of the range: delay = middle - position.
  int middle() const { return max_delay / 2; }
};

/// \param O, I  neurons; P and Q are O and I, or 1 where the delay is shared (DelayPer)
template <class Scalar>
struct DelayParameters {
  View<const Scalar> weight;    ///< [O, I, M]
  View<const Scalar> position;  ///< [P, Q, M] in [-max_delay/2, max_delay/2]: 0 is the middle, the largest is no delay
  View<const Scalar> width;     ///< [P, Q, M] in ticks
  View<const Scalar> mask;      ///< [O, I], 0 or 1: synapses that are there; empty: all
  bool rounded = false;         ///< one tap a synapse, at the nearest whole delay: the network that is deployed
};

template <class Scalar>
struct DelayGradients {
  View<Scalar> weight;
  View<Scalar> position;
  View<Scalar> width;  ///< empty if not wanted
};

/// A linear layer with a delay in every synapse ([Hammouamri2024], [KhalfaouiHassani2023]). With c = middle - position,
/// the delay of a synapse, and u_d = d - c over the delays d = 0 .. max_delay in whole ticks:
///
///     A_d = X(u_d) / (sum_d X(u_d) + 1e-7)
///     y[t, o] = sum_i sum_m sum_d w[o, i, m] A_d[o, i, m] x[t - d, i]        t = 0 .. T + extra_ticks - 1
///
/// Rounded, position becomes the nearest whole number, half to even, and A_d is 1 / (1 + 1e-7) at the one delay left.
///
/// A gauss ends where X has fallen to 1e-6: five or six taps at width 0.23, however long the longest delay. The work
/// is that of input spikes times taps in reach, or of ticks times taps where the input is dense.
///
/// \param x  [T, B, I] real values or spikes
/// \param y  [T + extra_ticks, B, O] out
/// \param scratch  delayed_linear_scratch_bytes(...) for delay_reach(...) or more; no other memory is allocated
template <class Scalar>
void delayed_linear_forward(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                            View<Scalar> y, std::span<std::byte> scratch);

/// With G_d[o, i] = sum_{t, b} dL/dy[t, b, o] x[t - d, b, i], m1 = sum A u, m2 = sum A u^2:
///
///     dL/dw = sum_d G_d A_d
///     dL/dposition = - w sum_d G_d A_d (u_d - m1) / s^2                        gauss
///     dL/dwidth    = sign(width) w sum_d G_d A_d (u_d^2 - m2) / s^3            gauss
///     dL/dposition = - w sum_d G_d (sign(u_d) - A_d sum sign(u)) / (sum X)     triangle, over |u| < s
///     dL/dwidth    = sign(width) w sum_d G_d (1 - A_d sum 1) / (sum X)         triangle, over |u| < s
///     dL/dx[t, i]  = sum_o sum_d w A_d dL/dy[t + d, o]
///
/// Keeps nothing from the forward pass but x. Rounded, positions and widths get the gradient 0. Overwrites its outputs.
/// \param grad_x  empty if not wanted
template <class Scalar>
void delayed_linear_backward(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                             View<const Scalar> grad_y, const DelayGradients<Scalar>& grads, View<Scalar> grad_x,
                             std::span<std::byte> scratch);

/// How delayed_linear_forward goes about an input.
struct DelayedLinearPath {
  bool by_events = false;    ///< every event adds its synapses' taps; else every tick adds every tap
  std::ptrdiff_t reach = 1;  ///< taps of the widest synapse
  std::ptrdiff_t rank = 0;   ///< not by events: functions that stand for the taps; 0: none do
};
/// \param x       shape of the input
/// \param events  its elements that are not zero
template <class Scalar>
DelayedLinearPath delayed_linear_path(const Shape& x, std::ptrdiff_t events, const DelayConfig& config,
                                      const DelayParameters<Scalar>& p, std::ptrdiff_t out);

/// The most taps that a synapse has in reach, for the widest of `p`.
template <class Scalar>
int delay_reach(const DelayConfig& config, const DelayParameters<Scalar>& p);

/// Bytes of scratch that either pass needs: a tap table of O I M reach numbers and a few rows for each worker.
template <class Scalar>
std::size_t delayed_linear_scratch_bytes(const DelayConfig& config, int reach, const Shape& x, std::ptrdiff_t out);

}  // namespace synfire::synapses
