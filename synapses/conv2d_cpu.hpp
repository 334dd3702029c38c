#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "synapses/conv2d.hpp"
#include "synapses/sparse_sums.hpp"

/// The host side of conv2d. Not installed; network/ shares it for feedback and counting. Arguments have been checked.
namespace synfire::synapses {

/// A convolution of `frames` images in numbers.
struct Conv2dExtents {
  Conv2dGeometry g;
  std::ptrdiff_t frames, in_h, in_w, out_h, out_w;

  std::ptrdiff_t in() const { return g.in_channels; }
  std::ptrdiff_t out() const { return g.out_channels; }
  std::ptrdiff_t taps() const { return std::ptrdiff_t{g.kernel_h} * g.kernel_w; }
  std::ptrdiff_t in_size() const { return in_h * in_w * in(); }
  std::ptrdiff_t out_size() const { return out_h * out_w * out(); }
};

constexpr std::ptrdiff_t ceil_div(std::ptrdiff_t a, std::ptrdiff_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }
constexpr std::ptrdiff_t floor_div(std::ptrdiff_t a, std::ptrdiff_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/// Output rows of a frame that the forward pass computes together, in the way that suits them, and the input rows that
/// they read.
struct Conv2dBand {
  static constexpr std::ptrdiff_t kRows = 16;
  /// Part of the elements that is not zero from which the dense product is faster; bench/conv2d.cpp.
  static constexpr double kDenseFrom = 0.5;

  std::ptrdiff_t begin, end, first_row, last_row;

  Conv2dBand(const Conv2dExtents& e, std::ptrdiff_t index)
      : begin(index * kRows),
        end(std::min(begin + kRows, e.out_h)),
        first_row(std::max<std::ptrdiff_t>(0, begin * e.g.stride - e.g.padding)),
        last_row(std::min(e.in_h, (end - 1) * e.g.stride - e.g.padding + e.g.kernel_h)) {}

  static std::ptrdiff_t count(const Conv2dExtents& e) { return ceil_div(e.out_h, kRows); }
  std::ptrdiff_t elements(const Conv2dExtents& e) const {
    return std::max<std::ptrdiff_t>(0, last_row - first_row) * e.in_w * e.in();
  }
  bool is_dense(const Conv2dExtents& e, std::ptrdiff_t nonzeros) const {
    return static_cast<double>(nonzeros) >= kDenseFrom * static_cast<double>(elements(e));
  }
};

/// `x` is the first element of real values or of spikes.
template <class Scalar, class T>
void conv2d_forward_cpu(const Conv2dExtents& e, const T* x, const Scalar* w, const Scalar* bias, Scalar* y,
                        std::span<std::byte> scratch);
template <class Scalar>
std::size_t conv2d_forward_scratch_cpu(const Conv2dExtents& e);

/// grad_x null: not wanted.
template <class Scalar, class T>
void conv2d_backward_cpu(const Conv2dExtents& e, const T* x, const Scalar* w, const Scalar* grad_y, Scalar* grad_w,
                         Scalar* grad_bias, Scalar* grad_x, std::span<std::byte> scratch);
template <class Scalar>
std::size_t conv2d_backward_scratch_cpu(const Conv2dExtents& e);

/// Weights of the sparse loops: [group of packs][kernel row][kernel column][in channel][width of the group]. Calls
/// `body(packed index, index in [Co, Ci, Kh, Kw] or -1 for padding)` for all.
template <class Scalar, class Body>
void each_grouped_weight(const Conv2dExtents& e, const Body& body) {
  each_group(packs_for<Scalar>(e.out()), [&](std::ptrdiff_t pack, auto width) {
    const std::ptrdiff_t begin = pack * kLanes<Scalar>, lanes = width * kLanes<Scalar>;
    std::ptrdiff_t packed = begin * e.taps() * e.in();
    for (std::ptrdiff_t tap = 0; tap < e.taps(); ++tap) {
      for (std::ptrdiff_t c = 0; c < e.in(); ++c) {
        for (std::ptrdiff_t o = begin; o < begin + lanes; ++o) {
          body(packed++, o < e.out() ? (o * e.in() + c) * e.taps() + tap : -1);
        }
      }
    }
  });
}

/// Number of values that each_grouped_weight visits.
template <class Scalar>
std::ptrdiff_t grouped_weights(const Conv2dExtents& e) {
  return packs_for<Scalar>(e.out()) * kLanes<Scalar> * e.taps() * e.in();
}

}  // namespace synfire::synapses
