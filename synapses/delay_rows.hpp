#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "synapses/delay_taps.hpp"
#include "synapses/nonzeros.hpp"
#include "synapses/simd.hpp"

/// The inner loops of a layer with delays. For sparse signals the ticks of one neuron and one sample lie side by side
/// in a row, so that the neighbouring taps of a synapse are one vector. Not installed; network/ shares it for feedback
/// and counting.
namespace synfire::synapses {

/// An odd number of cache lines: rows that follow each other then spread over all sets of a cache.
template <class Scalar>
constexpr std::ptrdiff_t row_length_for(std::ptrdiff_t count) {
  constexpr std::ptrdiff_t kPerLine = static_cast<std::ptrdiff_t>(kCacheLine / sizeof(Scalar));
  const std::ptrdiff_t lines = (count + kPerLine - 1) / kPerLine;
  return (lines | 1) * kPerLine;
}

#if defined(__AVX__)
inline void transpose8(const float* from, std::ptrdiff_t from_row, float* to, std::ptrdiff_t to_row) {
  __m256 r[8], s[8];
  for (int k = 0; k < 8; ++k) r[k] = _mm256_loadu_ps(from + k * from_row);
  for (int k = 0; k < 8; k += 2) {
    s[k] = _mm256_unpacklo_ps(r[k], r[k + 1]);
    s[k + 1] = _mm256_unpackhi_ps(r[k], r[k + 1]);
  }
  for (int k = 0; k < 8; k += 4) {
    r[k] = _mm256_shuffle_ps(s[k], s[k + 2], 0x44);
    r[k + 1] = _mm256_shuffle_ps(s[k], s[k + 2], 0xEE);
    r[k + 2] = _mm256_shuffle_ps(s[k + 1], s[k + 3], 0x44);
    r[k + 3] = _mm256_shuffle_ps(s[k + 1], s[k + 3], 0xEE);
  }
  for (int k = 0; k < 4; ++k) {
    _mm256_storeu_ps(to + k * to_row, _mm256_permute2f128_ps(r[k], r[k + 4], 0x20));
    _mm256_storeu_ps(to + (k + 4) * to_row, _mm256_permute2f128_ps(r[k], r[k + 4], 0x31));
  }
}
#endif

/// to[c, r] = from[r, c]
template <class From, class Scalar>
inline void transpose(const From* from, std::ptrdiff_t from_row, std::ptrdiff_t rows, std::ptrdiff_t columns,
                      Scalar* to, std::ptrdiff_t to_row) {
  constexpr std::ptrdiff_t kBlock = 8;
  for (std::ptrdiff_t r = 0; r < rows; r += kBlock) {
    for (std::ptrdiff_t c = 0; c < columns; c += kBlock) {
#if defined(__AVX__)
      if constexpr (std::is_same_v<From, float> && std::is_same_v<Scalar, float>) {
        if (r + kBlock <= rows && c + kBlock <= columns) {
          transpose8(from + r * from_row + c, from_row, to + c * to_row + r, to_row);
          continue;
        }
      }
#endif
      for (std::ptrdiff_t k = r; k < std::min(r + kBlock, rows); ++k) {
        for (std::ptrdiff_t l = c; l < std::min(c + kBlock, columns); ++l) {
          to[l * to_row + k] = static_cast<Scalar>(from[k * from_row + l]);
        }
      }
    }
  }
}

/// An element of the input that is not zero.
template <class Scalar>
struct InputEvent {
  std::int32_t at;  ///< tick, or place in a row
  Scalar value;
};

/// The events of neurons [0, neurons) of one sample: `count[i]` of them from `list + i * capacity`, in order of ticks,
/// appended to those that are there. `place` is added to their ticks.
template <class Scalar, class T>
inline void append_events(const T* x, std::ptrdiff_t tick_stride, std::ptrdiff_t ticks, std::ptrdiff_t neurons,
                          std::ptrdiff_t place, std::ptrdiff_t capacity, InputEvent<Scalar>* list,
                          std::int32_t* count) {
  for (std::ptrdiff_t t = 0; t < ticks; ++t) {
    const T* const row = x + t * tick_stride;
    each_mask(row, neurons, [&](std::ptrdiff_t first, unsigned mask) {
      for (; mask != 0; mask &= mask - 1) {
        const std::ptrdiff_t i = first + std::countr_zero(mask);
        list[i * capacity + count[i]++] = {static_cast<std::int32_t>(place + t), static_cast<Scalar>(row[i])};
      }
    });
  }
}

/// rows[offset[s] + event.at ..] += event.value taps[s ..] for every event and every synapse s of a list, kPacks packs
/// of the `width` numbers of each.
template <int kPacks, class Scalar>
inline void scatter(const InputEvent<Scalar>* events, std::ptrdiff_t num_events, const std::int32_t* offset,
                    const Scalar* taps, std::ptrdiff_t width, std::ptrdiff_t num_synapses, Scalar* rows) {
  for (std::ptrdiff_t e = 0; e < num_events; ++e) {
    Scalar* const base = rows + events[e].at;
    const Pack<Scalar> value = broadcast(events[e].value);
    for (std::ptrdiff_t s = 0; s < num_synapses; ++s) {
      Scalar* const row = base + offset[s];
      unroll<kPacks>([&](auto k) {
        Scalar* const to = row + k * kLanes<Scalar>;
        store<Scalar>(multiply_add(value, load(taps + s * width + k * kLanes<Scalar>), load(to)), to);
      });
    }
  }
}

/// sums[s ..] += sum of event.value rows[offset[s] + event.at ..] over all events; the other way round of scatter.
template <int kPacks, class Scalar>
inline void correlate(const InputEvent<Scalar>* events, std::ptrdiff_t num_events, const std::int32_t* offset,
                      const Scalar* rows, std::ptrdiff_t width, std::ptrdiff_t num_synapses, Scalar* sums) {
  constexpr int kTogether = kPacks >= 4 ? 2 : 8 / kPacks;
  const auto some = [&](std::ptrdiff_t s, auto together) {
    constexpr int kSynapses = together;
    Pack<Scalar> sum[kSynapses * kPacks];
    const Scalar* row[kSynapses];
    unroll<kSynapses>([&](auto j) { row[j] = rows + offset[s + j]; });
    const auto place = [&](auto k) { return sums + (s + k / kPacks) * width + (k % kPacks) * kLanes<Scalar>; };
    unroll<kSynapses * kPacks>([&](auto k) { sum[k] = load(place(k)); });
    for (std::ptrdiff_t e = 0; e < num_events; ++e) {
      const Pack<Scalar> value = broadcast(events[e].value);
      const std::ptrdiff_t at = events[e].at;
      unroll<kSynapses>([&](auto j) {
        unroll<kPacks>([&](auto k) {
          sum[j * kPacks + k] = multiply_add(value, load(row[j] + at + k * kLanes<Scalar>), sum[j * kPacks + k]);
        });
      });
    }
    unroll<kSynapses * kPacks>([&](auto k) { store<Scalar>(sum[k], place(k)); });
  };
  std::ptrdiff_t s = 0;
  for (; s + kTogether <= num_synapses; s += kTogether) some(s, std::integral_constant<int, kTogether>{});
  for (; s < num_synapses; ++s) some(s, std::integral_constant<int, 1>{});
}

/// The other layout, for dense signals: kLanes samples side by side, then the ticks of a neuron. All loads are aligned.
/// Adds the synapses of a list to kTicks ticks of one neuron: to[t] += taps[s, j] rows[offset[s] stride + j step + t].
template <int kTicks, class Scalar>
inline void add_taps(const std::int32_t* offset, const Scalar* taps, std::ptrdiff_t width, std::ptrdiff_t reach,
                     std::ptrdiff_t num_synapses, const Scalar* rows, std::ptrdiff_t stride, std::ptrdiff_t step,
                     Scalar* to) {
  Pack<Scalar> sum[kTicks];
  unroll<kTicks>([&](auto t) { sum[t] = load(to + t * kLanes<Scalar>); });
  for (std::ptrdiff_t s = 0; s < num_synapses; ++s) {
    const Scalar* from = rows + offset[s] * stride;
    for (std::ptrdiff_t j = 0; j < reach; ++j) {
      const Pack<Scalar> tap = broadcast(taps[s * width + j]);
      unroll<kTicks>([&](auto t) { sum[t] = multiply_add(tap, load(from + t * kLanes<Scalar>), sum[t]); });
      from += step;
    }
  }
  unroll<kTicks>([&](auto t) { store<Scalar>(sum[t], to + t * kLanes<Scalar>); });
}

/// Ticks that are worked on together: as many sums as there are registers for them.
inline constexpr std::ptrdiff_t kBlockTicks = 12;

/// Calls `body(integral_constant<int, ticks>)` for 1 to kBlockTicks ticks.
template <class Body>
inline void with_ticks(std::ptrdiff_t ticks, const Body& body) {
  switch (ticks) {
#define SYNFIRE_CASE(n) \
  case n:               \
    return body(std::integral_constant<int, n>{});
    SYNFIRE_CASE(1)
    SYNFIRE_CASE(2)
    SYNFIRE_CASE(3)
    SYNFIRE_CASE(4)
    SYNFIRE_CASE(5)
    SYNFIRE_CASE(6)
    SYNFIRE_CASE(7)
    SYNFIRE_CASE(8)
    SYNFIRE_CASE(9)
    SYNFIRE_CASE(10)
    SYNFIRE_CASE(11)
    SYNFIRE_CASE(12)
#undef SYNFIRE_CASE
    default:
      return;
  }
}

/// The signals of a basis: one for each neuron of a tile and each function. Memory: [kTileNeurons, rank, ticks, lanes].
template <class Scalar>
struct BasisSignals {
  std::ptrdiff_t rank = 0;  ///< 0: there is no basis
  std::ptrdiff_t delays = 0;
  const Scalar* functions = nullptr;  ///< [rank, delays]
  Scalar* signals = nullptr;
};

/// Adds all synapses of a table to `ticks` ticks of the neurons on the other side of its tiles, [others, ticks, lanes];
/// `rows` are those of the tiles at the first of these ticks. kForward looks back in time, else ahead.
template <bool kForward, class Scalar>
inline void add_all_taps(const TapTable<Scalar>& table, std::ptrdiff_t reach, const BasisSignals<Scalar>& basis,
                         const Scalar* rows, std::ptrdiff_t ticks, Scalar* to) {
  constexpr std::ptrdiff_t kStep = kForward ? -kLanes<Scalar> : kLanes<Scalar>;
  static constexpr std::int32_t kNoOffset = 0;
  const std::ptrdiff_t block = ticks * kLanes<Scalar>, row = table.row_length * kLanes<Scalar>;
  with_ticks(ticks, [&](auto count) {
    for (std::ptrdiff_t tile = 0; tile < table.tiles(); ++tile) {
      const Scalar* from = rows + tile * kTileNeurons * row;
      if (basis.rank > 0) {
        std::fill(basis.signals, basis.signals + table.tile_size(tile) * basis.rank * block, Scalar(0));
        for (std::ptrdiff_t k = 0; k < table.tile_size(tile) * basis.rank; ++k) {
          add_taps<count>(&kNoOffset, basis.functions + k % basis.rank * basis.delays, basis.delays, basis.delays, 1,
                          from + k / basis.rank * row, 0, kStep, basis.signals + k * block);
        }
        from = basis.signals;
      }
      for (std::ptrdiff_t other = 0; other < table.others(); ++other) {
        const std::ptrdiff_t list = table.list(tile, other);
        const std::int32_t* const offset = table.offset + list * table.slots();
        const Scalar* const taps = table.taps + list * table.slots() * table.width;
        if (basis.rank > 0) {
          add_taps<count>(offset, taps, table.width, basis.rank, table.count[list], from, block, block,
                          to + other * block);
        } else {
          add_taps<count>(offset, taps, table.width, reach, table.count[list], from, kLanes<Scalar>, kStep,
                          to + other * block);
        }
      }
    }
  });
}

/// Calls `body(first, count)` for blocks of at most `most` of `ticks`, as even as they come.
template <class Body>
inline void each_tick_block(std::ptrdiff_t ticks, std::ptrdiff_t most, const Body& body) {
  const std::ptrdiff_t blocks = (ticks + most - 1) / most;
  for (std::ptrdiff_t k = 0; k < blocks; ++k) {
    const std::ptrdiff_t first = ticks * k / blocks;
    body(first, ticks * (k + 1) / blocks - first);
  }
}

/// Calls `body(first, integral_constant<int, packs>)` for groups of up to four packs that make up `width` numbers.
template <class Scalar, class Body>
inline void each_pack_group(std::ptrdiff_t width, const Body& body) {
  constexpr std::ptrdiff_t kMost = 4 * kLanes<Scalar>;
  std::ptrdiff_t first = 0;
  for (; width - first >= kMost; first += kMost) body(first, std::integral_constant<int, 4>{});
  const std::ptrdiff_t rest = (width - first) / kLanes<Scalar>;
  if (rest == 1) body(first, std::integral_constant<int, 1>{});
  if (rest == 2) body(first, std::integral_constant<int, 2>{});
  if (rest == 3) body(first, std::integral_constant<int, 3>{});
}

}  // namespace synfire::synapses
