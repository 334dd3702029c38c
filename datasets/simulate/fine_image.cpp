#include "datasets/simulate/fine_image.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace synfire::datasets {

namespace {

struct Place {
  std::ptrdiff_t sample;  // at or left of (above) the place
  float share;            // of the next sample
};

void blend(std::ptrdiff_t count, Place across, Place down, const float* __restrict top_left,
           const float* __restrict top_right, const float* __restrict bottom_left, const float* __restrict bottom_right,
           float* __restrict out) {
  for (std::ptrdiff_t x = 0; x < count; ++x) {
    const float upper = top_left[x] + across.share * (top_right[x] - top_left[x]);
    const float lower = bottom_left[x] + across.share * (bottom_right[x] - bottom_left[x]);
    out[x] = upper + down.share * (lower - upper);
  }
}

}  // namespace

FineImage::FineImage(int width, int height, int margin, int fine)
    : width_(width),
      height_(height),
      margin_(margin),
      fine_(fine),
      padded_width_(width + 2 * margin),
      padded_height_(height + 2 * margin),
      samples_(static_cast<std::size_t>(rows()) * static_cast<std::size_t>(columns()), 0.0F) {
  assert(width > 0 && height > 0 && margin > 0 && fine > 0);
}

Point FineImage::place(int row, int column) const {
  return {(column + 0.5) / fine_ - margin_, (row + 0.5) / fine_ - margin_};
}

void FineImage::look(Point offset, std::span<float> out) const {
  assert(out.size() == static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_));
  const double most = margin_ - 1.0;
  const auto first = [&](double shift) {
    const double sample = fine_ * (margin_ + 0.5 - std::clamp(shift, -most, most)) - 0.5;
    const double whole = std::floor(sample);
    return Place{static_cast<std::ptrdiff_t>(whole), static_cast<float>(sample - whole)};
  };
  const Place across = first(offset.x);
  const Place down = first(offset.y);
  const auto row_from = [&](std::ptrdiff_t row, std::ptrdiff_t column) {
    return samples_.data() + (column % fine_ * rows() + row) * padded_width_ + column / fine_;
  };
  // All pixels see the picture displaced by the same amount, so that they share their weights.
  for (std::ptrdiff_t y = 0; y < height_; ++y) {
    const std::ptrdiff_t row = down.sample + fine_ * y;
    blend(width_, across, down, row_from(row, across.sample), row_from(row, across.sample + 1),
          row_from(row + 1, across.sample), row_from(row + 1, across.sample + 1),
          &out[static_cast<std::size_t>(y * width_)]);
  }
}

}  // namespace synfire::datasets
