#include <algorithm>
#include <cassert>
#include <cmath>
#include <type_traits>

#include "core/parallel.hpp"
#include "neurons/lif_backend.hpp"
#include "neurons/lif_step.hpp"

/// A tile is a run of neighbouring neurons with all their ticks; one thread takes it through time with the state in
/// its cache, so that y is read once, and what is written is written once.
namespace synfire::neurons::cpu {

namespace {

constexpr std::ptrdiff_t kMaxWidth = 1024;  ///< neurons of a tile: a page of floats a tick
constexpr std::ptrdiff_t kMinWidth = 64;
constexpr std::ptrdiff_t kMinTiles = 64;
constexpr std::ptrdiff_t kMaxChunks = 64;
constexpr std::size_t kHistoryBytes = std::size_t{128} << 10U;  ///< h of a tile; on the stack, within the L2 cache

template <class Scalar>
constexpr std::ptrdiff_t kHistory = static_cast<std::ptrdiff_t>(kHistoryBytes / sizeof(Scalar));

/// Neurons per tile, at most `widest`. A multiple of C where possible: then all tiles begin at channel 0.
std::ptrdiff_t tile_width(std::ptrdiff_t num_neurons, std::ptrdiff_t num_channels, std::ptrdiff_t widest) {
  const std::ptrdiff_t shared = std::max(kMinWidth, num_neurons / kMinTiles);
  const std::ptrdiff_t width = std::min({kMaxWidth, widest, shared});
  return num_channels <= width ? width / num_channels * num_channels : width;
}

/// The affine map of each neuron of a tile.
template <class Scalar>
struct AffineRow {
  alignas(64) Scalar scale[kMaxWidth];
  alignas(64) Scalar shift[kMaxWidth];
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

/// Sums of dL/dx y and dL/dx over the ticks and tiles of a chunk, kept per neuron of the tile for as long as tiles
/// begin at the same channel.
struct GradRow {
  alignas(64) double scale[kMaxWidth] = {};
  alignas(64) double shift[kMaxWidth] = {};
  std::ptrdiff_t first_channel = 0;

