#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "network/op_count.hpp"
#include "synapses/checks.hpp"

/// Sums over the events of a signal, by every element and without a branch: a sixteenth of the elements or all of them
/// take the same time. Private to the room: not installed.
namespace synfire::network {

/// An event that is stored is its index.
inline constexpr std::uint64_t kEventBytes = 4;

/// Events, and the products that they ask for.
struct Tally {
  EventCount events, products;

  Tally& operator+=(const Tally& other) {
    events += other.events;
    products += other.products;
    return *this;
  }
};

/// Elements whose sums stay in 32 bits, lane by lane, as long as a product count is below 2^22.
inline constexpr std::ptrdiff_t kTallyRun = 1024;

/// Of up to kTallyRun elements; element i asks for products[i].
template <class T, class Products>
inline Tally tally_run(const T* x, const Products* products, std::ptrdiff_t count) {
  using Sum = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  Sum events = 0, units = 0, all = 0, of_units = 0;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const T magnitude = std::abs(x[i]);
    const Sum asked = products[i];
    events += magnitude != T(0) ? 1 : 0;
    units += magnitude == T(1) ? 1 : 0;
    all += magnitude != T(0) ? asked : 0;
    of_units += magnitude == T(1) ? asked : 0;
  }
  return {{units, events - units}, {of_units, all - of_units}};
}

template <class Products>
inline Tally tally_run(const std::uint8_t* spikes, const Products* products, std::ptrdiff_t count) {
  std::uint32_t events = 0, asked = 0;
  std::ptrdiff_t i = 0;
#if defined(__AVX2__)
  std::array<std::uint32_t, 8> lanes;
  const auto add_lanes = [&](__m256i sums, std::uint32_t& to) {
    std::memcpy(lanes.data(), &sums, sizeof(sums));
    for (const std::uint32_t lane : lanes) to += lane;
  };
  const __m256i zero = _mm256_setzero_si256();
  __m256i event_sums = zero, product_sums = zero;
  if constexpr (sizeof(Products) == 2) {
    const auto products_of = [&](__m128i bytes, const Products* of) {
      return _mm256_madd_epi16(_mm256_cvtepu8_epi16(bytes), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(of)));
    };
    for (; i + 32 <= count; i += 32) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(spikes + i));
      event_sums = _mm256_add_epi32(event_sums, _mm256_sad_epu8(bytes, zero));
      product_sums = _mm256_add_epi32(product_sums, products_of(_mm256_castsi256_si128(bytes), products + i));
      product_sums = _mm256_add_epi32(product_sums, products_of(_mm256_extracti128_si256(bytes, 1), products + i + 16));
    }
  } else {
    for (; i + 8 <= count; i += 8) {
      const __m256i ones = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(spikes + i)));
      const __m256i of = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(products + i));
      event_sums = _mm256_add_epi32(event_sums, ones);
      product_sums = _mm256_add_epi32(product_sums, _mm256_and_si256(_mm256_sub_epi32(zero, ones), of));
    }
  }
  add_lanes(event_sums, events);
  add_lanes(product_sums, asked);
#endif
  for (; i < count; ++i) {
    events += spikes[i];
    asked += spikes[i] * std::uint32_t{products[i]};
  }
  return {{events, 0}, {asked, 0}};
}

/// \param products  16-bit ones must be below 2^15
template <class T, class Products>
inline Tally tally(const T* x, const Products* products, std::ptrdiff_t count) {
  Tally total;
  for (std::ptrdiff_t i = 0; i < count; i += kTallyRun) {
    total += tally_run(x + i, products + i, std::min(kTallyRun, count - i));
  }
  return total;
}

template <class T>
inline std::ptrdiff_t num_events(const T* x, std::ptrdiff_t count) {
  std::ptrdiff_t total = 0;
  for (std::ptrdiff_t i = 0; i < count; i += kTallyRun) {
    std::uint32_t events = 0;
    for (std::ptrdiff_t k = i; k < std::min(i + kTallyRun, count); ++k) events += x[k] != T(0) ? 1U : 0U;
    total += events;
  }
  return total;
}
inline std::ptrdiff_t num_events(const std::uint8_t* spikes, std::ptrdiff_t count) {
  std::ptrdiff_t total = 0, i = 0;
#if defined(__AVX2__)
  const __m256i zero = _mm256_setzero_si256();
  __m256i sums = zero;
  for (; i + 32 <= count; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(spikes + i));
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(bytes, zero));
  }
  std::array<std::int64_t, 4> lanes;
  std::memcpy(lanes.data(), &sums, sizeof(sums));
  for (const std::int64_t lane : lanes) total += lane;
#endif
  for (; i < count; ++i) total += spikes[i];
  return total;
}

template <class Scalar>
std::ptrdiff_t num_events(const Signal<Scalar>& x) {
  constexpr int kChunks = 64;
  std::array<std::ptrdiff_t, kChunks> counts{};
  synapses::with_elements(x, [&](const auto* elements) {
    parallel_chunks(x.shape.size(), kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      counts[static_cast<std::size_t>(chunk)] = num_events(elements + begin, end - begin);
    });
  });
  std::ptrdiff_t total = 0;
  for (const std::ptrdiff_t count : counts) total += count;
  return total;
}

/// Adds eff_* and nb_* of one call.
inline void add_call(const Tally& call, LayerLedger& record) {
  record.eff_unit += call.products.unit;
  record.eff_graded += call.products.graded;
  (call.events.graded == 0 ? record.nb_acs : record.nb_macs) += call.products.unit + call.products.graded;
}

/// Adds eff_*, nb_*, events_in and input_elems of a signal [T, B, ...] whose event at tick t and input i of a frame
/// asks for `products_of(t)[i]` products.
template <class Scalar, class ProductsOf>
EventCount count_calls(const Signal<Scalar>& x, const ProductsOf& products_of, LayerLedger& record) {
  const std::ptrdiff_t ticks = x.shape[0], batch = x.shape[1], frame = x.shape.size_from(2);
  std::vector<Tally> calls(static_cast<std::size_t>(ticks));
  synapses::with_elements(x, [&](const auto* elements) {
    parallel_for(ticks, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t t = begin; t < end; ++t) {
        const std::uint32_t* const products = products_of(t);
        for (std::ptrdiff_t b = 0; b < batch; ++b) {
          calls[static_cast<std::size_t>(t)] += tally(elements + (t * batch + b) * frame, products, frame);
        }
      }
    });
  });
  EventCount events;
  for (const Tally& call : calls) {
    events += call.events;
    add_call(call, record);
  }
  record.events_in += events.unit + events.graded;
  record.input_elems += static_cast<std::uint64_t>(x.shape.size());
  return events;
}

}  // namespace synfire::network
