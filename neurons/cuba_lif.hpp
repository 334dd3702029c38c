#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor.hpp"
#include "neurons/lif.hpp"

namespace synfire::neurons {

template <class Scalar>
struct RowModel;

/// A LIF population whose input passes a synapse with a time constant of its own, as a user describes it.
struct CubaLifConfig {
  LifConfig membrane;
  double tau_syn_ms = 10.0;
};

struct CubaLifParams {
  LifParams membrane;
  double syn_decay = 0.5;  ///< factor of the synaptic current per tick
};

/// Both time constants become decays as membrane.decay says.
/// \throws ConfigError (without a file) if a setting makes no sense
CubaLifParams cuba_lif_params(const CubaLifConfig& config, double dt_ms);

/// Current-based LIF neurons over T ticks, from no current and the resting membrane:
///
///     i[t] = syn_decay i[t-1] + x[t]
///     h[t] = v_r + decay (v[t-1] - v_r) + gain i[t]
///
/// then fire and reset as lif_forward. With gain 1 it is CUBALIFNode of [Fang2023] for a reset to 0 or a soft one.
///
/// \param x       [T, ..., C] input current
/// \param spikes  [T, ..., C] out
/// \throws ShapeError if shapes differ; BackendError on a GPU. Empty input is fine.
template <class Scalar, class Spike>
void cuba_lif_forward(View<const Scalar> x, const CubaLifParams& params, View<Spike> spikes);

/// With lam = dL/dh as in lif_backward:
///
///     m[t] = gain lam[t] + syn_decay m[t+1],   dL/dx = m
///     dL/d syn_decay = sum of m i[t-1],   dL/d decay = sum of lam (v[t-1] - v_r),   dL/d gain = sum of lam i
///
/// Keeps nothing from the forward pass but x.
/// \param grad_spikes     may be the same memory as grad_x
/// \param grad_constants  [3] out: of syn_decay, decay and gain; empty if not wanted
/// \param scratch         cuba_lif_scratch_bytes()
template <class Scalar, class Spike>
void cuba_lif_backward(View<const Scalar> x, const CubaLifParams& params, View<const Scalar> grad_spikes,
                       View<Scalar> grad_x, std::span<double> grad_constants, std::span<std::byte> scratch);

std::size_t cuba_lif_scratch_bytes();

/// The same equations for the loops over time of other rooms. With syn_decay 0 it is a LIF neuron.
/// \param smooth  spikes are the surrogate's primitive
template <class Scalar>
RowModel<Scalar> cuba_lif_rows(const CubaLifParams& params, bool smooth);

}  // namespace synfire::neurons
