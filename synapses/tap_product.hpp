#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "synapses/simd.hpp"

/// The dense product behind convolutions and linear maps. Private to the room: not installed.
namespace synfire::synapses {

/// One element of a kernel: what to add to the address of a pixel in the source, and where its weights begin.
struct Tap {
  std::ptrdiff_t source;
  std::ptrdiff_t weights;
};

/// Output channels that are computed at once, in packs: with kTilePixels pixels they fill the registers.
inline constexpr int kTilePacks = 2;
inline constexpr int kTilePixels = 6;

/// Where in an array of weights those of output channel pack `pack` begin, if every pack has `rows` rows: packs lie in
/// blocks of kTilePacks, and within a block row after row.
template <class Scalar>
constexpr std::ptrdiff_t tap_block_begin(std::ptrdiff_t pack, std::ptrdiff_t rows) {
  return pack * kLanes<Scalar> * rows;
}

/// Arranges weights for tap_product: weight(row, channel) for all rows (tap times depth) and output channels.
/// Unused channels of the last pack become zero. Takes packs_for(channels) kLanes rows values.
template <class Scalar, class Weight>
void arrange_for_tap_product(std::ptrdiff_t rows, std::ptrdiff_t channels, const Weight& weight, Scalar* arranged) {
  for (std::ptrdiff_t pack = 0; pack < packs_for<Scalar>(channels); pack += kTilePacks) {
    const std::ptrdiff_t first = pack * kLanes<Scalar>;
    const std::ptrdiff_t width =
        std::min<std::ptrdiff_t>(kTilePacks, packs_for<Scalar>(channels) - pack) * kLanes<Scalar>;
    Scalar* const block = arranged + tap_block_begin<Scalar>(pack, rows);
    for (std::ptrdiff_t row = 0; row < rows; ++row) {
      for (std::ptrdiff_t c = 0; c < width; ++c) {
        block[row * width + c] = first + c < channels ? weight(row, first + c) : Scalar{0};
      }
    }
  }
}

/// A rectangle of pixels that lie at equal distances, in elements.
template <class T>
struct PixelGrid {
  T* data;
  std::ptrdiff_t row_step, column_step;

  T* at(std::ptrdiff_t row, std::ptrdiff_t column) const { return data + row * row_step + column * column_step; }
};

/// out[i, j, c] = bias[c] + sum_t sum_k source[(i, j) + taps[t].source + k] w[t, k, c], for `rows` by `columns` pixels.
template <class Scalar>
struct TapProduct {
  std::ptrdiff_t rows, columns;
  PixelGrid<const Scalar> source;
  std::span<const Tap> taps;   ///< weights: in rows of the arranged array
  std::ptrdiff_t depth;        ///< extent of k
  const Scalar* weights;       ///< by arrange_for_tap_product
  std::ptrdiff_t weight_rows;  ///< of the whole array
  const Scalar* bias;          ///< padded with zeros to whole packs, or null
  std::ptrdiff_t channels;
  PixelGrid<Scalar> out;
};

/// Pixels [first, first + Pixels) in row-major order, channel packs [pack, pack + Packs).
template <int Pixels, int Packs, class Scalar>
inline void tap_product_tile(const TapProduct<Scalar>& p, std::ptrdiff_t first, std::ptrdiff_t pack) {
  constexpr std::ptrdiff_t kWidth = Packs * kLanes<Scalar>;
  const Scalar* source[Pixels];
  Scalar* out[Pixels];
  for (int x = 0; x < Pixels; ++x) {
    const std::ptrdiff_t row = (first + x) / p.columns, column = (first + x) % p.columns;
    source[x] = p.source.at(row, column);
    out[x] = p.out.at(row, column) + pack * kLanes<Scalar>;
  }
  Pack<Scalar> sums[Pixels][Packs];
  unroll<Packs>([&](auto g) {
    const Pack<Scalar> start = p.bias == nullptr ? Pack<Scalar>{} : load(p.bias + (pack + g) * kLanes<Scalar>);
    unroll<Pixels>([&](auto x) { sums[x][g] = start; });
  });
  const Scalar* const block = p.weights + tap_block_begin<Scalar>(pack, p.weight_rows);
  for (const Tap& tap : p.taps) {
    const Scalar* weights = block + tap.weights * kWidth;
    for (std::ptrdiff_t k = tap.source; k < tap.source + p.depth; ++k, weights += kWidth) {
      Pack<Scalar> w[Packs];
      unroll<Packs>([&](auto g) { w[g] = load(weights + g * kLanes<Scalar>); });
      unroll<Pixels>([&](auto x) {
        const Pack<Scalar> value = broadcast(source[x][k]);
        unroll<Packs>([&](auto g) { sums[x][g] = multiply_add(value, w[g], sums[x][g]); });
      });
    }
  }
  const std::ptrdiff_t valid = p.channels - pack * kLanes<Scalar>;
  if (valid >= kWidth) {
    unroll<Pixels>([&](auto x) { unroll<Packs>([&](auto g) { store(sums[x][g], out[x] + g * kLanes<Scalar>); }); });
  } else {
    Scalar padded[kWidth];
    for (int x = 0; x < Pixels; ++x) {
      for (int g = 0; g < Packs; ++g) store(sums[x][g], padded + g * kLanes<Scalar>);
      std::copy(padded, padded + valid, out[x]);
    }
  }
}

template <int Packs, class Scalar>
inline void tap_product_block(const TapProduct<Scalar>& p, std::ptrdiff_t pack) {
  const std::ptrdiff_t pixels = p.rows * p.columns;
  std::ptrdiff_t first = 0;
  for (; first + kTilePixels <= pixels; first += kTilePixels) tap_product_tile<kTilePixels, Packs>(p, first, pack);
  switch (pixels - first) {
    case 5:
      return tap_product_tile<5, Packs>(p, first, pack);
    case 4:
      return tap_product_tile<4, Packs>(p, first, pack);
    case 3:
      return tap_product_tile<3, Packs>(p, first, pack);
    case 2:
      return tap_product_tile<2, Packs>(p, first, pack);
    case 1:
      return tap_product_tile<1, Packs>(p, first, pack);
    default:
      return;
  }
}

template <class Scalar>
void tap_product(const TapProduct<Scalar>& p) {
  const std::ptrdiff_t packs = packs_for<Scalar>(p.channels);
  std::ptrdiff_t pack = 0;
  for (; pack + kTilePacks <= packs; pack += kTilePacks) tap_product_block<kTilePacks>(p, pack);
  if (pack < packs) tap_product_block<1>(p, pack);
}

}  // namespace synfire::synapses
