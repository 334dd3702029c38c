#include "core/shape.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire {

Shape::Shape(std::initializer_list<std::ptrdiff_t> extents) {
  for (const std::ptrdiff_t extent : extents) append(extent);
}

void Shape::append(std::ptrdiff_t extent) {
  if (rank_ == kMaxRank) throw ShapeError(fmt::format("[shape] at most {} axes, got more", kMaxRank));
  if (extent < 0) throw ShapeError(fmt::format("[shape] an extent must not be negative, got {}", extent));
  if (__builtin_mul_overflow(size_, extent, &size_)) throw ShapeError("[shape] the number of elements overflows");
  extents_[static_cast<std::size_t>(rank_++)] = extent;
}

std::ptrdiff_t Shape::size_from(int first) const {
  std::ptrdiff_t product = 1;
  for (int axis = first; axis < rank_; ++axis) product *= (*this)[axis];
  return product;
}

Shape Shape::prepend(std::ptrdiff_t extent) const {
  Shape result{extent};
  for (int axis = 0; axis < rank_; ++axis) result.append((*this)[axis]);
  return result;
}

Shape Shape::drop_front(int count) const {
  Shape result;
  for (int axis = count; axis < rank_; ++axis) result.append((*this)[axis]);
  return result;
}

std::string Shape::text() const {
  std::string inside;
  for (int axis = 0; axis < rank_; ++axis) inside += fmt::format("{}{}", axis == 0 ? "" : ", ", (*this)[axis]);
  return "[" + inside + "]";
}

}  // namespace synfire
