#pragma once

#include <algorithm>
#include <cstddef>

#include "synapses/delay_rows.hpp"

/// Sizes in the scratch of a layer with delays. Private to the room: not installed.
namespace synfire::synapses {

template <class Scalar>
struct DelayLayout {
  /// Scratch that is used at the same time; more than the cores of a machine.
  static constexpr std::ptrdiff_t kChunks = 32;
  /// Rows of a tile that are worked on together take about this much of the first cache.
  static constexpr std::ptrdiff_t kTileBytes = 24 << 10;

  std::ptrdiff_t ticks, out_ticks, batch, in, out, kernels;
  std::ptrdiff_t reach;       ///< taps of the widest synapse
  std::ptrdiff_t width;       ///< the same in whole packs
  std::ptrdiff_t in_packs;    ///< packs of ticks of a row of the input
  std::ptrdiff_t out_packs;   ///< of the output
  std::ptrdiff_t lead;        ///< zeros before the first tick of an input row
  std::ptrdiff_t in_length;   ///< of an input row
  std::ptrdiff_t out_length;  ///< of an output row: what arrives too late still has its place
  std::ptrdiff_t together;    ///< samples that are worked on at the same time
  std::ptrdiff_t chunks;      ///< of the batch

  DelayLayout(const DelayConfig& config, std::ptrdiff_t taps, const Shape& x, std::ptrdiff_t outputs)
      : ticks(x[0]),
        out_ticks(x[0] + config.extra_ticks),
        batch(x[1]),
        in(x[2]),
        out(outputs),
        kernels(config.kernel_count),
        reach(taps),
        width(packs_for<Scalar>(taps) * kLanes<Scalar>),
        in_packs(packs_for<Scalar>(ticks)),
        out_packs(packs_for<Scalar>(out_ticks)),
        lead(config.max_delay + taps),
        in_length(row_length_for<Scalar>(lead + std::max(in_packs, out_packs) * kLanes<Scalar>)),
        out_length(row_length_for<Scalar>(
            std::max(out_packs * kLanes<Scalar>, in_packs * kLanes<Scalar> + config.max_delay + width))),
        together(std::clamp<std::ptrdiff_t>(
            kTileBytes / (kTileNeurons * out_length * static_cast<std::ptrdiff_t>(sizeof(Scalar))), 1, 8)),
        chunks(std::min(kChunks, batch)) {}

  TapTable<Scalar> table(TapOrder order) const {
    const bool by_input = order == TapOrder::by_input;
    return {order, in, out, kernels, by_input ? width : reach, by_input ? out_length : in_length};
  }

  /// Forward, a chunk: events and their counts, rows of a tile of outputs.
  std::ptrdiff_t events() const { return together * in * ticks; }
  std::ptrdiff_t tile() const { return together * kTileNeurons * out_length; }
  /// Forward where the input is dense, a chunk: rows of the input and of the output.
  std::ptrdiff_t in_rows() const { return in * in_length; }
  std::ptrdiff_t out_rows() const { return out * out_packs * kLanes<Scalar>; }
  /// Backward: rows of the output's gradient for all samples, and of the input's for each chunk.
  std::ptrdiff_t grad_rows() const { return batch * out * out_length; }
  std::ptrdiff_t grad_x_rows() const { return in * in_packs * kLanes<Scalar>; }

  std::size_t sparse_forward_bytes() const {
    return table(TapOrder::by_input).bytes() + scratch_bytes<InputEvent<Scalar>>(chunks * events()) +
           scratch_bytes<std::int32_t>(chunks * together * in) + scratch_bytes<Scalar>(chunks * tile());
  }
  std::size_t dense_forward_bytes() const {
    return table(TapOrder::by_output).bytes() + scratch_bytes<Scalar>(chunks * in_rows()) +
           scratch_bytes<Scalar>(chunks * out_rows());
  }
  std::size_t backward_bytes(bool shared) const {
    const TapTable<Scalar> taps = table(TapOrder::by_input);
    return taps.bytes() + scratch_bytes<Scalar>(grad_rows()) + scratch_bytes<Scalar>(chunks * grad_x_rows()) +
           scratch_bytes<InputEvent<Scalar>>(events()) + scratch_bytes<std::int32_t>(in) +
           scratch_bytes<Scalar>(taps.tiles() * in * taps.slots() * width) +
           (shared ? 2 * scratch_bytes<double>(out * in * kernels) : 0);
  }
};

}  // namespace synfire::synapses
