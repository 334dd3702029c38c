// Operations that move or rescale single elements: dropout, flatten, vote, add.
#include <array>

#include "core/error.hpp"
#include "synapses/add.hpp"
#include "synapses/dropout.hpp"
#include "synapses/flatten.hpp"
#include "synapses/vote.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

Tensor<double> dropped(const Tensor<double>& x, double p, std::uint32_t step = 0) {
  Tensor<double> y = test::filled<double>(x.shape());
  synapses::dropout_forward<double>(test::signal_of(x), p, RandomStream(9, 1, step), y.view());
  return y;
}

}  // namespace

TEST_CASE("dropout holds one mask over time and keeps the mean") {
  const auto ones = test::filled<double>(Shape{3, 40, 250}, 1.0);
  constexpr double kP = 0.3;

  const auto y = dropped(ones, kP);

  const std::ptrdiff_t per_tick = 40 * 250;
  double kept = 0.0;
  for (std::ptrdiff_t i = 0; i < per_tick; ++i) {
    REQUIRE((y[i] == 0.0 || y[i] == 1.0 / (1.0 - kP)));
    REQUIRE(y[per_tick + i] == y[i]);
    REQUIRE(y[2 * per_tick + i] == y[i]);
    if (y[i] > 0.0) kept += 1.0;
  }
  // 10,000 independent draws: five standard deviations of sqrt(p (1 - p) / n); the seed is fixed.
  CHECK(std::abs(kept / per_tick - (1.0 - kP)) <= 5.0 * std::sqrt(kP * (1.0 - kP) / per_tick));
}

TEST_CASE("dropout draws the same mask for the same stream, another for another step, none for p = 0") {
  const auto x = test::random_tensor<double>(Shape{2, 3, 50}, 1);

  CHECK(test::same_bits(dropped(x, 0.5), dropped(x, 0.5)));
  CHECK_FALSE(test::same_bits(dropped(x, 0.5), dropped(x, 0.5, 1)));
  CHECK(test::same_bits(dropped(x, 0.0), x));
  CHECK(test::same_bits_for_any_threads([&] { return dropped(test::filled<double>(Shape{2, 9, 999}, 1.0), 0.5); }));
}

TEST_CASE("the gradient of dropout goes through the mask of the forward pass, also in place") {
  const auto x = test::random_tensor<double>(Shape{2, 3, 5}, 1);
  auto grad = test::random_tensor<double>(x.shape(), 2);
  const auto expected = dropped(grad, 0.5);  // y = m x, so dL/dx = m dL/dy

  synapses::dropout_backward<double>(grad.view(), 0.5, RandomStream(9, 1, 0), grad.view());

  CHECK(test::same_bits(grad, expected));
}

TEST_CASE("dropout of spikes is dropout of the same real values") {
  const auto spikes = test::random_spikes(Shape{2, 3, 50}, 1, 0.4);
  Tensor<double> y(spikes.shape());

  synapses::dropout_forward<double>(test::signal_of_spikes<double>(spikes), 0.25, RandomStream(9, 1, 0), y.view());

  CHECK(test::same_bits(y, dropped(test::convert<double>(spikes), 0.25)));
}

TEST_CASE("dropout needs a probability below one") {
  const auto x = test::random_tensor<double>(Shape{2, 3}, 1);
  CHECK_THROWS_AS(dropped(x, 1.0), ShapeError);
  CHECK_THROWS_AS(dropped(x, -0.1), ShapeError);
  CHECK_THROWS_AS(dropped(x, std::nan("")), ShapeError);
}

TEST_CASE("flatten puts channels first, then rows, then columns") {
  Tensor<float> x(Shape{2, 3, 2, 2, 3});  // [T, B, H, W, C]
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  Tensor<float> y(Shape{2, 3, 12}), back = test::filled<float>(x.shape());

  synapses::flatten_forward<float>(x.view(), y.view());
  synapses::flatten_backward<float>(y.view(), back.view());

  // Of the first frame, channel 0 lies at 0, 3, 6, 9, channel 1 at 1, 4, 7, 10, channel 2 at 2, 5, 8, 11.
  constexpr std::array<float, 12> kFirst = {0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11};
  for (std::ptrdiff_t k = 0; k < 12; ++k) {
    CHECK(y[k] == kFirst[static_cast<std::size_t>(k)]);
    CHECK(y[5 * 12 + k] == 60.0F + kFirst[static_cast<std::size_t>(k)]);
  }
  CHECK(test::same_bits(back, x));
}

