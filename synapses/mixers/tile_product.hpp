#pragma once

#include <algorithm>
#include <cstddef>

#include "synapses/simd.hpp"

/// Products of small matrices that stay in the nearest cache. Private to the room: not installed.
namespace synfire::synapses {

/// A matrix of which single elements are read: a(i, l) = data[i * row + l * column].
template <class Scalar>
struct Strided {
  const Scalar* data;
  std::ptrdiff_t row, column;
};

/// A matrix of which rows are read and written: whole packs, whose last numbers may mean nothing.
template <class Scalar>
struct PackedRows {
  Scalar* data;
  std::ptrdiff_t width;  ///< numbers from one row to the next; whole packs

  Scalar* row(std::ptrdiff_t i) const { return data + i * width; }
};

template <class Scalar>
constexpr std::ptrdiff_t padded(std::ptrdiff_t count) {
  return packs_for<Scalar>(count) * kLanes<Scalar>;
}

template <int Rows, int Packs, class Scalar>
inline void add_block_product(std::ptrdiff_t inner, const Scalar* a, const Strided<Scalar>& strides, const Scalar* b,
                              std::ptrdiff_t b_width, Scalar* c, std::ptrdiff_t c_width) {
  Pack<Scalar> sums[Rows][Packs];
  unroll<Rows>(
      [&](auto r) { unroll<Packs>([&](auto p) { sums[r][p] = load(c + r * c_width + p * kLanes<Scalar>); }); });
  for (std::ptrdiff_t l = 0; l < inner; ++l) {
    Pack<Scalar> row[Packs];
    unroll<Packs>([&](auto p) { row[p] = load(b + l * b_width + p * kLanes<Scalar>); });
    unroll<Rows>([&](auto r) {
      const Pack<Scalar> factor = broadcast(a[r * strides.row + l * strides.column]);
      unroll<Packs>([&](auto p) { sums[r][p] = multiply_add(factor, row[p], sums[r][p]); });
    });
  }
  unroll<Rows>(
      [&](auto r) { unroll<Packs>([&](auto p) { store(sums[r][p], c + r * c_width + p * kLanes<Scalar>); }); });
}

template <int Packs, class Scalar>
inline void add_column_product(std::ptrdiff_t rows, std::ptrdiff_t inner, const Strided<Scalar>& a, const Scalar* b,
                               std::ptrdiff_t b_width, Scalar* c, std::ptrdiff_t c_width) {
  std::ptrdiff_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    add_block_product<4, Packs>(inner, a.data + i * a.row, a, b, b_width, c + i * c_width, c_width);
  }
  for (; i < rows; ++i) {
    add_block_product<1, Packs>(inner, a.data + i * a.row, a, b, b_width, c + i * c_width, c_width);
  }
}

/// c[i, :] += sum_l a(i, l) b[l, :], every sum in the order of l whatever the sizes.
template <class Scalar>
void add_product(std::ptrdiff_t rows, std::ptrdiff_t inner, const Strided<Scalar>& a, const PackedRows<Scalar>& b,
                 const PackedRows<Scalar>& c) {
  std::ptrdiff_t column = 0;
  for (; column + 2 * kLanes<Scalar> <= c.width; column += 2 * kLanes<Scalar>) {
    add_column_product<2>(rows, inner, a, b.data + column, b.width, c.data + column, c.width);
  }
  if (column < c.width) {
    add_column_product<1>(rows, inner, a, b.data + column, b.width, c.data + column, c.width);
  }
}

/// to += factor * from, over whole packs.
template <class Scalar>
inline void add_row(Scalar factor, const Scalar* from, std::ptrdiff_t width, Scalar* to) {
  const Pack<Scalar> factors = broadcast(factor);
  for (std::ptrdiff_t k = 0; k < width; k += kLanes<Scalar>) {
    store(multiply_add(factors, load(from + k), load(to + k)), to + k);
  }
}
template <class Scalar>
inline void add_row(const Scalar* from, std::ptrdiff_t width, Scalar* to) {
  for (std::ptrdiff_t k = 0; k < width; k += kLanes<Scalar>) store(load(from + k) + load(to + k), to + k);
}

/// to[j, i] = from[i, j]; the rest of each row of `to` becomes 0.
template <class Scalar>
void transpose_tile(const PackedRows<Scalar>& from, std::ptrdiff_t rows, std::ptrdiff_t columns,
                    const PackedRows<Scalar>& to) {
  for (std::ptrdiff_t j = 0; j < columns; ++j) {
    Scalar* const row = to.row(j);
    for (std::ptrdiff_t i = 0; i < rows; ++i) row[i] = from.data[i * from.width + j];
    std::fill(row + rows, row + to.width, Scalar(0));
  }
}

}  // namespace synfire::synapses
