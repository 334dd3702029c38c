#pragma once

#include <cstddef>
#include <cstdint>

#include "network/lif_lanes.hpp"
#include "neurons/silent_lif.hpp"

/// The courses of neurons/silent_lif.hpp for eight neurons side by side, with the same bits. Private to the room.
namespace synfire::network {

/// table[index] of each lane.
inline Float8 pick_lanes(const float* table, const Int8& index) {
  // Neighbours were mostly touched together.
  if (lane_bits(index == index[0]) == 0xFFU) return table[index[0]] - Float8{};
#if defined(__AVX2__)
  return _mm256_i32gather_ps(table, reinterpret_cast<__m256i>(index), 4);
#else
  Float8 result;
  for (int lane = 0; lane < 8; ++lane) result[lane] = table[index[lane]];
  return result;
#endif
}

/// The membranes of the neurons from k on, `age` ticks after they were v.
inline Float8 silent_lanes(const neurons::LeakySilence& course, const Float8& v, std::ptrdiff_t k, const Int8& age) {
  const Int8 end = course.last_power - Int8{};
  const Float8 settle = load_lanes(course.settle + k);
  return fused(v - settle, pick_lanes(course.powers, age < end ? age : end), settle);
}
inline Float8 silent_lanes(const neurons::LeaklessSilence& course, const Float8& v, std::ptrdiff_t k, const Int8& age) {
  return fused(__builtin_convertvector(age, Float8), load_lanes(course.pull + k), v);
}

}  // namespace synfire::network
