#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/tensor.hpp"
#include "neurons/surrogate.hpp"

namespace synfire::neurons {

/// How a time constant becomes a decay factor per tick of dt.
enum class Decay : std::uint8_t {
  euler,  ///< 1 - dt/tau: SpikingJelly, Norse; needs tau >= dt
  exact   ///< exp(-dt/tau)
};

/// Whether a membrane that reaches the threshold exactly fires.
enum class FiresAt : std::uint8_t {
  threshold,       ///< h >= v_th: SpikingJelly, sinabs
  above_threshold  ///< h > v_th, which is h >= the next number of the Scalar: snnTorch, Norse, NIR
};

/// A leaky integrate-and-fire population as a user describes it.
struct LifConfig {
  double tau_mem_ms = 20.0;  ///< infinite: no leak, an integrate-and-fire neuron
  double v_th = 1.0;
  FiresAt fires_at = FiresAt::threshold;
  std::optional<double> v_reset = 0.0;  ///< hard reset to this value; none: soft reset, v_th is subtracted
  bool decay_input = true;              ///< the input is scaled by 1 - decay, as in SpikingJelly
  bool detach_reset = true;             ///< the reset is a constant for the gradient
  Decay decay = Decay::euler;
  bool learn_tau = false;  ///< one time constant for the layer, which starts at tau_mem_ms: neurons/parametric_lif.hpp
  Surrogate surrogate{};
};

/// The same per tick, as the kernels use it.
struct LifParams {
  double decay = 0.5;  ///< factor of (v - v_rest) per tick
  double gain = 0.5;   ///< factor of the input: 1 - decay if decay_input, else 1
  double v_th = 1.0;
  FiresAt fires_at = FiresAt::threshold;
  double v_reset = 0.0;  ///< also the resting level of a hard-reset neuron; 0 with a soft reset
  bool hard_reset = true;
  bool detach_reset = true;
  Surrogate surrogate{};
};

/// \throws ShapeError never; ConfigError (without a file) if tau, dt or the threshold make no sense
LifParams lif_params(const LifConfig& config, double dt_ms);

/// An affine map per channel that stands before the neuron, x = scale[c] y + shift[c]: a batch norm whose statistics
/// are known (synapses/batch_norm.hpp), a bias, or nothing (both empty). Applied on the fly, so that the normalised
/// current is never stored.
template <class Scalar>
struct ChannelAffine {
  View<const Scalar> scale;  ///< [C] or empty
  View<const Scalar> shift;  ///< [C] or empty; empty together with scale
};

/// Gradients of a loss with respect to the two rows of a ChannelAffine, summed over all other axes.
template <class Scalar>
struct ChannelAffineGrad {
  View<Scalar> scale;  ///< [C] or empty
  View<Scalar> shift;  ///< [C] or empty
};

/// Runs N leaky integrate-and-fire neurons over T ticks, from v = v_reset (hard) or 0 (soft):
///
///     x[t] = scale[c] y[t] + shift[c]
///     h[t] = v_r + decay (v[t-1] - v_r) + gain x[t]    charge
///     s[t] = 1 if h[t] >= v_th else 0                  fire; with FiresAt::above_threshold, if h[t] > v_th
///     v[t] = v_reset if s[t] else h[t]   (hard)        reset
///     v[t] = h[t] - v_th s[t]            (soft)
///
/// with the rounding of neurons/lif_step.hpp. See [Fang2023] and docs/numerics.md. With `Spike` = std::uint8_t the
/// spike is the Heaviside step; with `Spike` = `Scalar` it is the surrogate's primitive g(h - v_th) and v[t] = s
/// v_reset + (1 - s) h: the smooth twin of the same code, for finite differences.
///
/// \param y        [T, ..., C] input current
/// \param spikes   [T, ..., C] out
/// \param changed  out: how many v[t] of all ticks but the first are another number than v[t-1]; null: not counted.
///                 Host memory only
/// \throws ShapeError if shapes differ; BackendError if the device is not part of this build. Empty input is fine.
template <class Scalar, class Spike>
void lif_forward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params, View<Spike> spikes,
                 std::uint64_t* changed = nullptr);

/// Back-propagation through time of `lif_forward`. Keeps nothing from it but y: h is computed again, tick by tick,
/// by the same operations, so the same spikes. With lam = dL/dh, e = dL/ds, lam[T] = 0:
///
///     d[t]   = decay lam[t+1]
///     lam[t] = d (1 - s) + sg (e + [not detach] d (v_reset - h))    (hard)
///     lam[t] = d + sg (e - [not detach] v_th d)                     (soft)
///     dL/dx[t] = gain lam[t]
///
/// \param grad_spikes  [T, ..., C] e; may be the same memory as grad_x
/// \param grad_x       [T, ..., C] out: dL/dx, the gradient behind the affine map (dL/dy = scale dL/dx)
/// \param affine_grad  [C] out: sum of dL/dx y and of dL/dx in a fixed order: over a few ticks of a neuron in Scalar,
///                     over the rest in double; empty views if not wanted
/// \param grad_constants  [2] out: dL/d decay = sum of lam (v[t-1] - v_r) and dL/d gain = sum of lam x over everything,
///                     summed likewise; empty if not wanted
/// \param scratch      lif_scratch_bytes(C) bytes on the same device; no other memory is allocated
template <class Scalar, class Spike>
void lif_backward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                  View<const Scalar> grad_spikes, View<Scalar> grad_x, const ChannelAffineGrad<Scalar>& affine_grad,
                  View<double> grad_constants, std::span<std::byte> scratch);

/// Bytes of scratch that lif_backward needs to sum the gradients of C channels.
std::size_t lif_scratch_bytes(std::ptrdiff_t num_channels);

}  // namespace synfire::neurons
