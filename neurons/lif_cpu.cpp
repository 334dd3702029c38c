#include <algorithm>
#include <atomic>
#include <cmath>
#include <type_traits>

#include "core/parallel.hpp"
#include "neurons/lif_backend.hpp"
#include "neurons/lif_rows.hpp"
#include "neurons/lif_step.hpp"

/// A tile is a run of neighbouring neurons with all their ticks; one thread takes it through time with the state in
/// its cache, so that y is read once, and what is written is written once.
namespace synfire::neurons::cpu {

namespace {

// Neurons of a tile. Narrow tiles stay in the L1 cache, wide ones give the memory longer runs: bench/lif.cpp.
constexpr std::ptrdiff_t kForwardWidth = kMaxTileWidth;
constexpr std::ptrdiff_t kBackwardWidth = 256;
constexpr std::ptrdiff_t kMinWidth = 64;
constexpr std::ptrdiff_t kMinTiles = 64;
constexpr std::ptrdiff_t kMaxChunks = 64;
constexpr std::ptrdiff_t kShortSum = 16;   ///< ticks summed in Scalar before they are added in double
constexpr std::ptrdiff_t kTicksAhead = 2;  ///< a row is fetched this long before it is read
constexpr std::size_t kHistoryBytes = std::size_t{128} << 10U;  ///< h of a tile; on the stack, within the L2 cache

template <class Scalar>
constexpr std::ptrdiff_t kHistory = static_cast<std::ptrdiff_t>(kHistoryBytes / sizeof(Scalar));

/// Neurons per tile, at most `widest`. A multiple of C where possible: then all tiles begin at channel 0.
std::ptrdiff_t tile_width(std::ptrdiff_t num_neurons, std::ptrdiff_t num_channels, std::ptrdiff_t widest) {
  const std::ptrdiff_t shared = std::max(kMinWidth, num_neurons / kMinTiles);
  const std::ptrdiff_t width = std::min(widest, shared);
  if (num_channels == 0) return width;
  return num_channels <= width ? width / num_channels * num_channels : width;
}

/// How a tile is taken back through time: h is kept for one segment of ticks at once, and of the segments before it
/// only the membrane at their begin.
struct Segments {
  std::ptrdiff_t ticks;  ///< of a segment
  std::ptrdiff_t count;

  std::ptrdiff_t rows() const { return ticks + count; }
};

template <class Scalar>
Segments cut_time(std::ptrdiff_t num_ticks) {
  if (num_ticks < kHistory<Scalar> / kMinWidth) return {num_ticks, 1};
  const auto ticks = static_cast<std::ptrdiff_t>(std::ceil(std::sqrt(static_cast<double>(num_ticks))));
  return {ticks, (num_ticks + ticks - 1) / ticks};
}

/// The backward pass of one call; `run` takes one tile through it.
template <class Scalar>
class Backward {
 public:
  template <class Rule>
  Backward(Rule, const LifParams& params, View<const Scalar> y, View<const Scalar> grad_spikes, View<Scalar> grad_x)
      : replay_row_(&replay_row<Rule, Scalar>),
        membrane_row_(&membrane_row<Rule, Scalar>),
        lambda_row_(&lambda_row<Rule, Scalar>),
        constants_(params),
        segments_(cut_time<Scalar>(y.shape[0])),
        num_ticks_(y.shape[0]),
        num_neurons_(y.shape.size_from(1)),
        y_(y.data),
        grad_spikes_(grad_spikes.data),
        grad_x_(grad_x.data) {}

  std::ptrdiff_t widest_tile() const {
    return std::clamp<std::ptrdiff_t>(kHistory<Scalar> / segments_.rows(), 1, kBackwardWidth);
  }

  /// The sums may be null: dL/dscale and dL/dshift, dL/d decay and dL/d gain.
  void run(std::ptrdiff_t first, std::ptrdiff_t width, const AffineRow<Scalar>& affine, SumRows<Scalar, 2>* affine_sums,
           SumRows<Scalar, 2>* constant_sums) const {
    alignas(64) Scalar history[kHistory<Scalar>];
    alignas(64) Scalar v[kBackwardWidth];
    alignas(64) Scalar lambda[kBackwardWidth];
    Scalar* const checkpoints = history + segments_.ticks * width;
    const auto replay = [&](std::ptrdiff_t t, Scalar* h) {
      const Scalar* const y = y_ + t * num_neurons_ + first;
      if (t + kTicksAhead < num_ticks_) prefetch_row(y + kTicksAhead * num_neurons_, width);
      replay_row_(constants_, width, y, affine.scale, affine.shift, v, h);
    };

    std::fill_n(v, width, constants_.v_reset);
    for (std::ptrdiff_t segment = 0; segment + 1 < segments_.count; ++segment) {
      std::copy_n(v, width, checkpoints + segment * width);
      for (std::ptrdiff_t i = 0; i < segments_.ticks; ++i) replay(segment * segments_.ticks + i, history);
    }
    std::copy_n(v, width, checkpoints + (segments_.count - 1) * width);

    std::fill_n(lambda, width, Scalar(0));
    for (std::ptrdiff_t segment = segments_.count - 1; segment >= 0; --segment) {
      const std::ptrdiff_t begin = segment * segments_.ticks;
      const std::ptrdiff_t end = std::min(num_ticks_, begin + segments_.ticks);
      std::copy_n(checkpoints + segment * width, width, v);
      for (std::ptrdiff_t t = begin; t < end; ++t) replay(t, history + (t - begin) * width);
      for (std::ptrdiff_t t = end - 1; t >= begin; --t) {
        const Scalar* const h = history + (t - begin) * width;
        step_back(t, first, width, h, lambda, affine_sums);
        if (constant_sums == nullptr) continue;
        if (t == begin) {
          std::copy_n(checkpoints + segment * width, width, v);
        } else {
          membrane_row_(constants_, width, h - width, v);
        }
        sum_constants(t, first, width, affine, v, lambda, *constant_sums);
      }
    }
  }

