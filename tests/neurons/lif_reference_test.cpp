#include "tests/reference/lif_reference.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/parallel.hpp"
#include "neurons/lif.hpp"
#include "tests/neurons/lif_run.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;

namespace {

/// A perturbation of lam shrinks by decay a tick (times |1 - s + sg (..)|, which is below 2 for these settings), so
/// that an error is a sum of few terms of some roundings each; a hundred of them is a generous bound.
constexpr double kRoundings = 100.0;

void check_against_reference(const test::LifInput<double>& input, const neurons::LifParams& params) {
  const auto expected = test::lif_reference(input, params, false);

  const auto output = test::run_lif<double, std::uint8_t>(input, params);

  CHECK(output.spikes == expected.s);
  double largest = 1.0;
  for (const double g : expected.grad_x) largest = std::max(largest, std::abs(g));
  const double tolerance = kRoundings * test::unit_roundoff<double> * largest;
  double worst = 0.0;
  for (std::size_t i = 0; i < expected.grad_x.size(); ++i) {
    worst = std::max(worst, std::abs(output.grad_x[i] - expected.grad_x[i]));
  }
  CHECK(worst <= tolerance);
  // Each sum has T N / C terms of at most `largest` times |y| < 5.
  const double terms = static_cast<double>(input.y.size()) / static_cast<double>(input.shape.channels());
  // |v - v_r| stays below 5 as well.
  const double all = 5.0 * static_cast<double>(input.y.size()) * tolerance;
  CHECK(std::abs(output.grad_constants[0] - expected.grad_decay) <= all);
  CHECK(std::abs(output.grad_constants[1] - expected.grad_gain) <= all);
  for (std::size_t c = 0; c < expected.grad_scale.size(); ++c) {
    CHECK(std::abs(output.grad_scale[c] - expected.grad_scale[c]) <= 5.0 * terms * tolerance);
    CHECK(std::abs(output.grad_shift[c] - expected.grad_shift[c]) <= terms * tolerance);
  }
}

}  // namespace

TEST_CASE("lif agrees with slow loops for every setting") {
  for (const neurons::LifParams& params : test::all_lif_params()) {
    check_against_reference(test::random_lif_input<double>({20, 3, 11}, 7), params);
  }
}

TEST_CASE("lif agrees with slow loops for sizes around a vector, a tile and a channel count that divides neither") {
  const neurons::LifParams params = test::all_lif_params()[1];
  for (const Shape& shape : {Shape{5, 1, 1}, Shape{5, 1, 31}, Shape{5, 1, 33}, Shape{5, 1, 257}, Shape{1, 2, 3, 7},
                             Shape{3, 2, 11, 3, 11}, Shape{2, 1, 1025}, Shape{2, 200, 1100}, Shape{2, 7, 2500}}) {
    CAPTURE(shape.text());
    check_against_reference(test::random_lif_input<double>(shape, 11), params);
  }
}

TEST_CASE("lif agrees with slow loops over so many ticks that the history is cut into segments") {
  for (const std::ptrdiff_t num_ticks : {255, 256, 257, 700, 5000}) {
    CAPTURE(num_ticks);
    check_against_reference(test::random_lif_input<double>({num_ticks, 1, 70}, 13), test::all_lif_params()[3]);
  }
}

TEST_CASE("a lif layer without neurons, samples or ticks is no error and has gradients of zero") {
  const neurons::LifParams params = test::all_lif_params()[0];
  for (const Shape& shape : {Shape{4, 0, 3}, Shape{0, 2, 3}, Shape{4, 2, 0}}) {
    CAPTURE(shape.text());
    const auto output = test::run_lif<float, std::uint8_t>(test::random_lif_input<float>(shape, 1), params);

    CHECK(output.spikes.empty());
    CHECK(std::all_of(output.grad_shift.begin(), output.grad_shift.end(), [](float g) { return g == 0.0F; }));
    CHECK(output.grad_constants == std::vector<double>{0.0, 0.0});
  }
}

TEST_CASE("lif gives the same bits for any number of threads") {
  const auto input = test::random_lif_input<float>({6, 9, 37, 41}, 17);
  const auto large = test::random_lif_input<float>({2, 30, 3000}, 18);
  const int before = num_threads();
  for (const neurons::LifParams& params : {test::all_lif_params()[1], test::all_lif_params()[6]}) {
    set_num_threads(1);
    const auto one = test::run_lif<float, std::uint8_t>(input, params);
    const auto one_large = test::run_lif<float, std::uint8_t>(large, params);
    for (const int count : {2, 8}) {
      set_num_threads(count);
      CHECK(one == test::run_lif<float, std::uint8_t>(input, params));
      CHECK(one_large == test::run_lif<float, std::uint8_t>(large, params));
    }
  }
  set_num_threads(before);
}

TEST_CASE("a missing affine map is the map of scale 1 and shift 0, to the bit") {
  auto input = test::random_lif_input<float>({6, 2, 37}, 19, false);
  auto identity = input;
  identity.scale.assign(37, 1.0F);
  identity.shift.assign(37, 0.0F);
  const neurons::LifParams params = test::all_lif_params()[1];

  CHECK(test::run_lif<float, std::uint8_t>(input, params) == test::run_lif<float, std::uint8_t>(identity, params));
}