TEST_CASE("flatten takes spikes, one channel, one pixel and no frame at all") {
  const auto spikes = test::random_spikes(Shape{1, 1, 3, 3, 1}, 1, 0.5);
  Tensor<std::uint8_t> flat(Shape{1, 1, 9});
  synapses::flatten_forward<std::uint8_t>(spikes.view(), flat.view());
  for (std::ptrdiff_t i = 0; i < 9; ++i) CHECK(flat[i] == spikes[i]);

  Tensor<double> none(Shape{0, 2, 2, 3}), none_flat(Shape{0, 12});
  CHECK_NOTHROW(synapses::flatten_forward<double>(none.view(), none_flat.view()));
  CHECK_THROWS_AS(synapses::flatten_forward<double>(none.view(), Tensor<double>(Shape{0, 11}).view()), ShapeError);
}

TEST_CASE("vote is the mean of neighbouring channels, and its gradient is shared") {
  auto x = test::random_tensor<double>(Shape{2, 3, 20}, 1);
  const auto spikes = test::random_spikes(x.shape(), 1, 0.5);
  const auto grad_y = test::random_tensor<double>(Shape{2, 3, 4}, 2);
  Tensor<double> y(grad_y.shape()), of_spikes(grad_y.shape()), grad_x(x.shape());

  synapses::vote_forward<double>(test::signal_of(x), 5, y.view());
  synapses::vote_forward<double>(test::signal_of_spikes<double>(spikes), 5, of_spikes.view());
  synapses::vote_backward<double>(grad_y.view(), 5, grad_x.view());

  for (std::ptrdiff_t k = 0; k < y.size(); ++k) {
    double sum = 0.0, count = 0.0, sum_abs = 0.0;
    for (std::ptrdiff_t i = 5 * k; i < 5 * k + 5; ++i) {
      sum += x[i];
      sum_abs += std::abs(x[i]);
      count += spikes[i];
    }
    CHECK(std::abs(y[k] - sum / 5.0) <= test::dot_error_bound<double>(8, sum_abs / 5.0));
    CHECK(std::abs(of_spikes[k] - count / 5.0) <= test::dot_error_bound<double>(8, count / 5.0));
  }
  const auto loss = [&] {
    synapses::vote_forward<double>(test::signal_of(x), 5, y.view());
    return test::weighted_sum(y, grad_y);
  };
  CHECK(test::worst_linear_gradient_error(x, grad_x, loss) <= test::dot_error_bound<double>(x.size(), 4.0 * 24.0));
  CHECK_THROWS_AS(synapses::vote_forward<double>(test::signal_of(x), 6, y.view()), ShapeError);
  CHECK_THROWS_AS(synapses::vote_forward<double>(test::signal_of(x), 0, y.view()), ShapeError);
}

TEST_CASE("add sums real values and spikes; accumulate adds on top") {
  const Shape shape{2, 30};
  const auto a = test::random_tensor<float>(shape, 1);
  const auto b = test::random_spikes(shape, 2, 0.5);
  const std::array<Signal<float>, 3> inputs = {test::signal_of(a), test::signal_of_spikes<float>(b),
                                               test::signal_of_spikes<float>(b)};
  Tensor<float> y = test::filled<float>(shape);

  synapses::add_forward<float>(inputs, y.view());
  for (std::ptrdiff_t i = 0; i < y.size(); ++i)
    CHECK(y[i] == (a[i] + static_cast<float>(b[i])) + static_cast<float>(b[i]));

  const auto before = test::convert<float>(y);
  synapses::accumulate<float>(a.view(), y.view());
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) CHECK(y[i] == before[i] + a[i]);
  CHECK_THROWS_AS(synapses::accumulate<float>(a.view(), Tensor<float>(Shape{30, 2}).view()), ShapeError);
}

}  // namespace synfire
