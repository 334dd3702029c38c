#include "learning/metrics.hpp"

#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.hpp"

using namespace synfire;

TEST_CASE("a confusion matrix counts, and its classes have recall and precision") {
  learning::ConfusionMatrix confusion(3);
  for (int i = 0; i < 4; ++i) confusion.add(0, 0);
  confusion.add(0, 1);
  for (int i = 0; i < 2; ++i) confusion.add(1, 1);
  confusion.add(1, 0);

  CHECK(confusion.total() == 8);
  CHECK(confusion.correct() == 6);
  CHECK(confusion.accuracy() == 0.75);
  CHECK(confusion.count(0, 1) == 1);
  const auto scores = confusion.per_class();
  CHECK(scores[0].num_samples == 5);
  CHECK(scores[0].num_predicted == 5);
  CHECK(scores[0].recall == 0.8);
  CHECK(scores[1].precision == 2.0 / 3.0);
  CHECK(scores[1].f1 == 4.0 / 6.0);
  CHECK(std::isnan(scores[2].recall));
  CHECK(std::isnan(scores[2].f1));
}

TEST_CASE("a confusion matrix refuses classes that it does not have") {
  learning::ConfusionMatrix confusion(2);
  CHECK_THROWS_AS(confusion.add(2, 0), ShapeError);
  CHECK_THROWS_AS(confusion.add(0, -1), ShapeError);
  CHECK(confusion.total() == 0);
  CHECK(std::isnan(confusion.accuracy()));
}

TEST_CASE("Wilson's interval at 0, in the middle and at 1") {
  // Roots of (p - x)^2 = z^2 x (1 - x) / n with z = 1.959963984540054, solved in 50 digits.
  const auto middle = learning::wilson_interval(78, 80);
  CHECK(std::abs(middle.low - 0.91335567014422) <= 5e-15);
  CHECK(std::abs(middle.high - 0.99311710679703) <= 5e-15);

  const double z2 = 1.959963984540054 * 1.959963984540054;
  CHECK(learning::wilson_interval(0, 10).low == 0.0);
  CHECK(std::abs(learning::wilson_interval(0, 10).high - z2 / (10.0 + z2)) <= 1e-15);
  CHECK(std::abs(learning::wilson_interval(10, 10).high - 1.0) <= 1e-15);
  CHECK(learning::wilson_interval(0, 0).low == 0.0);
  CHECK(learning::wilson_interval(0, 0).high == 1.0);
}

TEST_CASE("the spread of some numbers is their mean and the deviation over n - 1") {
  const std::array<double, 4> values{1.0, 2.0, 4.0, 5.0};  // squares of the differences: 4, 1, 1, 4

  const auto spread = learning::spread_of(values);

  CHECK(spread.mean == 3.0);
  CHECK(spread.deviation == std::sqrt(10.0 / 3.0));
  CHECK(learning::spread_of(std::array{7.0}).mean == 7.0);
  CHECK(std::isnan(learning::spread_of(std::array{7.0}).deviation));
}
