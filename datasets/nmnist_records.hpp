#pragma once

// Shared by the reader and the writer of N-MNIST recordings; not installed.

#include <array>
#include <cstddef>
#include <cstdint>

#include "datasets/decoder_input.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace synfire::datasets::nmnist {

inline constexpr std::size_t kRecordBytes = 5;

/// x u8, y u8, then big-endian 1 bit polarity and 23 bits time.
struct Record {
  std::uint8_t x, y, on;
  std::uint32_t t_us;
};

inline Record load_record(const std::byte* from) {
  const std::uint32_t word = load_big<std::uint32_t>(from + 1);
  return {std::to_integer<std::uint8_t>(from[0]), static_cast<std::uint8_t>(word >> 24U),
          static_cast<std::uint8_t>((word >> 23U) & 1U), word & 0x7fffffU};
}

/// Where decoded records go.
struct Columns {
  std::int64_t* t_us;
  std::uint16_t* x;
  std::uint16_t* y;
  std::uint8_t* on;
};

#if defined(__AVX2__)

/// Eight records as three loads of 16 bytes, each with three whole records; the third is used for two.
struct EightRecords {
  static constexpr std::size_t kBytesRead = 46;
  using Shuffle = std::array<std::int8_t, 16>;

  explicit EightRecords(const std::byte* from)
      : part{_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)),
             _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 3 * kRecordBytes)),
             _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 6 * kRecordBytes))} {}

  /// Shuffle that brings byte `byte` of each record of `part_index` to position `stride * (record - first)`.
  static constexpr Shuffle shuffle(int part_index, int byte, int stride, int first = 0) {
    Shuffle result{};
    result.fill(-1);
    for (int k = 0; k < 3; ++k) {
      const int record = 3 * part_index + k, to = stride * (record - first);
      if (record < 8 && to >= 0 && to < 16)
        result[static_cast<std::size_t>(to)] = static_cast<std::int8_t>(5 * k + byte);
    }
    return result;
  }
  /// The same for the three bytes of the time, to little-endian words.
  static constexpr Shuffle time_shuffle(int part_index, int first) {
    Shuffle result{};
    result.fill(-1);
    for (int k = 0; k < 3; ++k) {
      const int record = 3 * part_index + k, to = 4 * (record - first);
      for (int byte = 0; byte < 3; ++byte)
        if (record < 8 && to >= 0 && to < 16)
          result[static_cast<std::size_t>(to + byte)] = static_cast<std::int8_t>(5 * k + 4 - byte);
    }
    return result;
  }

  template <class Choose>
  __m128i gather(Choose choose) const {
    static constexpr std::array<Shuffle, 3> kShuffles{choose(0), choose(1), choose(2)};
    const auto pick = [this](std::size_t i) {
      return _mm_shuffle_epi8(part[i], _mm_loadu_si128(reinterpret_cast<const __m128i*>(kShuffles[i].data())));
    };
    return _mm_or_si128(_mm_or_si128(pick(0), pick(1)), pick(2));
  }

  __m128i part[3];
};

inline void decode_eight(const std::byte* from, std::int64_t shift_us, const Columns& to) {
  const EightRecords records(from);
  const __m128i x = records.gather([](int part) { return EightRecords::shuffle(part, 0, 2); });
  const __m128i y = records.gather([](int part) { return EightRecords::shuffle(part, 1, 2); });
  const __m128i flags = records.gather([](int part) { return EightRecords::shuffle(part, 2, 1); });
  const __m128i on = _mm_and_si128(_mm_srli_epi16(flags, 7), _mm_set1_epi8(1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to.x), x);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to.y), y);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to.on), on);
  const auto store_times = [&](__m128i words, std::int64_t* times) {
    const __m128i bits = _mm_and_si128(words, _mm_set1_epi32(0x7fffff));
    const __m256i t_us = _mm256_add_epi64(_mm256_cvtepu32_epi64(bits), _mm256_set1_epi64x(shift_us));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(times), t_us);
  };
  store_times(records.gather([](int part) { return EightRecords::time_shuffle(part, 0); }), to.t_us);
  store_times(records.gather([](int part) { return EightRecords::time_shuffle(part, 4); }), to.t_us + 4);
}

#endif

/// Decodes `count` records as they are; times are shifted by `shift_us`.
inline void decode_records(const std::byte* from, std::size_t count, std::int64_t shift_us, const Columns& to) {
  std::size_t i = 0;
#if defined(__AVX2__)
  for (; i * kRecordBytes + EightRecords::kBytesRead <= count * kRecordBytes; i += 8)
    decode_eight(from + i * kRecordBytes, shift_us, {to.t_us + i, to.x + i, to.y + i, to.on + i});
#endif
  for (; i < count; ++i) {
    const Record record = load_record(from + i * kRecordBytes);
    to.t_us[i] = record.t_us + shift_us;
    to.x[i] = record.x;
    to.y[i] = record.y;
    to.on[i] = record.on;
  }
}

}  // namespace synfire::datasets::nmnist