  void move_to(std::ptrdiff_t first_neuron, std::ptrdiff_t width, std::ptrdiff_t num_channels, double* sums) {
    const std::ptrdiff_t channel = first_neuron % num_channels;
    if (channel == first_channel) return;
    add_to(sums, width, num_channels);
    first_channel = channel;
  }
  /// Adds to sums[0 .. C) for scale and sums[C .. 2 C) for shift, and starts again at zero.
  void add_to(double* sums, std::ptrdiff_t width, std::ptrdiff_t num_channels) {
    std::ptrdiff_t channel = first_channel;
    for (std::ptrdiff_t i = 0; i < width; channel = 0) {
      const std::ptrdiff_t run = std::min(width - i, num_channels - channel);
      for (std::ptrdiff_t j = 0; j < run; ++j) sums[channel + j] += scale[i + j];
      for (std::ptrdiff_t j = 0; j < run; ++j) sums[num_channels + channel + j] += shift[i + j];
      i += run;
    }
    std::fill_n(scale, width, 0.0);
    std::fill_n(shift, width, 0.0);
  }
};

template <class Rule, class Scalar, class Spike>
void forward_row(const LifConstants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict y,
                 const Scalar* __restrict scale, const Scalar* __restrict shift, Scalar* __restrict v,
                 Spike* __restrict spikes) {
  const LifStep<Rule, Scalar> step{constants};
  for (std::ptrdiff_t i = 0; i < width; ++i) {
    const Scalar h = step.charge(v[i], step.current(y[i], scale[i], shift[i]));
    const Scalar s = step.spike(h);
    v[i] = step.reset(h, s);
    spikes[i] = static_cast<Spike>(s);
  }
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

template <class Scalar>
void write_row(Scalar gain, std::ptrdiff_t width, const Scalar* __restrict lambda, Scalar* __restrict grad_x) {
  for (std::ptrdiff_t i = 0; i < width; ++i) grad_x[i] = gain * lambda[i];
}

template <class Scalar>
void sum_row(std::ptrdiff_t width, const Scalar* __restrict grad_x, const Scalar* __restrict y,
             double* __restrict sum_scale, double* __restrict sum_shift) {
  for (std::ptrdiff_t i = 0; i < width; ++i) {
    const double g = static_cast<double>(grad_x[i]);
    sum_scale[i] = std::fma(g, static_cast<double>(y[i]), sum_scale[i]);
    sum_shift[i] += g;
  }
}

/// The two rules of a backward pass, chosen once per call.
template <class Scalar>
struct BackwardRows {
  decltype(&replay_row<LifRule<SurrogateKind::atan, false, true, true>, Scalar>) replay = nullptr;
  decltype(&lambda_row<LifRule<SurrogateKind::atan, false, true, true>, Scalar>) lambda = nullptr;
};

/// How a tile of T ticks is taken back through time. h is kept for one segment of ticks at once; of the segments before
/// it only the membrane at their begin.
struct Segments {
  std::ptrdiff_t ticks = 0;  ///< of a segment
  std::ptrdiff_t count = 0;
  std::ptrdiff_t rows() const { return ticks + count; }
};

template <class Scalar>
Segments cut_time(std::ptrdiff_t num_ticks) {
  if (num_ticks < kHistory<Scalar> / kMinWidth) return {num_ticks, 1};
  const auto ticks = static_cast<std::ptrdiff_t>(std::ceil(std::sqrt(static_cast<double>(num_ticks))));
  return {ticks, (num_ticks + ticks - 1) / ticks};
}

}  // namespace

template <class Scalar, class Spike>
void lif_forward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                 View<Spike> spikes) {
  const std::ptrdiff_t num_ticks = y.shape[0];
  const std::ptrdiff_t num_neurons = y.shape.size_from(1);
  const std::ptrdiff_t num_channels = y.shape.channels();
  const std::ptrdiff_t width = tile_width(num_neurons, num_channels, kMaxWidth);
  const LifConstants<Scalar> constants(params);

  with_lif_forward_rule<std::is_same_v<Spike, Scalar>>(params, [&](auto rule) {
    parallel_for((num_neurons + width - 1) / width, 1, [&](std::ptrdiff_t first_tile, std::ptrdiff_t last_tile) {
      AffineRow<Scalar> row;
      alignas(64) Scalar v[kMaxWidth];
      for (std::ptrdiff_t tile = first_tile; tile < last_tile; ++tile) {
        const std::ptrdiff_t first = tile * width;
        const std::ptrdiff_t count = std::min(width, num_neurons - first);
        row.move_to(first, width, num_channels, affine);
        std::fill_n(v, count, constants.v_reset);
        for (std::ptrdiff_t t = 0; t < num_ticks; ++t) {
          const std::ptrdiff_t at = t * num_neurons + first;
          forward_row<decltype(rule)>(constants, count, y.data + at, row.scale, row.shift, v, spikes.data + at);
        }
      }
    });
  });
}

template <class Scalar, class Spike>
void lif_backward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                  View<const Scalar> grad_spikes, View<Scalar> grad_x, const ChannelAffineGrad<Scalar>& affine_grad,
                  std::span<std::byte> scratch) {
  const std::ptrdiff_t num_ticks = y.shape[0];
  const std::ptrdiff_t num_neurons = y.shape.size_from(1);
  const std::ptrdiff_t num_channels = y.shape.channels();
  const Segments segments = cut_time<Scalar>(num_ticks);
  const std::ptrdiff_t width =
      tile_width(num_neurons, num_channels, kHistory<Scalar> / std::max<std::ptrdiff_t>(1, segments.rows()));
  const std::ptrdiff_t num_tiles = (num_neurons + width - 1) / width;
  const int num_chunks = static_cast<int>(std::min(num_tiles, kMaxChunks));
  const bool sums_wanted = !affine_grad.scale.empty() || !affine_grad.shift.empty();
  const LifConstants<Scalar> constants(params);
  BackwardRows<Scalar> rows;
  with_lif_rule<std::is_same_v<Spike, Scalar>>(params, [&](auto rule) {
    rows = {&replay_row<decltype(rule), Scalar>, &lambda_row<decltype(rule), Scalar>};
  });
  auto* const partial_sums = reinterpret_cast<double*>(scratch.data());
  if (sums_wanted) std::fill_n(partial_sums, 2 * num_channels * num_chunks, 0.0);

  const auto run_tile = [&](std::ptrdiff_t first, std::ptrdiff_t count, const AffineRow<Scalar>& affine_row,
                            GradRow& sums) {
    alignas(64) Scalar history[kHistory<Scalar>];
    alignas(64) Scalar v[kMaxWidth];
    alignas(64) Scalar lambda[kMaxWidth];
    Scalar* const checkpoints = history + segments.ticks * width;
    const auto replay = [&](std::ptrdiff_t t, Scalar* h) {
      rows.replay(constants, count, y.data + t * num_neurons + first, affine_row.scale, affine_row.shift, v, h);
    };
    std::fill_n(v, count, constants.v_reset);
    for (std::ptrdiff_t segment = 0; segment < segments.count; ++segment) {
      std::copy_n(v, count, checkpoints + segment * width);
      if (segment + 1 == segments.count) break;
      for (std::ptrdiff_t i = 0; i < segments.ticks; ++i) replay(segment * segments.ticks + i, history);
    }
    std::fill_n(lambda, count, Scalar(0));
    for (std::ptrdiff_t segment = segments.count - 1; segment >= 0; --segment) {
      const std::ptrdiff_t begin = segment * segments.ticks;
      const std::ptrdiff_t end = std::min(num_ticks, begin + segments.ticks);
      std::copy_n(checkpoints + segment * width, count, v);
      for (std::ptrdiff_t t = begin; t < end; ++t) replay(t, history + (t - begin) * width);
      for (std::ptrdiff_t t = end - 1; t >= begin; --t) {
        const std::ptrdiff_t at = t * num_neurons + first;
        rows.lambda(constants, count, history + (t - begin) * width, grad_spikes.data + at, lambda);
        write_row(constants.gain, count, lambda, grad_x.data + at);
        if (sums_wanted) sum_row(count, grad_x.data + at, y.data + at, sums.scale, sums.shift);
      }
    }
  };

  parallel_chunks(num_tiles, num_chunks, [&](int chunk, std::ptrdiff_t first_tile, std::ptrdiff_t last_tile) {
    AffineRow<Scalar> affine_row;
    GradRow sums;
    double* const chunk_sums = partial_sums + 2 * num_channels * chunk;
    for (std::ptrdiff_t tile = first_tile; tile < last_tile; ++tile) {
      const std::ptrdiff_t first = tile * width;
      affine_row.move_to(first, width, num_channels, affine);
      if (sums_wanted) sums.move_to(first, width, num_channels, chunk_sums);
      run_tile(first, std::min(width, num_neurons - first), affine_row, sums);
    }
    if (sums_wanted) sums.add_to(chunk_sums, width, num_channels);
  });

  for (std::ptrdiff_t c = 0; sums_wanted && c < num_channels; ++c) {
    double sum_scale = 0.0;
    double sum_shift = 0.0;
    for (std::ptrdiff_t chunk = 0; chunk < num_chunks; ++chunk) {
      sum_scale += partial_sums[2 * num_channels * chunk + c];
      sum_shift += partial_sums[2 * num_channels * chunk + num_channels + c];
    }
    if (!affine_grad.scale.empty()) affine_grad.scale[c] = static_cast<Scalar>(sum_scale);
    if (!affine_grad.shift.empty()) affine_grad.shift[c] = static_cast<Scalar>(sum_shift);
  }
}

template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<std::uint8_t>);
template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<float>);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<std::uint8_t>);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<double>);
template void lif_backward<float, std::uint8_t>(View<const float>, const ChannelAffine<float>&, const LifParams&,
                                                View<const float>, View<float>, const ChannelAffineGrad<float>&,
                                                std::span<std::byte>);
template void lif_backward<float, float>(View<const float>, const ChannelAffine<float>&, const LifParams&,
                                         View<const float>, View<float>, const ChannelAffineGrad<float>&,
                                         std::span<std::byte>);
template void lif_backward<double, std::uint8_t>(View<const double>, const ChannelAffine<double>&, const LifParams&,
                                                 View<const double>, View<double>, const ChannelAffineGrad<double>&,
                                                 std::span<std::byte>);
template void lif_backward<double, double>(View<const double>, const ChannelAffine<double>&, const LifParams&,
                                           View<const double>, View<double>, const ChannelAffineGrad<double>&,
                                           std::span<std::byte>);

}  // namespace synfire::neurons::cpu
