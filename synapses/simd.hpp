#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>
#endif

/// Vectors of 32 bytes, by the compiler's vector extension: one instruction where the processor has AVX, two with SSE.
/// Private to the room: not installed.

// Without AVX, GCC warns that such values are passed otherwise than with it; here every function is inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace synfire::synapses {

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

template <class Scalar>
inline void store(Pack<Scalar> pack, Scalar* to) {
  std::memcpy(to, &pack, sizeof(pack));
}

template <class Scalar>
inline Pack<Scalar> broadcast(Scalar value) {
  return value - Pack<Scalar>{};
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

}  // namespace synfire::synapses
