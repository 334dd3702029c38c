#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/scratch.hpp"
#include "core/sequences.hpp"
#include "neurons/scan_tile.hpp"
#include "neurons/selective_scan.hpp"

/// How the selective scan is cut into tasks, chunks and tiles, and how a tile is gathered. Not installed.
namespace synfire::neurons {

/// Depends on shapes only, so that sums do not depend on the number of threads.
template <class Scalar>
struct ScanLayout {
  static constexpr std::ptrdiff_t kWidth = kTileWidth<Scalar>;
  static constexpr std::ptrdiff_t kMaxTasks = 32;
  static constexpr std::ptrdiff_t kBlockChannels = 128;

  ScanLayout(const Shape& u, SequenceOrder order, std::ptrdiff_t num_states)
      : sequences(u, order), channels(u.channels()), states(num_states), rows(u.size() / std::max(channels, one)) {
    tiles = (channels + kWidth - 1) / kWidth;
    chunks = (sequences.length() + kScanChunk - 1) / kScanChunk;
    // Few sequences are cut into blocks of channels; each block has sums over its channels of its own.
    block_tiles = sequences.count() >= kMaxTasks ? tiles : std::min(tiles, kBlockChannels / kWidth);
    blocks = tiles == 0 ? 0 : (tiles + block_tiles - 1) / block_tiles;
    groups = std::clamp(kMaxTasks / std::max(blocks, one), one, std::max(sequences.count(), one));
  }

  static constexpr std::ptrdiff_t one = 1;
  Sequences sequences;
  std::ptrdiff_t channels, states, rows;
  std::ptrdiff_t tiles = 0, block_tiles = 0, blocks = 0, chunks = 0;
  std::ptrdiff_t groups = 1;  ///< of sequences: a task is a group and a block

  std::ptrdiff_t tasks() const { return blocks * groups; }
  std::ptrdiff_t first_sequence(std::ptrdiff_t group) const { return sequences.count() * group / groups; }
  std::ptrdiff_t tile_size() const { return states * kWidth; }
  std::ptrdiff_t chunk_tokens(std::ptrdiff_t chunk) const {
    return std::min(kScanChunk, sequences.length() - chunk * kScanChunk);
  }
};

/// The parameters, in tiles with zeros behind the last channel.
template <class Scalar>
struct ScanConstants {
  Scalar *rates, *skip, *bias;  ///< [tiles] of [states] rows; [tiles] rows each

  ScanConstants(const ScanLayout<Scalar>& layout, ScratchCursor& memory)
      : rates(memory.take<Scalar>(layout.tiles * layout.tile_size())),
        skip(memory.take<Scalar>(layout.tiles * layout.kWidth)),
        bias(memory.take<Scalar>(layout.tiles * layout.kWidth)) {}
  static std::size_t bytes(const ScanLayout<Scalar>& layout) {
    return scratch_bytes<Scalar>(layout.tiles * layout.tile_size()) +
           2 * scratch_bytes<Scalar>(layout.tiles * layout.kWidth);
  }

  /// -A / ln 2
  static double rate_of(Scalar a_log) { return 1.44269504088896340736 * std::exp(static_cast<double>(a_log)); }

  void fill(const ScanLayout<Scalar>& layout, const ScanParameters<Scalar>& parameters) {
    for (std::ptrdiff_t e = 0; e < layout.tiles * layout.kWidth; ++e) {
      const bool there = e < layout.channels;
      skip[e] = there ? parameters.d[e] : Scalar(0);
      bias[e] = there ? parameters.dt_bias[e] : Scalar(0);
      for (std::ptrdiff_t n = 0; n < layout.states; ++n) {
        rates[e / layout.kWidth * layout.tile_size() + n * layout.kWidth + e % layout.kWidth] =
            there ? static_cast<Scalar>(rate_of(parameters.a_log[e * layout.states + n])) : Scalar(0);
      }
    }
  }
};

/// The tokens of one chunk of one sequence, and a tile of their channels.
template <class Scalar>
class ScanChunk {
 public:
  static constexpr std::ptrdiff_t kWidth = kTileWidth<Scalar>;
  static constexpr std::ptrdiff_t kTileSize = kScanChunk * kWidth;

  ScanChunk(const ScanLayout<Scalar>& layout, const ScanInput<Scalar>& input, const ScanConstants<Scalar>& constants,
            ScratchCursor& memory)
      : u(memory.take<Scalar>(kTileSize)),
        raw(memory.take<Scalar>(kTileSize)),
        step(memory.take<Scalar>(kTileSize)),
        drive(memory.take<Scalar>(kTileSize)),
        y(memory.take<Scalar>(kTileSize)),
        layout_(layout),
        input_(input),
        constants_(constants) {}
  static std::size_t bytes() { return 5 * scratch_bytes<Scalar>(kTileSize); }

