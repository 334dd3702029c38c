#pragma once

#include <cstddef>

#include "core/simd.hpp"
#include "neurons/pack_math.hpp"

/// The arithmetic of the selective scan on a tile: some neighbouring channels, for the tokens of a chunk, gathered into
/// dense rows. Not installed.
namespace synfire::neurons {

inline constexpr int kTilePacks = 2;
/// Channels of a tile.
template <class Scalar>
inline constexpr std::ptrdiff_t kTileWidth = kTilePacks* kLanes<Scalar>;

/// A row of a tile.
template <class Scalar>
struct TileRow {
  Pack<Scalar> pack[kTilePacks];

  static TileRow at(const Scalar* from) {
    TileRow row;
    unroll<kTilePacks>([&](auto p) { row.pack[p] = load(from + p * kLanes<Scalar>); });
    return row;
  }
  void store_at(Scalar* to) const {
    unroll<kTilePacks>([&](auto p) { store<Scalar>(pack[p], to + p * kLanes<Scalar>); });
  }
};

/// What stands in a tile's memory; rows have kTileWidth values.
template <class Scalar>
struct ScanTile {
  std::ptrdiff_t tokens, states;
  const Scalar* const* bc;  ///< [tokens] -> B and C of a token
  const Scalar* rates;      ///< [states] rows: -A / ln 2
  const Scalar* step;       ///< [tokens] rows: D
  const Scalar* drive;      ///< D u
};

/// h <- a h + drive b
template <class Scalar>
inline Pack<Scalar> next_state(Pack<Scalar> a, Pack<Scalar> h, Pack<Scalar> drive, Pack<Scalar> b) {
  return multiply_add(a, h, drive * b);
}

/// Takes `h`, a row a state, through the tokens, and adds C h to the rows of y.
template <class Scalar>
void scan_tile_forward(const ScanTile<Scalar>& tile, Scalar* h, Scalar* y) {
  constexpr std::ptrdiff_t kWidth = kTileWidth<Scalar>;
  using Row = TileRow<Scalar>;
  for (std::ptrdiff_t t = 0; t < tile.tokens; ++t) {
    const Row step = Row::at(tile.step + t * kWidth), drive = Row::at(tile.drive + t * kWidth);
    Row sum = Row::at(y + t * kWidth);
    const Scalar *const b = tile.bc[t], *const c = b + tile.states;
    for (std::ptrdiff_t n = 0; n < tile.states; ++n) {
      const Row rate = Row::at(tile.rates + n * kWidth);
      Row state = Row::at(h + n * kWidth);
      unroll<kTilePacks>([&](auto p) {
        const Pack<Scalar> a = exp2_decay_pack<Scalar>(step.pack[p] * rate.pack[p]);
        state.pack[p] = next_state<Scalar>(a, state.pack[p], drive.pack[p], broadcast(b[n]));
        sum.pack[p] = multiply_add(broadcast(c[n]), state.pack[p], sum.pack[p]);
      });
      state.store_at(h + n * kWidth);
    }
    sum.store_at(y + t * kWidth);
  }
}

/// The same with everything kept: h[t + 1] follows h[t], each a row a state, and a[t] is its decay.
template <class Scalar>
void scan_tile_again(const ScanTile<Scalar>& tile, Scalar* h, Scalar* a) {
  constexpr std::ptrdiff_t kWidth = kTileWidth<Scalar>;
  using Row = TileRow<Scalar>;
  const std::ptrdiff_t size = tile.states * kWidth;
  for (std::ptrdiff_t t = 0; t < tile.tokens; ++t, h += size, a += size) {
    const Row step = Row::at(tile.step + t * kWidth), drive = Row::at(tile.drive + t * kWidth);
    const Scalar* const b = tile.bc[t];
    for (std::ptrdiff_t n = 0; n < tile.states; ++n) {
      const Row rate = Row::at(tile.rates + n * kWidth), before = Row::at(h + n * kWidth);
      Row decay, after;
      unroll<kTilePacks>([&](auto p) {
        decay.pack[p] = exp2_decay_pack<Scalar>(step.pack[p] * rate.pack[p]);
        after.pack[p] = next_state<Scalar>(decay.pack[p], before.pack[p], drive.pack[p], broadcast(b[n]));
      });
      decay.store_at(a + n * kWidth);
      after.store_at(h + size + n * kWidth);
    }
  }
}

/// What the way back reads and leaves.
template <class Scalar>
struct ScanTileBack {
  const Scalar *h, *a;   ///< of scan_tile_again
  const Scalar* grad_y;  ///< [tokens] rows
  Scalar* carry;         ///< [states] rows: exp(D[l+1] A) lam[l+1], in and out
  Scalar* grad_rate;     ///< [states] rows: sum of lam D q is added
  Scalar* grad_bc;       ///< [tokens][2 states] packs: dL/dB and dL/dC, still to be summed over lanes, are added
  Scalar* grad_drive;    ///< [tokens] rows out: sum of lam B
  Scalar* grad_decay;    ///< [tokens] rows out: sum of lam rate q
};

template <class Scalar>
void scan_tile_backward(const ScanTile<Scalar>& tile, const ScanTileBack<Scalar>& back) {
  constexpr std::ptrdiff_t kWidth = kTileWidth<Scalar>;
  using Row = TileRow<Scalar>;
  const std::ptrdiff_t size = tile.states * kWidth;
  for (std::ptrdiff_t t = tile.tokens - 1; t >= 0; --t) {
    const Row step = Row::at(tile.step + t * kWidth), drive = Row::at(tile.drive + t * kWidth);
    const Row grad_y = Row::at(back.grad_y + t * kWidth);
    const Scalar *const b = tile.bc[t], *const c = b + tile.states;
    Scalar* const grad_b = back.grad_bc + t * 2 * tile.states * kLanes<Scalar>;
    Scalar* const grad_c = grad_b + tile.states * kLanes<Scalar>;
    Row sum_b{}, sum_decay{};
    for (std::ptrdiff_t n = 0; n < tile.states; ++n) {
      const Row before = Row::at(back.h + t * size + n * kWidth), after = Row::at(back.h + (t + 1) * size + n * kWidth);
      const Row decay = Row::at(back.a + t * size + n * kWidth), rate = Row::at(tile.rates + n * kWidth);
      Row carry = Row::at(back.carry + n * kWidth), grad_rate = Row::at(back.grad_rate + n * kWidth);
      Pack<Scalar> of_b = load(grad_b + n * kLanes<Scalar>), of_c = load(grad_c + n * kLanes<Scalar>);
      unroll<kTilePacks>([&](auto p) {
        const Pack<Scalar> lambda = multiply_add(grad_y.pack[p], broadcast(c[n]), carry.pack[p]);
        of_c = multiply_add(grad_y.pack[p], after.pack[p], of_c);
        of_b = multiply_add(lambda, drive.pack[p], of_b);
        sum_b.pack[p] = multiply_add(lambda, broadcast(b[n]), sum_b.pack[p]);
        carry.pack[p] = decay.pack[p] * lambda;
        const Pack<Scalar> lambda_q = carry.pack[p] * before.pack[p];
        grad_rate.pack[p] = multiply_add(step.pack[p], lambda_q, grad_rate.pack[p]);
        sum_decay.pack[p] = multiply_add(rate.pack[p], lambda_q, sum_decay.pack[p]);
      });
      carry.store_at(back.carry + n * kWidth);
      grad_rate.store_at(back.grad_rate + n * kWidth);
      store<Scalar>(of_b, grad_b + n * kLanes<Scalar>);
      store<Scalar>(of_c, grad_c + n * kLanes<Scalar>);
    }
    sum_b.store_at(back.grad_drive + t * kWidth);
    sum_decay.store_at(back.grad_decay + t * kWidth);
  }
}

}  // namespace synfire::neurons