 private:
  void step_back(std::ptrdiff_t t, std::ptrdiff_t first, std::ptrdiff_t width, const Scalar* h, Scalar* lambda,
                 SumRows<Scalar, 2>* sums) const {
    const std::ptrdiff_t at = t * num_neurons_ + first;
    if (t >= kTicksAhead) prefetch_row(grad_spikes_ + at - kTicksAhead * num_neurons_, width);
    lambda_row_(constants_, width, h, grad_spikes_ + at, lambda);
    if (sums == nullptr) {
      write_row(constants_.gain, width, lambda, grad_x_ + at);
      return;
    }
    write_and_sum_row(constants_.gain, width, lambda, y_ + at, grad_x_ + at, sums->short_sum[0], sums->short_sum[1]);
    if (t % kShortSum == 0) sums->end_short_sums(width);
  }

  void sum_constants(std::ptrdiff_t t, std::ptrdiff_t first, std::ptrdiff_t width, const AffineRow<Scalar>& affine,
                     const Scalar* v, const Scalar* lambda, SumRows<Scalar, 2>& sums) const {
    alignas(64) Scalar x[kBackwardWidth];
    current_row(width, y_ + t * num_neurons_ + first, affine.scale, affine.shift, x);
    sum_constants_row(constants_.v_reset, width, v, x, lambda, sums.short_sum[0], sums.short_sum[1]);
    if (t % kShortSum == 0) sums.end_short_sums(width);
  }

  decltype(&replay_row<LifRule<SurrogateKind::atan, false, true, true>, Scalar>) replay_row_;
  decltype(&membrane_row<LifRule<SurrogateKind::atan, false, true, true>, Scalar>) membrane_row_;
  decltype(&lambda_row<LifRule<SurrogateKind::atan, false, true, true>, Scalar>) lambda_row_;
  LifConstants<Scalar> constants_;
  Segments segments_;
  std::ptrdiff_t num_ticks_;
  std::ptrdiff_t num_neurons_;
  const Scalar* y_;
  const Scalar* grad_spikes_;
  Scalar* grad_x_;
};

}  // namespace

template <class Scalar, class Spike>
void lif_forward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params, View<Spike> spikes,
                 std::uint64_t* changed) {
  const std::ptrdiff_t num_ticks = y.shape[0];
  const std::ptrdiff_t num_neurons = y.shape.size_from(1);
  const std::ptrdiff_t num_channels = y.shape.channels();
  const std::ptrdiff_t width = tile_width(num_neurons, num_channels, kForwardWidth);
  const LifConstants<Scalar> constants(params);

  const auto run_row = with_lif_forward_rule<std::is_same_v<Spike, Scalar>>(params, [&](auto rule) {
    using Rule = decltype(rule);
    return changed != nullptr ? &forward_row<true, Rule, Scalar, Spike> : &forward_row<false, Rule, Scalar, Spike>;
  });
  std::atomic<std::ptrdiff_t> total_changed = 0;
  parallel_for((num_neurons + width - 1) / width, 1, [&](std::ptrdiff_t first_tile, std::ptrdiff_t last_tile) {
    AffineRow<Scalar> row;
    alignas(64) Scalar v[kForwardWidth];
    std::ptrdiff_t of_tiles = 0;
    for (std::ptrdiff_t tile = first_tile; tile < last_tile; ++tile) {
      const std::ptrdiff_t first = tile * width;
      const std::ptrdiff_t count = std::min(width, num_neurons - first);
      row.move_to(first, width, num_channels, affine);
      std::fill_n(v, count, constants.v_reset);
      for (std::ptrdiff_t t = 0; t < num_ticks; ++t) {
        const std::ptrdiff_t at = t * num_neurons + first;
        if (t + kTicksAhead < num_ticks) prefetch_row(y.data + at + kTicksAhead * num_neurons, count);
        const std::ptrdiff_t of_row = run_row(constants, count, y.data + at, row.scale, row.shift, v, spikes.data + at);
        if (t > 0) of_tiles += of_row;
      }
    }
    total_changed += of_tiles;
  });
  if (changed != nullptr) *changed = static_cast<std::uint64_t>(total_changed);
}

