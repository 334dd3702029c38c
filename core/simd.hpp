#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>
#endif

/// Vectors of 32 bytes, by the compiler's vector extension: one instruction where the processor has AVX, two with SSE.
/// Private to the library: not installed.
namespace synfire {

template <class Scalar>
struct PackOf;
template <>
struct PackOf<float> {
  typedef float type __attribute__((vector_size(32)));
};
template <>
struct PackOf<double> {
  typedef double type __attribute__((vector_size(32)));
};

template <>
struct PackOf<std::uint8_t> {
  typedef std::uint8_t type __attribute__((vector_size(32)));
};

template <class Scalar>
using Pack = typename PackOf<Scalar>::type;

/// Numbers in a Pack.
template <class Scalar>
inline constexpr std::ptrdiff_t kLanes = 32 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

/// Packs that hold `count` numbers.
template <class Scalar>
constexpr std::ptrdiff_t packs_for(std::ptrdiff_t count) {
  return (count + kLanes<Scalar> - 1) / kLanes<Scalar>;
}

template <class Scalar>
inline Pack<Scalar> load(const Scalar* from) {
  Pack<Scalar> pack;
  std::memcpy(&pack, from, sizeof(pack));
  return pack;
}

/// Spikes as real values.
template <class Scalar>
inline Pack<Scalar> load(const std::uint8_t* spikes) {
  Pack<Scalar> pack{};
#if defined(__AVX2__)
  if constexpr (std::is_same_v<Scalar, float>) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(spikes));
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  }
#endif
  for (std::ptrdiff_t k = 0; k < kLanes<Scalar>; ++k) pack[k] = static_cast<Scalar>(spikes[k]);
  return pack;
}

template <class Scalar>
inline void store(Pack<Scalar> pack, Scalar* to) {
  std::memcpy(to, &pack, sizeof(pack));
}

template <class Scalar>
inline Pack<Scalar> broadcast(Scalar value) {
  return value - Pack<Scalar>{};
}

/// From this size on an array that is written whole is kept out of the caches: reading each line first only to
/// overwrite it would double the traffic, and the array would not stay there anyway; bench/conv2d.cpp.
inline constexpr std::size_t kStreamFromBytes = std::size_t{16} << 20U;

/// Whether `count` values at `to`, in rows of `row`, are written by stream(): for many values in aligned rows of packs.
template <class Scalar>
inline bool can_stream(const Scalar* to, std::ptrdiff_t count, std::ptrdiff_t row) {
  return static_cast<std::size_t>(count) * sizeof(Scalar) >= kStreamFromBytes && row % kLanes<Scalar> == 0 &&
         reinterpret_cast<std::uintptr_t>(to) % sizeof(Pack<Scalar>) == 0;
}

/// A store past the caches to an aligned address. A task that streams ends with end_stream().
inline void stream(Pack<float> pack, float* to) {
#if defined(__AVX__)
  _mm256_stream_ps(to, pack);
#else
  store(pack, to);
#endif
}
inline void stream(Pack<double> pack, double* to) {
#if defined(__AVX__)
  _mm256_stream_pd(to, pack);
#else
  store(pack, to);
#endif
}
/// Makes streamed values visible to other threads before whatever is written next.
inline void end_stream() {
#if defined(__AVX__)
  _mm_sfence();
#endif
}

/// a b + c, rounded once where the processor can (the host code is compiled without contraction elsewhere).
inline Pack<float> multiply_add(Pack<float> a, Pack<float> b, Pack<float> c) {
#if defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}
inline Pack<double> multiply_add(Pack<double> a, Pack<double> b, Pack<double> c) {
#if defined(__FMA__)
  return _mm256_fmadd_pd(a, b, c);
#else
  return a * b + c;
#endif
}

/// Calls `body(integral_constant<int, 0>)` to `body(integral_constant<int, N - 1>)`: indices that are constants, so
/// that an array of packs stays in registers.
template <int N, class Body>
inline void unroll(const Body& body) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (body(std::integral_constant<int, I>{}), ...); }
  (std::make_integer_sequence<int, N>{});
}

}  // namespace synfire
