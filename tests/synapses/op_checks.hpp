#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include <doctest/doctest.h>

#include "core/parallel.hpp"
#include "core/random.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"
#include "tests/support/tolerance.hpp"

namespace synfire::test {

/// Uniform in [-1, 1) with every element kept with probability `density`, else 0.
template <class Scalar>
Tensor<Scalar> random_tensor(const Shape& shape, std::uint32_t stream, double density = 1.0) {
  Tensor<Scalar> result(shape);
  const RandomStream values(1, stream, 0), kept(2, stream, 0);
  for (std::ptrdiff_t i = 0; i < result.size(); ++i) {
    const auto element = static_cast<std::uint64_t>(i);
    if (kept.uniform(element) < density) result[i] = static_cast<Scalar>(2.0 * values.uniform(element) - 1.0);
  }
  return result;
}

/// 0 or 1, 1 with probability `density`.
inline Tensor<std::uint8_t> random_spikes(const Shape& shape, std::uint32_t stream, double density) {
  Tensor<std::uint8_t> result(shape);
  const RandomStream kept(3, stream, 0);
  for (std::ptrdiff_t i = 0; i < result.size(); ++i) {
    result[i] = kept.uniform(static_cast<std::uint64_t>(i)) < density ? 1 : 0;
  }
  return result;
}

template <class Scalar>
Signal<Scalar> signal_of(const Tensor<Scalar>& x) {
  return {x.shape(), x.data(), nullptr, Device::cpu};
}

template <class Scalar>
Signal<Scalar> signal_of_spikes(const Tensor<std::uint8_t>& x) {
  return {x.shape(), nullptr, x.data(), Device::cpu};
}

template <class To, class From>
Tensor<To> convert(const Tensor<From>& x) {
  Tensor<To> result(x.shape());
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) result[i] = static_cast<To>(x[i]);
  return result;
}

/// A tensor that is full of a number no operation would leave behind: what must be overwritten shows.
template <class Scalar>
Tensor<Scalar> filled(const Shape& shape, Scalar value = Scalar{-777}) {
  Tensor<Scalar> result(shape);
  for (std::ptrdiff_t i = 0; i < result.size(); ++i) result[i] = value;
  return result;
}

template <class T>
bool same_bits(const Tensor<T>& a, const Tensor<T>& b) {
  return a.shape() == b.shape() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0);
}

/// The largest |got - expected| / bound, where all three have one entry an element; 0 for nothing. A bound of 0 asks
/// for equality. A NaN or an infinity is reported as infinity.
template <class Scalar>
double worst_error(const Tensor<Scalar>& got, const Tensor<double>& expected, const Tensor<double>& bound) {
  double worst = 0.0;
  for (std::ptrdiff_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(static_cast<double>(got[i]) - expected[i]);
    if (!std::isfinite(error)) return INFINITY;
    if (error > 0.0) worst = std::max(worst, error / bound[i]);
  }
  return worst;
}

/// sum_i weight[i] y[i]: makes a scalar loss of an output; its gradient with respect to y is `weight`.
inline double weighted_sum(const Tensor<double>& y, const Tensor<double>& weight) {
  double sum = 0.0;
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) sum += weight[i] * y[i];
  return sum;
}

/// The largest |central difference - analytic| over all elements of `input`, for a loss that is linear in each element:
/// no step is too large, so a step of 1 leaves only the rounding of the two losses.
inline double worst_linear_gradient_error(Tensor<double>& input, const Tensor<double>& analytic,
                                          const std::function<double()>& loss) {
  REQUIRE(analytic.shape() == input.shape());
  double worst = 0.0;
  for (std::ptrdiff_t i = 0; i < input.size(); ++i) {
    const double value = input[i];
    input[i] = value + 1.0;
    const double above = loss();
    input[i] = value - 1.0;
    const double below = loss();
    input[i] = value;
    worst = std::max(worst, std::abs((above - below) / 2.0 - analytic[i]));
  }
  return worst;
}

/// Runs `operation` with one and with two threads; true if what it returns has the same bits.
template <class Operation>
bool same_bits_for_any_threads(const Operation& operation) {
  const int before = num_threads();
  set_num_threads(1);
  const auto one = operation();
  set_num_threads(2);
  const auto two = operation();
  set_num_threads(before);
  return same_bits(one, two);
}

}  // namespace synfire::test
