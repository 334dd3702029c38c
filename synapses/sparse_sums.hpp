#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "synapses/nonzeros.hpp"
#include "synapses/simd.hpp"

/// The two sums that skip what is not active, forward and back. Private to the room: not installed.
namespace synfire::synapses {

/// Most packs that a group has, and most groups at once: together they fill the registers.
inline constexpr int kGroupPacks = 4;
inline constexpr int kGroups = 3;

/// Calls `body(pack, integral_constant<int, width>)` for groups of 4, 2 or 1 packs that cover `packs`.
template <class Body>
void each_group(std::ptrdiff_t packs, const Body& body) {
  std::ptrdiff_t pack = 0;
  for (; packs - pack >= 4; pack += 4) body(pack, std::integral_constant<int, 4>{});
  for (; packs - pack >= 2; pack += 2) body(pack, std::integral_constant<int, 2>{});
  for (; packs - pack >= 1; pack += 1) body(pack, std::integral_constant<int, 1>{});
}

/// out[g, :] += sum over n in [first, last) of values[n] weights[g][n, :], for `Groups` groups of `Packs` packs that
/// lie side by side in `out`. Row n of a group's weights lies n widths behind its start; the value of spikes is 1.
/// \param next  from one group's weights to the next's
template <int Groups, int Packs, class Scalar, class T>
inline void add_weight_rows(const std::uint32_t* first, const std::uint32_t* last, [[maybe_unused]] const T* values,
                            const Scalar* weights, std::ptrdiff_t next, Scalar* out) {
  constexpr std::ptrdiff_t kWidth = Packs * kLanes<Scalar>;
  if (first == last) return;
  Pack<Scalar> sums[Groups * Packs];
  unroll<Groups * Packs>([&](auto k) { sums[k] = load(out + k * kLanes<Scalar>); });
  do {
    const Scalar* const w = weights + static_cast<std::ptrdiff_t>(*first) * kWidth;
    if constexpr (std::is_same_v<T, std::uint8_t>) {
      unroll<Groups * Packs>([&](auto k) { sums[k] += load(w + (k / Packs) * next + (k % Packs) * kLanes<Scalar>); });
    } else {
      const Pack<Scalar> value = broadcast(values[*first]);
      unroll<Groups * Packs>([&](auto k) {
        sums[k] = multiply_add(value, load(w + (k / Packs) * next + (k % Packs) * kLanes<Scalar>), sums[k]);
      });
    }
  } while (++first != last);
  unroll<Groups * Packs>([&](auto k) { store(sums[k], out + k * kLanes<Scalar>); });
}

/// Where the channels of some pixels are not zero: for each channel the places of its pixels, in order.
template <class Scalar>
struct ChannelLists {
  std::uint32_t* places;  ///< [channels][length]
  Scalar* values;         ///< [channels][length]; not used for spikes
  std::uint32_t* counts;  ///< [channels]
  std::uint8_t* masks;    ///< [channels]
  std::ptrdiff_t length;  ///< number of pixels + kListSlack
};

/// `rows` by `columns` pixels of x, in elements from its start; pixel (i, j) has place i * place_row_step + j.
struct PixelSteps {
  std::ptrdiff_t rows, columns, row_step, column_step, place_row_step;
};

/// masks[c], bit k: channel c of pixel k of `count` <= 8 is not zero; pixels lie `step` apart.
template <class T>
inline void channel_masks(const T* pixels, std::ptrdiff_t count, std::ptrdiff_t step, std::ptrdiff_t channels,
                          std::uint8_t* masks) {
  std::ptrdiff_t first = 0;
  if constexpr (!std::is_same_v<T, double>) {
    for (; first + kLanes<T> <= channels; first += kLanes<T>) {
      using Bits = decltype(Pack<T>{} != Pack<T>{});
      using Lane = std::remove_reference_t<decltype(Bits{}[0])>;
      Bits bits{};
      for (std::ptrdiff_t k = 0; k < count; ++k) {
        const Bits active = load(pixels + k * step + first) != Pack<T>{};
        const auto flag = static_cast<Lane>(1U << k);
        bits |= active & flag;
      }
      if constexpr (std::is_same_v<T, std::uint8_t>) {
        std::memcpy(masks + first, &bits, sizeof(bits));
      } else {
        for (std::ptrdiff_t c = 0; c < kLanes<T>; ++c) masks[first + c] = static_cast<std::uint8_t>(bits[c]);
      }
    }
  }
  for (std::ptrdiff_t c = first; c < channels; ++c) {
    unsigned bits = 0;
    for (std::ptrdiff_t k = 0; k < count; ++k) bits |= static_cast<unsigned>(pixels[k * step + c] != T{0}) << k;
    masks[c] = static_cast<std::uint8_t>(bits);
  }
}

template <class Scalar, class T>
void list_channels(const T* x, std::ptrdiff_t channels, const PixelSteps steps, const ChannelLists<Scalar> lists) {
  std::fill(lists.counts, lists.counts + channels, 0U);
  for (std::ptrdiff_t row = 0; row < steps.rows; ++row) {
    for (std::ptrdiff_t column = 0; column < steps.columns; column += 8) {
      const std::ptrdiff_t count = std::min<std::ptrdiff_t>(8, steps.columns - column);
      const T* const pixels = x + row * steps.row_step + column * steps.column_step;
      channel_masks(pixels, count, steps.column_step, channels, lists.masks);
      const auto place = static_cast<std::uint32_t>(row * steps.place_row_step + column);
      for (std::ptrdiff_t c = 0; c < channels; ++c) {
        const std::ptrdiff_t found = lists.counts[c];
        std::uint32_t* const list = lists.places + c * lists.length;
        const std::ptrdiff_t now = append_places(lists.masks[c], place, list, found);
        if constexpr (!std::is_same_v<T, std::uint8_t>) {
          for (std::ptrdiff_t n = found; n < now; ++n) {
            const auto k = static_cast<std::ptrdiff_t>(list[n] - place);
            lists.values[c * lists.length + n] = pixels[k * steps.column_step + c];
          }
        }
        lists.counts[c] = static_cast<std::uint32_t>(now);
      }
    }
  }
}

/// sums[g, :] += sum over the list of `channel` of value source[place, g, :], for `Groups` groups of `Packs` packs.
/// \param place_step   from one place's row of the source to the next's
/// \param group_step   from one group to the next, in the source
/// \param sums_step    the same in `sums`
template <int Groups, int Packs, bool IsSpikes, class Scalar>
inline void add_listed_rows(const ChannelLists<Scalar>& lists, std::ptrdiff_t channel, const Scalar* source,
                            std::ptrdiff_t place_step, std::ptrdiff_t group_step, Scalar* out,
                            std::ptrdiff_t out_step) {
  const std::uint32_t* const places = lists.places + channel * lists.length;
  [[maybe_unused]] const Scalar* const values = lists.values + channel * lists.length;
  const std::ptrdiff_t count = lists.counts[channel];
  if (count == 0) return;
  Pack<Scalar> sums[Groups * Packs];
  unroll<Groups * Packs>([&](auto k) { sums[k] = load(out + (k / Packs) * out_step + (k % Packs) * kLanes<Scalar>); });
  for (std::ptrdiff_t n = 0; n < count; ++n) {
    const Scalar* const row = source + static_cast<std::ptrdiff_t>(places[n]) * place_step;
    if constexpr (IsSpikes) {
      unroll<Groups * Packs>(
          [&](auto k) { sums[k] += load(row + (k / Packs) * group_step + (k % Packs) * kLanes<Scalar>); });
    } else {
      const Pack<Scalar> value = broadcast(values[n]);
      unroll<Groups * Packs>([&](auto k) {
        sums[k] = multiply_add(value, load(row + (k / Packs) * group_step + (k % Packs) * kLanes<Scalar>), sums[k]);
      });
    }
  }
  unroll<Groups * Packs>([&](auto k) { store(sums[k], out + (k / Packs) * out_step + (k % Packs) * kLanes<Scalar>); });
}

}  // namespace synfire::synapses
