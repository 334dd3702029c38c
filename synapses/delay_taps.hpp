#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/parallel.hpp"
#include "synapses/delay_basis.hpp"
#include "synapses/scratch.hpp"

/// All taps of a layer, in the order in which a pass meets them. Not installed; network/ shares it for feedback and
/// counting.
namespace synfire::synapses {

/// Neurons whose rows stay in the first cache while the synapses to or from them are worked through.
inline constexpr std::ptrdiff_t kTileNeurons = 16;

enum class TapOrder : std::uint8_t {
  by_input,  ///< for a tile of outputs and each input: the synapses from that input to the tile
  by_output  ///< for a tile of inputs and each output: the synapses from the tile to that output
};

/// Which shared position a synapse has.
inline std::ptrdiff_t shared_index(const DelayConfig& config, std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t m,
                                   std::ptrdiff_t in) {
  const std::ptrdiff_t row = config.per == DelayPer::input ? 0 : o;
  const std::ptrdiff_t column = config.per == DelayPer::output ? 0 : i;
  return (row * (config.per == DelayPer::output ? 1 : in) + column) * config.kernel_count + m;
}

/// For each tile and each neuron on the other side, a list of synapses: where their taps begin in the rows of the tile
/// (a row for each neuron, its ticks one after the other), and the taps, padded with zeros to `width`.
template <class Scalar>
struct TapTable {
  TapOrder order;
  std::ptrdiff_t in, out, kernels;
  std::ptrdiff_t width;            ///< numbers a synapse
  std::ptrdiff_t row_length;       ///< of the rows of a tile
  std::uint16_t* count = nullptr;  ///< [tiles, others] synapses in a list
  std::int32_t* offset = nullptr;  ///< [tiles, others, slots]
  Scalar* taps = nullptr;          ///< [tiles, others, slots, width], ascending delay

  std::ptrdiff_t tiled() const { return order == TapOrder::by_input ? out : in; }
  std::ptrdiff_t others() const { return order == TapOrder::by_input ? in : out; }
  std::ptrdiff_t tiles() const { return (tiled() + kTileNeurons - 1) / kTileNeurons; }
  std::ptrdiff_t slots() const { return kTileNeurons * kernels; }
  std::ptrdiff_t list(std::ptrdiff_t tile, std::ptrdiff_t other) const { return tile * others() + other; }
  std::ptrdiff_t tile_size(std::ptrdiff_t tile) const { return std::min(kTileNeurons, tiled() - tile * kTileNeurons); }

  std::size_t bytes() const {
    const std::ptrdiff_t lists = tiles() * others();
    return scratch_bytes<std::uint16_t>(lists) + scratch_bytes<std::int32_t>(lists * slots()) +
           scratch_bytes<Scalar>(lists * slots() * width);
  }
  void take(ScratchCursor& cursor) {
    const std::ptrdiff_t lists = tiles() * others();
    count = cursor.take<std::uint16_t>(lists);
    offset = cursor.take<std::int32_t>(lists * slots());
    taps = cursor.take<Scalar>(lists * slots() * width);
  }
};

/// Remembers the last shape: most layers have one width for all.
class ShapeCache {
 public:
  ShapeCache(const DelayConfig& config, bool rounded) : config_(config), rounded_(rounded) {}
  const BumpShape& of(double width) {
    if (!shape_ || width != width_) shape_.emplace(config_, width, rounded_);
    width_ = width;
    return *shape_;
  }

 private:
  const DelayConfig& config_;
  bool rounded_;
  double width_ = 0.0;
  std::optional<BumpShape> shape_;
};

/// Calls `body(slot, o, i, m)` for the synapses of one list in the order of the table.
template <class Scalar, class Body>
void each_of_list(const TapTable<Scalar>& table, const DelayParameters<Scalar>& p, std::ptrdiff_t tile,
                  std::ptrdiff_t other, const Body& body) {
  const bool by_input = table.order == TapOrder::by_input;
  std::ptrdiff_t slot = 0;
  for (std::ptrdiff_t m = 0; m < table.kernels; ++m) {
    for (std::ptrdiff_t j = 0; j < table.tile_size(tile); ++j) {
      const std::ptrdiff_t mine = tile * kTileNeurons + j;
      const std::ptrdiff_t o = by_input ? mine : other, i = by_input ? other : mine;
      if (!p.mask.empty() && p.mask[o * table.in + i] == Scalar(0)) continue;
      body(slot++, o, i, m);
    }
  }
}

/// Fills a table whose memory has been taken: with taps or, if there is a basis, with a synapse's numbers in it; the
/// rows of the tile are then the signals of its functions.
template <class Scalar>
void build_taps(const DelayConfig& config, const DelayParameters<Scalar>& p, const TapTable<Scalar>& table,
                const SmoothBasis& basis = {}) {
  const auto body = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    ShapeCache shapes(config, p.rounded);
    for (std::ptrdiff_t list = begin; list < end; ++list) {
      const std::ptrdiff_t tile = list / table.others(), other = list % table.others();
      std::int32_t* const offset = table.offset + list * table.slots();
      Scalar* const taps = table.taps + list * table.slots() * table.width;
      std::fill(taps, taps + table.slots() * table.width, Scalar(0));
      std::ptrdiff_t count = 0;
      each_of_list(table, p, tile, other,
                   [&](std::ptrdiff_t slot, std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t m) {
                     const std::ptrdiff_t shared = shared_index(config, o, i, m, table.in);
                     const Bump bump(shapes.of(static_cast<double>(p.width[shared])),
                                     centre_of(config, static_cast<double>(p.position[shared]), p.rounded));
                     const auto w = static_cast<double>(p.weight[(o * table.in + i) * table.kernels + m]);
                     Scalar* const mine = taps + slot * table.width;
                     const bool by_input = table.order == TapOrder::by_input;
                     const std::ptrdiff_t row = (by_input ? o : i) % kTileNeurons;
                     count = slot + 1;
                     if (basis.rank > 0) {
                       for (std::ptrdiff_t r = 0; r < basis.rank; ++r) {
                         double sum = 0.0;
                         bump.each([&](int d, double share) { sum += share * basis.values[r * basis.delays + d]; });
                         mine[r] = static_cast<Scalar>(w * sum);
                       }
                       offset[slot] = static_cast<std::int32_t>(row * basis.rank);
                       return;
                     }
                     const int first = bump.first();
                     bump.each([&](int d, double share) { mine[d - first] = static_cast<Scalar>(w * share); });
                     offset[slot] = static_cast<std::int32_t>(row * table.row_length + (by_input ? first : -first));
                   });
      table.count[list] = static_cast<std::uint16_t>(count);
    }
  };
  parallel_for(table.tiles() * table.others(), 16, body);
}

}  // namespace synfire::synapses
