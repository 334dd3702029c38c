#include "core/shape.hpp"

#include <cstddef>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.hpp"

using namespace synfire;

TEST_CASE("a shape knows its extents, its size and its channels") {
  const Shape shape{16, 8, 34, 34, 2};

  CHECK(shape.rank() == 5);
  CHECK(shape[0] == 16);
  CHECK(shape[4] == 2);
  CHECK(shape.size() == 16 * 8 * 34 * 34 * 2);
  CHECK(shape.size_from(2) == 34 * 34 * 2);
  CHECK(shape.size_from(5) == 1);
  CHECK(shape.channels() == 2);
  CHECK(shape.text() == "[16, 8, 34, 34, 2]");
}

TEST_CASE("the shape of rank 0 has one element") {
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{}.channels() == 1);
  CHECK(Shape{}.text() == "[]");
}

TEST_CASE("an extent of 0 makes a shape without elements") {
  CHECK(Shape{3, 0, 5}.size() == 0);
  CHECK(Shape{3, 0, 5}.size_from(2) == 5);
}

TEST_CASE("axes are put in front and taken away there") {
  CHECK(Shape{8, 128}.prepend(16) == Shape{16, 8, 128});
  CHECK(Shape{16, 8, 128}.drop_front(1) == Shape{8, 128});
  CHECK(Shape{16, 8, 128}.drop_front(3) == Shape{});
  CHECK(Shape{16, 8}.drop_front(0) == Shape{16, 8});
}

TEST_CASE("shapes are equal when rank and extents are") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
  CHECK(Shape{0} != Shape{0, 7});
}

TEST_CASE("too many axes, a negative extent and a size that overflows are ShapeErrors") {
  constexpr std::ptrdiff_t kHuge = std::numeric_limits<std::ptrdiff_t>::max();

  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1}), ShapeError);
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1}.prepend(1)), ShapeError);
  CHECK_THROWS_AS((Shape{2, -1}), ShapeError);
  CHECK_THROWS_AS((Shape{kHuge, 2}), ShapeError);
  CHECK(Shape{kHuge}.size() == kHuge);
}