template <class Scalar, class Spike>
void lif_backward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                  View<const Scalar> grad_spikes, View<Scalar> grad_x, const ChannelAffineGrad<Scalar>& affine_grad,
                  View<double> grad_constants, std::span<std::byte> scratch) {
  const std::ptrdiff_t num_neurons = y.shape.size_from(1);
  const std::ptrdiff_t num_channels = y.shape.channels();
  const bool affine_wanted = !affine_grad.scale.empty() || !affine_grad.shift.empty();
  const bool constants_wanted = !grad_constants.empty();
  // [chunk, scale or shift, C], [chunk, decay or gain]
  auto* const partial_sums = reinterpret_cast<double*>(scratch.data());
  double* const constant_sums = partial_sums + 2 * num_channels * kMaxChunks;
  const auto backward = with_lif_rule<std::is_same_v<Spike, Scalar>>(
      params, [&](auto rule) { return Backward<Scalar>(rule, params, y, grad_spikes, grad_x); });
  const std::ptrdiff_t width = tile_width(num_neurons, num_channels, backward.widest_tile());
  const std::ptrdiff_t num_tiles = (num_neurons + width - 1) / width;
  const std::ptrdiff_t num_chunks = std::min(num_tiles, kMaxChunks);
  if (affine_wanted) std::fill_n(partial_sums, 2 * num_channels * num_chunks, 0.0);
  if (constants_wanted) std::fill_n(constant_sums, 2 * num_chunks, 0.0);

  const auto run_chunk = [&](int chunk, std::ptrdiff_t first_tile, std::ptrdiff_t last_tile) {
    AffineRow<Scalar> row;
    SumRows<Scalar, 2> sums, of_constants;
    double* const chunk_sums = partial_sums + 2 * num_channels * chunk;
    for (std::ptrdiff_t tile = first_tile; tile < last_tile; ++tile) {
      const std::ptrdiff_t first = tile * width;
      row.move_to(first, width, num_channels, affine);
      if (affine_wanted) sums.move_to(first, width, num_channels, chunk_sums);
      backward.run(first, std::min(width, num_neurons - first), row, affine_wanted ? &sums : nullptr,
                   constants_wanted ? &of_constants : nullptr);
    }
    if (affine_wanted) sums.add_to(chunk_sums, width, num_channels);
    if (constants_wanted) of_constants.add_to(constant_sums + 2 * chunk, width, 1);
  };
  parallel_chunks(num_tiles, static_cast<int>(num_chunks), run_chunk);

  const auto total = [&](const double* sums, std::ptrdiff_t columns, std::ptrdiff_t column) {
    double sum = 0.0;
    for (std::ptrdiff_t chunk = 0; chunk < num_chunks; ++chunk) sum += sums[columns * chunk + column];
    return sum;
  };
  const auto of_channel = [&](std::ptrdiff_t k) {
    return static_cast<Scalar>(total(partial_sums, 2 * num_channels, k));
  };
  for (std::ptrdiff_t c = 0; c < affine_grad.scale.size(); ++c) affine_grad.scale[c] = of_channel(c);
  for (std::ptrdiff_t c = 0; c < affine_grad.shift.size(); ++c) affine_grad.shift[c] = of_channel(num_channels + c);
  for (std::ptrdiff_t k = 0; k < grad_constants.size(); ++k) grad_constants[k] = total(constant_sums, 2, k);
}

template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<std::uint8_t>,
                          std::uint64_t*);
template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<float>,
                          std::uint64_t*);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<std::uint8_t>,
                          std::uint64_t*);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<double>,
                          std::uint64_t*);
template void lif_backward<float, std::uint8_t>(View<const float>, const ChannelAffine<float>&, const LifParams&,
                                                View<const float>, View<float>, const ChannelAffineGrad<float>&,
                                                View<double>, std::span<std::byte>);
template void lif_backward<float, float>(View<const float>, const ChannelAffine<float>&, const LifParams&,
                                         View<const float>, View<float>, const ChannelAffineGrad<float>&, View<double>,
                                         std::span<std::byte>);
template void lif_backward<double, std::uint8_t>(View<const double>, const ChannelAffine<double>&, const LifParams&,
                                                 View<const double>, View<double>, const ChannelAffineGrad<double>&,
                                                 View<double>, std::span<std::byte>);
template void lif_backward<double, double>(View<const double>, const ChannelAffine<double>&, const LifParams&,
                                           View<const double>, View<double>, const ChannelAffineGrad<double>&,
                                           View<double>, std::span<std::byte>);

}  // namespace synfire::neurons::cpu
