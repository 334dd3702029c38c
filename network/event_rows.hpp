#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "network/sparse/lanes8.hpp"

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

template <int kPacks>
inline void add_columns(std::span<const std::int32_t* const> rows, std::ptrdiff_t offset, std::int32_t* sums) {
  std::array<Int8, kPacks> sum;
  for (std::size_t k = 0; k < kPacks; ++k) sum[k] = load_sums(sums + 8 * k);
  for (const std::int32_t* row : rows) {
    for (std::size_t k = 0; k < kPacks; ++k) sum[k] += load_sums(row + offset + 8 * k);
  }
  std::memcpy(sums, sum.data(), sizeof(sum));
}

/// The same for rows that are in the first caches: the sums of 32 columns stay in registers for all rows.
inline void add_short_rows(std::span<const std::int32_t* const> rows, std::ptrdiff_t offset, std::ptrdiff_t count,
                           std::int32_t* sums) {
  std::ptrdiff_t o = 0;
  for (; o + 32 <= count; o += 32) add_columns<4>(rows, offset + o, sums + o);
  for (; o + 8 <= count; o += 8) add_columns<1>(rows, offset + o, sums + o);
  for (; o < count; ++o) {
    for (const std::int32_t* row : rows) sums[o] += row[offset + o];
  }
}

/// sums[o] += value * row[o].
inline void add_multiple(const std::int32_t* row, std::int32_t value, std::ptrdiff_t count,
                         std::int32_t* __restrict__ sums) {
  for (std::ptrdiff_t o = 0; o < count; ++o) sums[o] += value * row[o];
}

}  // namespace synfire::network
