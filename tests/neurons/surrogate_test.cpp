#include "neurons/surrogate.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/tolerance.hpp"

using namespace synfire;
using neurons::SurrogateKind;

namespace {

template <class Scalar>
Scalar derivative(SurrogateKind kind, Scalar u, Scalar alpha) {
  switch (kind) {
    case SurrogateKind::atan:
      return neurons::surrogate_derivative<SurrogateKind::atan>(u, alpha);
    case SurrogateKind::sigmoid:
      return neurons::surrogate_derivative<SurrogateKind::sigmoid>(u, alpha);
    case SurrogateKind::fast_sigmoid:
      return neurons::surrogate_derivative<SurrogateKind::fast_sigmoid>(u, alpha);
    case SurrogateKind::triangular:
      return neurons::surrogate_derivative<SurrogateKind::triangular>(u, alpha);
    case SurrogateKind::exponential:
      return neurons::surrogate_derivative<SurrogateKind::exponential>(u, alpha);
  }
  return NAN;
}

double primitive(SurrogateKind kind, double u, double alpha) {
  switch (kind) {
    case SurrogateKind::atan:
      return neurons::surrogate_primitive<SurrogateKind::atan>(u, alpha);
    case SurrogateKind::sigmoid:
      return neurons::surrogate_primitive<SurrogateKind::sigmoid>(u, alpha);
    case SurrogateKind::fast_sigmoid:
      return neurons::surrogate_primitive<SurrogateKind::fast_sigmoid>(u, alpha);
    case SurrogateKind::triangular:
      return neurons::surrogate_primitive<SurrogateKind::triangular>(u, alpha);
    case SurrogateKind::exponential:
      return neurons::surrogate_primitive<SurrogateKind::exponential>(u, alpha);
  }
  return NAN;
}

struct Row {
  SurrogateKind kind;
  double alpha;
  std::array<double, 3> value;  ///< sg at |u| = 1, .1 and 0
};

/// From the autograd of SpikingJelly 2.0.0 and snnTorch 1.0.0 in float64, to ten decimals; the last is SLAYER with
/// height 2 / alpha.
const std::vector<Row> kTable{{SurrogateKind::atan, 2.0, {.0919996684, .9101698376, 1.0}},
                              {SurrogateKind::atan, 5.0, {.0398819319, 1.5462161454, 2.5}},
                              {SurrogateKind::sigmoid, 4.0, {.0706508249, .9610429830, 1.0}},
                              {SurrogateKind::sigmoid, 25.0, {3.5e-10, 1.75259291, 6.25}},
                              {SurrogateKind::fast_sigmoid, 25.0, {.0014792899, .0816326531, 1.0}},
                              {SurrogateKind::fast_sigmoid, 10.0, {.0082644628, .25, 1.0}},
                              {SurrogateKind::fast_sigmoid, 100.0, {9.80296e-5, .0082644628, 1.0}},
                              {SurrogateKind::triangular, 1.0, {0.0, .9, 1.0}},
                              {SurrogateKind::exponential, 5.0, {.0067379470, .6065306597, 1.0}}};

}  // namespace

TEST_CASE("surrogate derivatives are those of SpikingJelly and snnTorch") {
  // The table has eight to ten decimals.
  constexpr double kTolerance = 1e-9;
  for (const Row& row : kTable) {
    CAPTURE(static_cast<int>(row.kind));
    CAPTURE(row.alpha);
    const std::array<double, 3> distance{1.0, 0.1, 0.0};
    for (std::size_t i = 0; i < distance.size(); ++i) {
      for (const double u : {distance[i], -distance[i]}) {
        CAPTURE(u);
        // sigmoid 25 at .1 is given to eight decimals only.
        const double tolerance = row.alpha == 25.0 && row.kind == SurrogateKind::sigmoid ? 5e-9 : kTolerance;
        CHECK(std::abs(derivative(row.kind, u, row.alpha) - row.value[i]) <= tolerance);
        // float: a handful of roundings, of a number of at most alpha u in the exponent of the sigmoid.
        const double float_bound = 8.0 * (1.0 + row.alpha * std::abs(u)) * test::unit_roundoff<float> * row.value[i];
        const float in_float = derivative(row.kind, static_cast<float>(u), static_cast<float>(row.alpha));
        CHECK(std::abs(static_cast<double>(in_float) - row.value[i]) <= float_bound + tolerance);
      }
    }
  }
}

TEST_CASE_TEMPLATE("exp_decay is exp to 2 ulp, and 0 beyond the smallest normal number", Scalar, float, double) {
  const double last = std::is_same_v<Scalar, float> ? 87.2 : 708.0;
  for (int i = 0; i <= 20'000; ++i) {
    const auto x = static_cast<Scalar>(last * i / 20'000);
    const double expected = std::exp(-static_cast<double>(x));
    // The reference itself is off by one rounding in double.
    const double tolerance = (4.0 * test::unit_roundoff<Scalar> + 2.0 * test::unit_roundoff<double>)*expected;
    CHECK(std::abs(static_cast<double>(neurons::exp_decay(x)) - expected) <= tolerance);
  }
  CHECK(neurons::exp_decay(Scalar(0)) == Scalar(1));
  CHECK(neurons::exp_decay(Scalar(800)) == Scalar(0));
  CHECK(neurons::exp_decay(std::numeric_limits<Scalar>::infinity()) == Scalar(0));
}

TEST_CASE("each surrogate derivative is the slope of its primitive") {
  // Central difference of step h: truncation h^2 |f'''| / 6 with |f'''| <= 6 alpha^3, rounding 4 u / h for |f| <= 2.
  const double h = std::cbrt(test::unit_roundoff<double>);
  for (const Row& row : kTable) {
    CAPTURE(static_cast<int>(row.kind));
    CAPTURE(row.alpha);
    for (const double u : {-1.3, -0.61, -0.07, 0.03, 0.4, 0.9, 1.7}) {  // none is a kink of the triangle
      CAPTURE(u);
      const double slope = (primitive(row.kind, u + h, row.alpha) - primitive(row.kind, u - h, row.alpha)) / (2.0 * h);
      const double tolerance = h * h * std::pow(row.alpha, 3) + 4.0 * test::unit_roundoff<double> / h;
      CHECK(std::abs(slope - derivative(row.kind, u, row.alpha)) <= tolerance);
    }
  }
}

TEST_CASE("a primitive that stands in for a spike rises from 0 to 1 and is one half at the threshold") {
  for (const SurrogateKind kind :
       {SurrogateKind::atan, SurrogateKind::sigmoid, SurrogateKind::triangular, SurrogateKind::exponential}) {
    CHECK(primitive(kind, 0.0, 2.0) == doctest::Approx(0.5));
    CHECK(primitive(kind, -1e9, 2.0) == doctest::Approx(0.0));
    CHECK(primitive(kind, 1e9, 2.0) == doctest::Approx(1.0));
  }
}

TEST_CASE("far from the threshold every surrogate derivative is a finite number") {
  for (const Row& row : kTable) {
    for (const float u : {-1e30F, -1e4F, 1e4F, 1e30F}) {
      const float sg = derivative(row.kind, u, static_cast<float>(row.alpha));
      CHECK(sg >= 0.0F);
      CHECK(sg < 1e-3F);
    }
  }
}