  void select(std::ptrdiff_t sequence, std::ptrdiff_t chunk) {
    tokens = layout_.chunk_tokens(chunk);
    for (std::ptrdiff_t t = 0; t < tokens; ++t) {
      rows_[t] = layout_.sequences.row(sequence, chunk * kScanChunk + t);
      bc_[t] = input_.bc.data + (rows_[t] + 1) * input_.bc.shape.channels() - 2 * layout_.states;
    }
  }

  /// Fills u, raw, step, drive, and y with what skips the states.
  ScanTile<Scalar> gather(std::ptrdiff_t tile) {
    if (input_.u.is_spikes()) {
      gather_rows(input_.u.spikes, tile, u);
    } else {
      gather_rows(input_.u.real, tile, u);
    }
    gather_rows(input_.delta.data, tile, raw);
    using Row = TileRow<Scalar>;
    const Row bias = Row::at(constants_.bias + tile * kWidth), skip = Row::at(constants_.skip + tile * kWidth);
    for (std::ptrdiff_t i = 0; i < tokens * kWidth; i += kWidth) {
      const Row of_u = Row::at(u + i);
      Row of_raw = Row::at(raw + i), of_step, of_drive, of_y;
      unroll<kTilePacks>([&](auto p) {
        of_raw.pack[p] = of_raw.pack[p] + bias.pack[p];
        of_step.pack[p] = softplus_pack<Scalar>(of_raw.pack[p]);
        of_drive.pack[p] = of_step.pack[p] * of_u.pack[p];
        of_y.pack[p] = skip.pack[p] * of_u.pack[p];
      });
      of_raw.store_at(raw + i);
      of_step.store_at(step + i);
      of_drive.store_at(drive + i);
      of_y.store_at(y + i);
    }
    return {tokens, layout_.states, bc_, constants_.rates + tile * layout_.tile_size(), step, drive};
  }

  template <class T>
  void gather_rows(const T* from, std::ptrdiff_t tile, Scalar* to) const {
    const std::ptrdiff_t width = tile_channels(tile);
    for (std::ptrdiff_t t = 0; t < tokens; ++t, to += kWidth) {
      const T* const row = from + rows_[t] * layout_.channels + tile * kWidth;
      if (width == kWidth) {
        unroll<kTilePacks>(
            [&](auto p) { store<Scalar>(load<Scalar>(row + p * kLanes<Scalar>), to + p * kLanes<Scalar>); });
      } else {
        for (std::ptrdiff_t k = 0; k < kWidth; ++k) to[k] = k < width ? static_cast<Scalar>(row[k]) : Scalar(0);
      }
    }
  }
  void scatter_rows(const Scalar* from, std::ptrdiff_t tile, Scalar* to) const {
    const std::ptrdiff_t width = tile_channels(tile);
    for (std::ptrdiff_t t = 0; t < tokens; ++t, from += kWidth) {
      std::copy_n(from, width, to + rows_[t] * layout_.channels + tile * kWidth);
    }
  }

  /// A tile of a [sequence, state, channel] array, to a row a state; zeros if there is no array.
  void load_states(const Scalar* from, std::ptrdiff_t sequence, std::ptrdiff_t tile, Scalar* h) const {
    const std::ptrdiff_t width = tile_channels(tile);
    for (std::ptrdiff_t n = 0; n < layout_.states; ++n, h += kWidth) {
      std::fill_n(h, kWidth, Scalar(0));
      if (from != nullptr) std::copy_n(from + state_offset(sequence, n, tile), width, h);
    }
  }
  void store_states(const Scalar* h, std::ptrdiff_t sequence, std::ptrdiff_t tile, Scalar* to) const {
    for (std::ptrdiff_t n = 0; n < layout_.states; ++n, h += kWidth) {
      std::copy_n(h, tile_channels(tile), to + state_offset(sequence, n, tile));
    }
  }

  std::ptrdiff_t row(std::ptrdiff_t token) const { return rows_[token]; }

  std::ptrdiff_t tokens = 0;
  Scalar *u, *raw, *step, *drive, *y;  ///< [tokens] rows

 private:
  std::ptrdiff_t tile_channels(std::ptrdiff_t tile) const { return std::min(kWidth, layout_.channels - tile * kWidth); }
  std::ptrdiff_t state_offset(std::ptrdiff_t sequence, std::ptrdiff_t n, std::ptrdiff_t tile) const {
    return (sequence * layout_.states + n) * layout_.channels + tile * kWidth;
  }

  const ScanLayout<Scalar>& layout_;
  const ScanInput<Scalar>& input_;
  const ScanConstants<Scalar>& constants_;
  std::ptrdiff_t rows_[kScanChunk];
  const Scalar* bc_[kScanChunk];
};

/// What the operations ask of their arguments; `state` may be empty.
template <class Scalar>
void check_scan(const char* operation, const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                SequenceOrder order, View<const Scalar> state);

}  // namespace synfire::neurons
