#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// Rows of weights on their way into the sums of a population. Private to the room: not installed.
namespace synfire::network {

template <std::size_t N>
inline void add_some_rows(const std::int32_t* const* rows, std::ptrdiff_t offset, std::ptrdiff_t count,
                          std::int32_t* __restrict__ sums) {
  std::array<const std::int32_t*, N> row;
  for (std::size_t k = 0; k < N; ++k) row[k] = rows[k] + offset;
  for (std::ptrdiff_t o = 0; o < count; ++o) {
    std::int32_t sum = sums[o];
    for (std::size_t k = 0; k < N; ++k) sum += row[k][o];
    sums[o] = sum;
  }
}

/// sums[o] += row[offset + o] of every row, `count` of them. The sums are read and written once for eight rows.
inline void add_rows(std::span<const std::int32_t* const> rows, std::ptrdiff_t offset, std::ptrdiff_t count,
                     std::int32_t* sums) {
  const std::int32_t* const* row = rows.data();
  const std::int32_t* const* const end = row + rows.size();
  for (; end - row >= 8; row += 8) add_some_rows<8>(row, offset, count, sums);
  if (end - row >= 4) {
    add_some_rows<4>(row, offset, count, sums);
    row += 4;
  }
  if (end - row >= 2) {
    add_some_rows<2>(row, offset, count, sums);
    row += 2;
  }
  if (end - row == 1) add_some_rows<1>(row, offset, count, sums);
}

/// sums[o] += value * row[o].
inline void add_multiple(const std::int32_t* row, std::int32_t value, std::ptrdiff_t count,
                         std::int32_t* __restrict__ sums) {
  for (std::ptrdiff_t o = 0; o < count; ++o) sums[o] += value * row[o];
}

}  // namespace synfire::network
