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
  std::ptrdiff_t reach;        ///< taps of the widest synapse
  std::ptrdiff_t width;        ///< the same in whole packs
  std::ptrdiff_t out_length;   ///< row of an output, a sample: what arrives too late still has its place
  std::ptrdiff_t together;     ///< samples whose rows are worked on at the same time
  std::ptrdiff_t chunks;       ///< of the batch
  std::ptrdiff_t lead;         ///< zeros before the first tick of an input in lanes
  std::ptrdiff_t in_lanes;     ///< ticks of an input in lanes, with the zeros on both sides
  std::ptrdiff_t out_lanes;    ///< of an output in lanes, with the zeros behind it
  std::ptrdiff_t lane_groups;  ///< of kLanes samples
  std::ptrdiff_t lane_chunks;  ///< of these groups
  std::ptrdiff_t most_rank;    ///< of a basis

  DelayLayout(const DelayConfig& config, std::ptrdiff_t taps, const Shape& x, std::ptrdiff_t outputs)
      : ticks(x[0]),
        out_ticks(x[0] + config.extra_ticks),
        batch(x[1]),
        in(x[2]),
        out(outputs),
        kernels(config.kernel_count),
        reach(taps),
        width(packs_for<Scalar>(taps) * kLanes<Scalar>),
        out_length(row_length_for<Scalar>(std::max(out_ticks, ticks + config.max_delay + width))),
        // Not by the row's whole length: scratch must not grow where taps become fewer.
        together(std::clamp<std::ptrdiff_t>(
            kTileBytes / (kTileNeurons * (ticks + config.max_delay) * static_cast<std::ptrdiff_t>(sizeof(Scalar))), 1,
            8)),
        chunks(std::min(kChunks, batch)),
        lead(config.max_delay + taps),
        in_lanes((lead + out_ticks) | 1),
        out_lanes((std::max(out_ticks, ticks + config.max_delay + taps)) | 1),
        lane_groups(packs_for<Scalar>(batch)),
        lane_chunks(std::min(kChunks, lane_groups)),
        most_rank(config.max_delay < SmoothBasis::kMostDelays ? reach / 2 : 0) {}

  TapTable<Scalar> table(TapOrder order) const {
    const bool by_input = order == TapOrder::by_input;
    return {order, in, out, kernels, by_input ? width : reach, by_input ? out_length : in_lanes};
  }
  /// The same synapses for a gradient in lanes.
  TapTable<Scalar> lane_table() const { return {TapOrder::by_input, in, out, kernels, reach, out_lanes}; }

  /// Forward by events, a chunk: events, rows of a tile of outputs.
  std::ptrdiff_t events() const { return together * in * ticks; }
  std::ptrdiff_t tile() const { return together * kTileNeurons * out_length; }
  /// Forward in lanes, a chunk: the input, a block of the output. Backward: the other way round.
  std::ptrdiff_t in_rows() const { return in * in_lanes * kLanes<Scalar>; }
  std::ptrdiff_t out_block() const { return out * kBlockTicks * kLanes<Scalar>; }
  std::ptrdiff_t out_rows() const { return out * out_lanes * kLanes<Scalar>; }
  std::ptrdiff_t in_block() const { return in * kBlockTicks * kLanes<Scalar>; }
  /// The functions of a basis and, a chunk, the signals of a tile.
  std::ptrdiff_t functions() const { return most_rank * SmoothBasis::kMostDelays; }
  std::ptrdiff_t signals() const { return kTileNeurons * most_rank * kBlockTicks * kLanes<Scalar>; }
  std::size_t basis_bytes() const {
    return scratch_bytes<double>(functions()) + scratch_bytes<Scalar>(functions()) +
           scratch_bytes<Scalar>(lane_chunks * signals());
  }
  /// Backward: rows of the output's gradient for all samples.
  std::ptrdiff_t grad_rows() const { return batch * out * out_length; }

  std::size_t event_forward_bytes() const {
    return table(TapOrder::by_input).bytes() + scratch_bytes<InputEvent<Scalar>>(chunks * events()) +
           scratch_bytes<std::int32_t>(chunks * in) + scratch_bytes<Scalar>(chunks * tile());
  }
  std::size_t lane_forward_bytes() const {
    return table(TapOrder::by_output).bytes() + scratch_bytes<Scalar>(lane_chunks * in_rows()) +
           scratch_bytes<Scalar>(lane_chunks * out_block()) + basis_bytes();
  }
  std::size_t input_gradient_bytes() const {
    return lane_table().bytes() + scratch_bytes<Scalar>(lane_chunks * out_rows()) +
           scratch_bytes<Scalar>(lane_chunks * in_block()) + basis_bytes();
  }
  std::size_t synapse_gradient_bytes(bool shared) const {
    const TapTable<Scalar> taps = table(TapOrder::by_input);
    return taps.bytes() + scratch_bytes<Scalar>(grad_rows()) + scratch_bytes<InputEvent<Scalar>>(events()) +
           scratch_bytes<std::int32_t>(in) + scratch_bytes<Scalar>(taps.tiles() * in * taps.slots() * width) +
           (shared ? 2 * scratch_bytes<double>(out * in * kernels) : 0);
  }
  std::size_t backward_bytes(bool shared) const {
    return std::max(input_gradient_bytes(), synapse_gradient_bytes(shared));
  }
};

