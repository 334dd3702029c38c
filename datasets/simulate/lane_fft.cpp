#include "datasets/simulate/lane_fft.hpp"

#include <cassert>
#include <cmath>
#include <numbers>

namespace synfire::datasets {

namespace {

using Root = std::complex<float>;

inline void multiply(const Lanes& a, Root w, Lanes& product) {
  product.half[0] = w.real() * a.half[0] - w.imag() * a.half[1];
  product.half[1] = w.real() * a.half[1] + w.imag() * a.half[0];
}

inline void pair(Lanes& a, Lanes& b) {
  for (std::size_t h = 0; h < 2; ++h) {
    const Float8 sum = a.half[h] + b.half[h];
    b.half[h] = a.half[h] - b.half[h];
    a.half[h] = sum;
  }
}

/// Four numbers, whose two halves are transforms already: two steps of radix 2. `w` and `w2` belong to the last step
/// and to the one before it.
inline void butterfly(Lanes& a0, Lanes& a1, Lanes& a2, Lanes& a3, Root w, Root w2) {
  Lanes b0 = a0, b1, b2 = a2, b3, c2, c3;
  multiply(a1, w2, b1);
  multiply(a3, w2, b3);
  pair(b0, b1);
  pair(b2, b3);
  multiply(b2, w, c2);
  multiply(b3, w, c3);
  for (std::size_t h = 0; h < 2; ++h) {
    a0.half[h] = b0.half[h] + c2.half[h];
    a2.half[h] = b0.half[h] - c2.half[h];
  }
  // The root a quarter further is i w.
  a1.half[0] = b1.half[0] - c3.half[1];
  a1.half[1] = b1.half[1] + c3.half[0];
  a3.half[0] = b1.half[0] + c3.half[1];
  a3.half[1] = b1.half[1] - c3.half[0];
}

}  // namespace

LaneFft::LaneFft(std::size_t length) : roots_(length), reversed_(length) {
  assert(length >= 4 && (length & (length - 1)) == 0);
  for (std::size_t j = 0; j < length; ++j) {
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(j) / static_cast<double>(length);
    roots_[j] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  }
  for (std::size_t k = 1; k < length; ++k)
    reversed_[k] = static_cast<std::uint32_t>(reversed_[k / 2] / 2 + (k % 2) * (length / 2));
}

void LaneFft::inverse(std::span<Lanes> values) const {
  assert(values.size() == length());
  part(values.data(), values.size());
}

// Depth first, so that the parts stay in the nearest cache.
void LaneFft::part(Lanes* values, std::size_t length) const {
  if (length == 1) return;
  if (length == 2) return pair(values[0], values[1]);
  const std::size_t quarter = length / 4;
  for (std::size_t q = 0; q < 4; ++q) part(values + q * quarter, quarter);
  const std::size_t stride = roots_.size() / length;
  for (std::size_t j = 0; j < quarter; ++j)
    butterfly(values[j], values[j + quarter], values[j + 2 * quarter], values[j + 3 * quarter], roots_[j * stride],
              roots_[2 * j * stride]);
}

}  // namespace synfire::datasets
