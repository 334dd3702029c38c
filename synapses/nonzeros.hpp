#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "synapses/simd.hpp"

/// Finds the elements of a row that are not zero. Not installed; network/ shares it for feedback and counting.
namespace synfire::synapses {

/// A list of positions may be written to up to this many entries behind its end.
inline constexpr std::ptrdiff_t kListSlack = 8;

/// For each mask of eight bits the places of its set bits, lowest first.
inline constexpr auto kBitPlaces = [] {
  std::array<std::array<std::uint8_t, 8>, 256> table{};
  for (unsigned mask = 0; mask < 256; ++mask) {
    std::size_t count = 0;
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((mask >> bit & 1U) != 0) table[mask][count++] = static_cast<std::uint8_t>(bit);
    }
  }
  return table;
}();

/// Bit k of the result: element k of `count` <= 8 is not zero.
template <class T>
inline unsigned nonzero_mask(const T* x, std::ptrdiff_t count) {
  unsigned mask = 0;
  for (std::ptrdiff_t k = 0; k < count; ++k) mask |= static_cast<unsigned>(x[k] != T{0}) << k;
  return mask;
}

/// The same for eight elements at once.
inline unsigned nonzero_mask(const std::uint8_t* spikes) {
  std::uint64_t word = 0;
  std::memcpy(&word, spikes, sizeof(word));
  // Byte k, 0 or 1, moves to bit 56 + k; no two products meet in one bit, so there are no carries.
  return static_cast<unsigned>((word * 0x0102040810204080U) >> 56U);
}
inline unsigned nonzero_mask(const float* x) {
#if defined(__AVX__)
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(load(x), _mm256_setzero_ps(), _CMP_NEQ_UQ)));
#else
  return nonzero_mask(x, 8);
#endif
}
inline unsigned nonzero_mask(const double* x) { return nonzero_mask(x, 8); }

/// Appends base + k for every set bit k of `mask` at list[count]; returns the new count.
inline std::ptrdiff_t append_places(unsigned mask, std::uint32_t base, std::uint32_t* list, std::ptrdiff_t count) {
#if defined(__AVX2__)
  const __m128i places = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kBitPlaces[mask].data()));
  const __m256i positions = _mm256_add_epi32(_mm256_cvtepu8_epi32(places), _mm256_set1_epi32(static_cast<int>(base)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(list + count), positions);
#else
  for (std::size_t k = 0; k < 8; ++k) list[count + static_cast<std::ptrdiff_t>(k)] = base + kBitPlaces[mask][k];
#endif
  return count + std::popcount(mask);
}

/// Calls `body(first, mask)` for each eight (at the end: fewer) neighbouring elements of x.
template <class T, class Body>
inline void each_mask(const T* x, std::ptrdiff_t count, const Body& body) {
  std::ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) body(i, nonzero_mask(x + i));
  if (i < count) body(i, nonzero_mask(x + i, count - i));
}

template <class T>
inline std::ptrdiff_t count_nonzeros(const T* x, std::ptrdiff_t count) {
  std::ptrdiff_t total = 0;
  each_mask(x, count, [&](std::ptrdiff_t, unsigned mask) { total += std::popcount(mask); });
  return total;
}

/// Writes the positions of all elements that are not zero to a list of `count` + kListSlack; returns their number.
template <class T>
inline std::ptrdiff_t find_nonzeros(const T* x, std::ptrdiff_t count, std::uint32_t* list) {
  std::ptrdiff_t found = 0;
  each_mask(x, count, [&](std::ptrdiff_t first, unsigned mask) {
    if (mask != 0) found = append_places(mask, static_cast<std::uint32_t>(first), list, found);
  });
  return found;
}

/// Positions of the elements of a row of pixels that are not zero, in order, and where each pixel's begin.
struct RowList {
  std::uint32_t* positions = nullptr;  ///< room for pixels * channels + kListSlack
  std::uint32_t* starts = nullptr;     ///< [pixels + 1]
};

template <class T>
inline void list_row(const T* row, std::ptrdiff_t pixels, std::ptrdiff_t channels, const RowList& list) {
  std::ptrdiff_t found = 0, pixel = 0, boundary = 0;
  each_mask(row, pixels * channels, [&](std::ptrdiff_t first, unsigned mask) {
    for (; boundary < first + 8 && pixel < pixels; boundary += channels) {
      const unsigned before = mask & ((1U << static_cast<unsigned>(boundary - first)) - 1U);
      list.starts[pixel++] = static_cast<std::uint32_t>(found + std::popcount(before));
    }
    found = append_places(mask, static_cast<std::uint32_t>(first), list.positions, found);
  });
  list.starts[pixels] = static_cast<std::uint32_t>(found);
}

}  // namespace synfire::synapses