/// Functions of the basis that stands for the taps of a layer in lanes; 0 if there is none: only where all bumps are
/// equally wide, and wide enough.
template <class Scalar>
std::ptrdiff_t lane_rank(const DelayConfig& config, const DelayParameters<Scalar>& p, const DelayLayout<Scalar>& l) {
  if (p.rounded || p.width.size() == 0 || l.most_rank == 0) return 0;
  const auto [narrowest, widest] = std::minmax_element(p.width.data, p.width.data + p.width.size());
  if (*narrowest != *widest) return 0;
  return SmoothBasis::rank_for(BumpShape(config, static_cast<double>(*widest), false));
}

/// A tap table for signals in lanes, in a basis if the layer's bumps are all equally wide, and wide enough.
template <class Scalar>
class LaneTaps {
 public:
  /// Takes its memory: `basis_bytes` and that of the table.
  LaneTaps(const DelayConfig& config, const DelayParameters<Scalar>& p, const DelayLayout<Scalar>& l,
           TapTable<Scalar> table, ScratchCursor& cursor)
      : layout_(l), table_(table) {
    table_.take(cursor);
    auto* const values = cursor.template take<double>(l.functions());
    auto* const functions = cursor.template take<Scalar>(l.functions());
    signals_ = cursor.template take<Scalar>(l.lane_chunks * l.signals());

    SmoothBasis basis;
    if (const std::ptrdiff_t rank = lane_rank(config, p, l); rank > 0) {
      basis = SmoothBasis::build(BumpShape(config, static_cast<double>(p.width[0]), false), rank, values);
      std::transform(values, values + rank * basis.delays, functions, [](double v) { return static_cast<Scalar>(v); });
      table_.width = rank;
    }
    basis_ = {basis.rank, basis.delays, functions, nullptr};
    build_taps(config, p, table_, basis);
  }

  /// Ticks at a time: the signals of a tile in a basis must stay in the first cache.
  std::ptrdiff_t block_ticks() const { return basis_.rank > 0 ? 8 : kBlockTicks; }

  /// See add_all_taps.
  template <bool kForward>
  void add(int chunk, const Scalar* rows, std::ptrdiff_t ticks, Scalar* to) const {
    BasisSignals<Scalar> basis = basis_;
    basis.signals = signals_ + chunk * layout_.signals();
    add_all_taps<kForward>(table_, layout_.reach, basis, rows, ticks, to);
  }

 private:
  const DelayLayout<Scalar>& layout_;
  TapTable<Scalar> table_;
  BasisSignals<Scalar> basis_;
  Scalar* signals_ = nullptr;
};

}  // namespace synfire::synapses
