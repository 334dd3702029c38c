#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "core/random.hpp"

/// Eight neurons side by side, by the vectors of GCC and Clang. Private to network/: not installed.
namespace synfire::network {

using Float8 = float __attribute__((vector_size(32)));
using Int8 = std::int32_t __attribute__((vector_size(32)));
using UInt8 = std::uint32_t __attribute__((vector_size(32)));

inline constexpr std::int32_t kGroup = 32;  ///< neurons that share eight blocks of random numbers

inline Int8 load_sums(const std::int32_t* from) {
  Int8 sums;
  std::memcpy(&sums, from, sizeof(sums));
  return sums;
}
inline Int8 load_sums(const std::int16_t* from) {
  std::int16_t __attribute__((vector_size(16))) sums;
  std::memcpy(&sums, from, sizeof(sums));
  return __builtin_convertvector(sums, Int8);
}

/// One bit for each lane of a comparison.
inline std::uint32_t lane_bits(const Int8& mask) {
#if defined(__AVX2__)
  return static_cast<std::uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
#else
  std::uint32_t bits = 0;
  for (int lane = 0; lane < 8; ++lane) bits |= (mask[lane] != 0 ? 1U : 0U) << lane;
  return bits;
#endif
}

/// a b + c, rounded once on every machine.
inline Float8 fused(const Float8& a, const Float8& b, const Float8& c) {
#if defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  Float8 result;
  for (int lane = 0; lane < 8; ++lane) result[lane] = std::fma(a[lane], b[lane], c[lane]);
  return result;
#endif
}

/// table[index] for a table of sixteen and indices below that.
inline UInt8 pick16(const std::uint32_t* table, const UInt8& index) {
#if defined(__AVX2__)
  const auto at = reinterpret_cast<__m256i>(index);
  const auto half = [&](int begin) {
    const __m256i entries = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(table + begin));
    return _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(entries, at));
  };
  const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(at, 28));
  return reinterpret_cast<UInt8>(_mm256_blendv_ps(half(0), half(8), upper));
#else
  UInt8 result;
  for (int lane = 0; lane < 8; ++lane) result[lane] = table[index[lane]];
  return result;
#endif
}

/// Word `w` of element 8 group + lane of a RandomStream is number 8 w + lane of `words`: the numbers of the neurons of
/// a group, side by side.
inline void draw_group(std::uint64_t seed, std::uint32_t stream, std::uint32_t step, std::uint32_t group,
                       std::array<UInt8, 4>& words) {
#if defined(__AVX2__)
  // A product needs 64 bits, so even and odd lanes are computed apart. What stands above a word is never read: the
  // multiplication takes the lower halves alone.
  const __m256i factor0 = _mm256_set1_epi64x(0xD2511F53), factor1 = _mm256_set1_epi64x(0xCD9E8D57);
  const long long first = static_cast<long long>(group) * 8;
  __m256i even0 = _mm256_add_epi64(_mm256_set1_epi64x(first), _mm256_setr_epi64x(0, 2, 4, 6));
  __m256i odd0 = _mm256_add_epi64(even0, _mm256_set1_epi64x(1));
  // An element beyond 2^32 has an upper word.
  __m256i even1 = _mm256_srli_epi64(even0, 32), odd1 = _mm256_srli_epi64(odd0, 32);
  __m256i even2 = _mm256_set1_epi64x(stream), odd2 = even2;
  __m256i even3 = _mm256_set1_epi64x(step), odd3 = even3;
  __m256i key0 = _mm256_set1_epi64x(static_cast<std::uint32_t>(seed));
  __m256i key1 = _mm256_set1_epi64x(static_cast<std::uint32_t>(seed >> 32U));
  const __m256i next0 = _mm256_set1_epi64x(0x9E3779B9), next1 = _mm256_set1_epi64x(0xBB67AE85);
  for (int round = 0; round < 10; ++round) {
    const auto turn = [&](__m256i& c0, __m256i& c1, __m256i& c2, __m256i& c3) {
      const __m256i product0 = _mm256_mul_epu32(c0, factor0), product1 = _mm256_mul_epu32(c2, factor1);
      c0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product1, 32), c1), key0);
      c1 = product1;
      c2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product0, 32), c3), key1);
      c3 = product0;
    };
    turn(even0, even1, even2, even3);
    turn(odd0, odd1, odd2, odd3);
    key0 = _mm256_add_epi32(key0, next0);
    key1 = _mm256_add_epi32(key1, next1);
  }
  const auto join = [](__m256i even, __m256i odd) {
    return reinterpret_cast<UInt8>(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA));
  };
  words = {join(even0, odd0), join(even1, odd1), join(even2, odd2), join(even3, odd3)};
#else
  const RandomStream random(seed, stream, step);
  for (std::uint32_t lane = 0; lane < 8; ++lane) {
    const Philox::Block block = random.words(std::uint64_t{group} * 8 + lane);
    for (std::size_t w = 0; w < 4; ++w) words[w][lane] = block[w];
  }
#endif
}

}  // namespace synfire::network
