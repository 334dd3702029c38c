#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "neurons/lif_step.hpp"

/// One tick of a tile of neighbouring neurons: the inner loops of lif_cpu.cpp, written so that they become vector code.
namespace synfire::neurons::cpu {

constexpr std::ptrdiff_t kMaxTileWidth = 512;

/// The affine map of each neuron of a tile.
template <class Scalar>
struct AffineRow {
  alignas(64) Scalar scale[kMaxTileWidth];
  alignas(64) Scalar shift[kMaxTileWidth];
  std::ptrdiff_t first_channel = -1;

  void move_to(std::ptrdiff_t first_neuron, std::ptrdiff_t width, std::ptrdiff_t num_channels,
               const ChannelAffine<Scalar>& affine) {
    std::ptrdiff_t channel = first_neuron % num_channels;
    if (channel == first_channel) return;
    first_channel = channel;
    if (affine.scale.empty()) {
      std::fill_n(scale, width, Scalar(1));
      std::fill_n(shift, width, Scalar(0));
      return;
    }
    for (std::ptrdiff_t i = 0; i < width; channel = 0) {
      const std::ptrdiff_t run = std::min(width - i, num_channels - channel);
      std::copy_n(affine.scale.data + channel, run, scale + i);
      std::copy_n(affine.shift.data + channel, run, shift + i);
      i += run;
    }
  }
};

/// kCount sums per neuron of a tile: over a few ticks in Scalar, over more of them and over the tiles of a chunk in
/// double, for as long as tiles begin at the same channel.
template <class Scalar, int kCount>
struct SumRows {
  alignas(64) Scalar short_sum[kCount][kMaxTileWidth] = {};
  alignas(64) double sum[kCount][kMaxTileWidth] = {};
  std::ptrdiff_t first_channel = 0;

  void move_to(std::ptrdiff_t first_neuron, std::ptrdiff_t width, std::ptrdiff_t num_channels, double* totals) {
    const std::ptrdiff_t channel = first_neuron % num_channels;
    if (channel == first_channel) return;
    add_to(totals, width, num_channels);
    first_channel = channel;
  }
  void end_short_sums(std::ptrdiff_t width) {
    for (int k = 0; k < kCount; ++k) {
      for (std::ptrdiff_t i = 0; i < width; ++i) sum[k][i] += static_cast<double>(short_sum[k][i]);
      std::fill_n(short_sum[k], width, Scalar(0));
    }
  }
  /// Adds sum k of channel c to totals[k C + c], and starts again at zero. With one "channel" everything adds up.
  void add_to(double* totals, std::ptrdiff_t width, std::ptrdiff_t num_channels) {
    for (int k = 0; k < kCount; ++k) {
      double* const of_channel = totals + k * num_channels;
      std::ptrdiff_t channel = first_channel;
      for (std::ptrdiff_t i = 0; i < width; channel = 0) {
        const std::ptrdiff_t run = std::min(width - i, num_channels - channel);
        for (std::ptrdiff_t j = 0; j < run; ++j) of_channel[channel + j] += sum[k][i + j];
        i += run;
      }
      std::fill_n(sum[k], width, 0.0);
    }
  }
};

/// Asks for a row of a later tick: it lies in other pages, where the processor's own prefetcher does not follow.
template <class Scalar>
void prefetch_row(const Scalar* row, std::ptrdiff_t width) {
  constexpr std::ptrdiff_t kLine = 64 / sizeof(Scalar);
  for (std::ptrdiff_t i = 0; i < width; i += kLine) __builtin_prefetch(row + i);
}

/// \returns  how many of v are another number than before, or 0 if they are not counted
template <bool kCountsChanges, class Rule, class Scalar, class Spike>
std::ptrdiff_t forward_row(const LifConstants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict y,
                           const Scalar* __restrict scale, const Scalar* __restrict shift, Scalar* __restrict v,
                           Spike* __restrict spikes) {
  const LifStep<Rule, Scalar> step{constants};
  std::conditional_t<sizeof(Scalar) == 4, std::int32_t, std::int64_t> changed = 0;  // as wide as a Scalar: vector code
  for (std::ptrdiff_t i = 0; i < width; ++i) {
    const Scalar h = step.charge(v[i], step.current(y[i], scale[i], shift[i]));
    const Scalar s = step.spike(h);
    const Scalar after = step.reset(h, s);
    if constexpr (kCountsChanges) changed += after != v[i] ? 1 : 0;
    v[i] = after;
    spikes[i] = static_cast<Spike>(s);
  }
  return changed;
}

/// The same without spikes out, but with h.
template <class Rule, class Scalar>
void replay_row(const LifConstants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict y,
                const Scalar* __restrict scale, const Scalar* __restrict shift, Scalar* __restrict v,
                Scalar* __restrict h) {
  const LifStep<Rule, Scalar> step{constants};
  for (std::ptrdiff_t i = 0; i < width; ++i) {
    h[i] = step.charge(v[i], step.current(y[i], scale[i], shift[i]));
    v[i] = step.reset(h[i], step.spike(h[i]));
  }
}

/// lam of tick t from lam of tick t + 1.
template <class Rule, class Scalar>
void lambda_row(const LifConstants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict h,
                const Scalar* __restrict grad_spikes, Scalar* __restrict lambda) {
  const LifStep<Rule, Scalar> step{constants};
  for (std::ptrdiff_t i = 0; i < width; ++i) {
    lambda[i] = step.lambda(h[i], grad_spikes[i], constants.decay * lambda[i]);
  }
}

/// v, from h of the same tick.
template <class Rule, class Scalar>
void membrane_row(const LifConstants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict h,
                  Scalar* __restrict v) {
  const LifStep<Rule, Scalar> step{constants};
  for (std::ptrdiff_t i = 0; i < width; ++i) v[i] = step.reset(h[i], step.spike(h[i]));
}

template <class Scalar>
void current_row(std::ptrdiff_t width, const Scalar* __restrict y, const Scalar* __restrict scale,
                 const Scalar* __restrict shift, Scalar* __restrict x) {
  for (std::ptrdiff_t i = 0; i < width; ++i) x[i] = std::fma(scale[i], y[i], shift[i]);
}

/// Adds what a tick gives to dL/d decay and dL/d gain, from v of the tick before.
template <class Scalar>
void sum_constants_row(Scalar v_reset, std::ptrdiff_t width, const Scalar* __restrict v, const Scalar* __restrict x,
                       const Scalar* __restrict lambda, Scalar* __restrict sum_decay, Scalar* __restrict sum_gain) {
  for (std::ptrdiff_t i = 0; i < width; ++i) {
    sum_decay[i] = std::fma(lambda[i], v[i] - v_reset, sum_decay[i]);
    sum_gain[i] = std::fma(lambda[i], x[i], sum_gain[i]);
  }
}

template <class Scalar>
void write_row(Scalar gain, std::ptrdiff_t width, const Scalar* __restrict lambda, Scalar* __restrict grad_x) {
  for (std::ptrdiff_t i = 0; i < width; ++i) grad_x[i] = gain * lambda[i];
}

template <class Scalar>
void write_and_sum_row(Scalar gain, std::ptrdiff_t width, const Scalar* __restrict lambda, const Scalar* __restrict y,
                       Scalar* __restrict grad_x, Scalar* __restrict sum_scale, Scalar* __restrict sum_shift) {
  for (std::ptrdiff_t i = 0; i < width; ++i) {
    grad_x[i] = gain * lambda[i];
    sum_scale[i] = std::fma(grad_x[i], y[i], sum_scale[i]);
    sum_shift[i] += grad_x[i];
  }
}

}  // namespace synfire::neurons::cpu
