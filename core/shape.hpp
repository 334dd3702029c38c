#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>

namespace synfire {

/// Extents of a contiguous, row-major block, at most six of them; a value, no heap memory.
/// Time first and channels last: `[T, B, H, W, C]` for images, `[T, B, C]` for vectors (docs/decisions/0001).
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  /// \throws ShapeError for more than kMaxRank extents, a negative one, or a product that overflows
  Shape(std::initializer_list<std::ptrdiff_t> extents);

  int rank() const { return rank_; }
  std::ptrdiff_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  /// Number of elements; 1 for rank 0.
  std::ptrdiff_t size() const { return size_; }
  /// Product of the extents of axes `first` and later; 1 if there are none.
  std::ptrdiff_t size_from(int first) const;
  /// Extent of the last axis: the number of channels.
  std::ptrdiff_t channels() const { return rank_ == 0 ? 1 : extents_[static_cast<std::size_t>(rank_ - 1)]; }
  /// This shape with `extent` in front of it.
  Shape prepend(std::ptrdiff_t extent) const;
  /// This shape without its first `count` axes.
  Shape drop_front(int count) const;
  /// "[16, 8, 128]"
  std::string text() const;

  bool operator==(const Shape&) const = default;

 private:
  void append(std::ptrdiff_t extent);

  std::array<std::ptrdiff_t, kMaxRank> extents_{};
  std::ptrdiff_t size_ = 1;
  int rank_ = 0;
};

}  // namespace synfire
