#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/parallel.hpp"
#include "synapses/mixers/head_sums.hpp"
#include "synapses/mixers/swla.hpp"

/// How both passes of spiking window linear attention go over windows and heads. Private to the room: not installed.
namespace synfire::synapses {

inline constexpr int kSwlaChunks = 32;

/// Share of spikes from which multiplying is faster than adding a row for each; bench/attention.cpp.
inline constexpr double kDenseSpikesFrom = 0.3;
/// A sum of fewer tokens than this is not worth the dense part that feature `shift` has besides the spikes.
inline constexpr std::ptrdiff_t kSparseTokens = 8;

/// One head in one window of one sample.
struct SwlaTask {
  std::ptrdiff_t b, in_space, in_time;
  int head;
};

template <class Scalar>
struct SwlaPass {
  const MixerInput<Scalar>& in;
  const MixerConfig& config;
  const RopeTable<Scalar>& rope;
  TokenGrid grid;
  Windows windows;

  SwlaPass(const MixerInput<Scalar>& input, const MixerConfig& mixer, const RopeTable<Scalar>& table,
           std::int64_t first_tick = 0)
      : in(input), config(mixer), rope(table), grid(input.q.shape), windows(grid, mixer, first_tick) {}

  Scalar gamma(int head) const {
    return config.decay == MixerDecay::none ? Scalar(1) : static_cast<Scalar>(1.0 - std::exp2(-3.0 - head));
  }
  bool divides_by_sum() const { return config.kind != MixerKind::ssa && config.norm == MixerNorm::sum; }
  /// What the sum over n tokens is divided by.
  Scalar denominator(Scalar dot, Scalar n) const {
    const auto d = static_cast<double>(grid.channels / config.heads);
    if (config.kind == MixerKind::ssa) return static_cast<Scalar>(1.0 / config.scale_of(d));
    if (config.kind == MixerKind::linear) return dot + static_cast<Scalar>(config.eps);
    if (config.norm == MixerNorm::sum) return dot + static_cast<Scalar>(config.eps) * n;
    return static_cast<Scalar>(std::exp2(std::round(std::log2(static_cast<double>(n) * d / 16.0))));
  }

  /// Tokens that are summed together: the window, or a tick of it.
  std::ptrdiff_t num_sums(const TokenBox& box) const { return config.causal ? box.extent(0) : 1; }
  TokenBox sum_box(const TokenBox& box, std::ptrdiff_t k) const {
    return config.causal ? box.tick(box.begin[0] + k) : box;
  }

  /// Whether the sums of a head are built spike by spike. Depends on nothing but the window.
  bool is_sparse(HeadSums<Scalar>& sums, const TokenBox& box) const {
    if (!in.q.is_spikes() || !in.k.is_spikes() || !rope.empty() || config.feature == MixerFeature::elu1) return false;
    if (config.feature == MixerFeature::shift && sum_box(box, 0).count() < kSparseTokens) return false;
    std::ptrdiff_t spikes = 0;
    sums.each_tile(box, [&] {
      for (std::ptrdiff_t i = 0; i < sums.count(); ++i) {
        for (const Signal<Scalar>* x : {&in.q, &in.k}) {
          spikes += count_nonzeros(x->spikes + sums.channel_index(i), sums.channels());
        }
      }
    });
    return static_cast<double>(spikes) < kDenseSpikesFrom * 2.0 * static_cast<double>(box.count() * sums.channels());
  }

  /// Calls `body(task, sums)` for every task; those of one window in time after the other if `in_order`.
  template <class Body>
  void each_task(std::byte* scratch, std::size_t bytes_per_chunk, bool in_order, const Body& body) const {
    const std::ptrdiff_t together = in_order ? windows.t.count() : 1;
    const std::ptrdiff_t count = grid.batch * windows.in_space() * windows.t.count() * config.heads / together;
    const auto run = [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      ScratchCursor cursor({scratch + static_cast<std::size_t>(chunk) * bytes_per_chunk, bytes_per_chunk});
      HeadSums<Scalar> sums(grid, config, rope);
      sums.take(cursor);
      for (std::ptrdiff_t i = begin * together; i < end * together; ++i) {
        SwlaTask task{};
        std::ptrdiff_t rest = i;
        if (in_order) {
          task.in_time = rest % together;
          rest /= together;
        }
        task.head = static_cast<int>(rest % config.heads);
        rest /= config.heads;
        task.in_space = rest % windows.in_space();
        rest /= windows.in_space();
        if (!in_order) {
          task.in_time = rest % windows.t.count();
          rest /= windows.t.count();
        }
        task.b = rest;
        body(task, sums);
      }
    };
    if (count > 0) parallel_chunks(count, static_cast<int>(std::min<std::ptrdiff_t>(kSwlaChunks, count)), run);
  }

  std::size_t chunk_bytes() const { return HeadSums<Scalar>::bytes(grid, config) + kCacheLine; }
};

}  // namespace synfire::synapses
