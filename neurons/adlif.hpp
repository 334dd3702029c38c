#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor.hpp"
#include "neurons/lif.hpp"

namespace synfire::neurons {

template <class Scalar>
struct RowModel;

/// Which membrane and spike the adaptation of a tick sees.
enum class Integration : std::uint8_t {
  symplectic,  ///< those of the same tick: stable for every alpha, beta and a
  forward      ///< those of the tick before: Euler's rule, which can diverge
};

/// An adaptive LIF population as a user describes it. Time constants lie between two bounds; where is learned.
struct AdlifConfig {
  double tau_mem_min_ms = 5.0;
  double tau_mem_max_ms = 25.0;
  double tau_adapt_min_ms = 60.0;
  double tau_adapt_max_ms = 300.0;
  double adaptation = 120.0;  ///< q, the scale of the adaptation
  double v_th = 1.0;
  FiresAt fires_at = FiresAt::threshold;
  bool detach_reset = true;
  Integration integration = Integration::symplectic;
  Surrogate surrogate{SurrogateKind::exponential, 5.0};
};

/// \throws ConfigError (without a file) if a setting makes no sense for ticks of dt
void check_adlif(const AdlifConfig& config, double dt_ms);

/// What every channel has of its own, [C] each.
template <class Scalar>
struct AdlifParameters {
  View<const Scalar> alpha;  ///< factor of the membrane per tick
  View<const Scalar> beta;   ///< of the adaptation
  View<const Scalar> a;      ///< how the adaptation follows the membrane
  View<const Scalar> b;      ///< by how much a spike raises it
};

template <class Scalar>
struct AdlifGradients {
  View<Scalar> alpha, beta, a, b;
};

/// Adaptive LIF neurons over T ticks, from u = w = 0 [Baronig2025]:
///
///     h[t] = alpha u[t-1] + (1 - alpha) (x[t] - w[t-1])
///     s[t] = 1 if h[t] >= v_th else 0,    u[t] = (1 - s[t]) h[t]
///     w[t] = beta w[t-1] + (1 - beta) q (a u[t] + b s[t])           symplectic
///     w[t] = beta w[t-1] + (1 - beta) q (a u[t-1] + b s[t-1])       forward
///
/// \param x       [T, ..., C] input current
/// \param spikes  [T, ..., C] out; Spike as in lif_forward
/// \throws ShapeError if shapes differ; BackendError on a GPU. Empty input is fine.
template <class Scalar, class Spike>
void adlif_forward(View<const Scalar> x, const AdlifParameters<Scalar>& parameters, const AdlifConfig& config,
                   View<Spike> spikes);

/// With L = dL/dh, W = dL/dw, e = dL/ds, and W' = W[t] (symplectic) or W[t+1] (forward):
///
///     W[t] = beta W[t+1] - (1 - alpha) L[t+1]
///     U    = alpha L[t+1] + (1 - beta) q a W'
///     L[t] = (1 - s) U + sg (e + (1 - beta) q b W' - [not detach] h U)
///     dL/dx = (1 - alpha) L
///     dL/da = sum (1 - beta) q u W',    dL/dalpha = sum L (u[t-1] - x + w[t-1])
///     dL/db = sum (1 - beta) q s W',    dL/dbeta  = sum W w[t-1] - W' q (a u + b s)
///
/// The spike in the adaptation is never detached. Keeps nothing from the forward pass but x.
/// \param grad_spikes  may be the same memory as grad_x
/// \param scratch      adlif_scratch_bytes(C)
template <class Scalar, class Spike>
void adlif_backward(View<const Scalar> x, const AdlifParameters<Scalar>& parameters, const AdlifConfig& config,
                    View<const Scalar> grad_spikes, View<Scalar> grad_x, const AdlifGradients<Scalar>& gradients,
                    std::span<std::byte> scratch);

std::size_t adlif_scratch_bytes(std::ptrdiff_t num_channels);

/// The same equations for the loops over time of other rooms.
/// \param smooth  spikes are the surrogate's primitive
template <class Scalar>
RowModel<Scalar> adlif_rows(const AdlifParameters<Scalar>& parameters, const AdlifConfig& config, bool smooth);

}  // namespace synfire::neurons
