// Operations on tokens without weights of their own: activation, multiply, position, drop_path, mean_tokens.
#include <array>
#include <cmath>

#include "core/error.hpp"
#include "synapses/activation.hpp"
#include "synapses/drop_path.hpp"
#include "synapses/mean_tokens.hpp"
#include "synapses/multiply.hpp"
#include "synapses/position.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

using synapses::Activation;

double exact(Activation function, double x) {
  return function == Activation::silu ? x / (1.0 + std::exp(-x)) : x * 0.5 * std::erfc(-x / std::sqrt(2.0));
}

Tensor<double> dropped(const Tensor<double>& x, double p, std::uint32_t step = 0) {
  Tensor<double> y = test::filled<double>(x.shape());
  synapses::drop_path_forward<double>(test::signal_of(x), p, RandomStream(9, 1, step), y.view());
  return y;
}

}  // namespace

TEST_CASE("silu and gelu in float are within their error of the exact functions, also far out") {
  Tensor<float> x(Shape{60001});
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i - 30000) * 5e-3F;  // -150 to 150
  for (const Activation function : {Activation::silu, Activation::gelu}) {
    Tensor<float> y(x.shape()), slope(x.shape());
    const auto ones = test::filled<float>(x.shape(), 1.0F);
    synapses::activation_forward<float>(function, x.view(), y.view());
    synapses::activation_backward<float>(function, x.view(), ones.view(), slope.view());

    double worst = 0.0, worst_slope = 0.0;
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
      const auto at = static_cast<double>(x[i]);
      const double h = 1e-5, fd = (exact(function, at + h) - exact(function, at - h)) / (2.0 * h);
      worst = std::max(worst, std::abs(static_cast<double>(y[i]) - exact(function, at)) / (1.0 + std::abs(at)));
      worst_slope = std::max(worst_slope, std::abs(static_cast<double>(slope[i]) - fd) / (1.0 + std::abs(at)));
    }
    // [Abramowitz1964, 7.1.26] is within 1.5e-7 for erf, half of that for Phi; then a handful of roundings.
    CHECK(worst <= 0.75e-7 + 4.0 * test::unit_roundoff<float>);
    CHECK(worst_slope <= 0.75e-7 + 12.0 * test::unit_roundoff<float> + 1e-9);
  }
}

TEST_CASE("gradients of silu and gelu in double equal finite differences, also in place") {
  const auto x = test::random_tensor<double>(Shape{3, 67}, 1);
  for (const Activation function : {Activation::silu, Activation::gelu}) {
    auto grad = test::random_tensor<double>(x.shape(), 2);
    const auto grad_y = test::convert<double>(grad);
    synapses::activation_backward<double>(function, x.view(), grad.view(), grad.view());
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
      const double h = 1e-5, fd = (exact(function, x[i] + h) - exact(function, x[i] - h)) / (2.0 * h);
      // Truncation h^2 |f'''| / 6 with |f'''| < 2, and the rounding of two values below 1 over 2 h.
      CHECK(std::abs(grad[i] - grad_y[i] * fd) <= h * h + 4.0 * test::unit_roundoff<double> / h);
    }
  }
}

TEST_CASE("a gate of spikes passes what it is given, two trains of spikes meet, and gradients take the other factor") {
  const Shape shape{2, 3, 33};
  const auto a = test::random_tensor<float>(shape, 1);
  const auto s = test::random_spikes(shape, 2, 0.5), r = test::random_spikes(shape, 3, 0.5);
  const auto grad_y = test::random_tensor<float>(shape, 4);
  Tensor<float> gated(shape), both(shape), grad_a = test::convert<float>(grad_y), grad_s(shape);
  Tensor<std::uint8_t> meeting(shape);

  synapses::multiply_forward<float>(test::signal_of_spikes<float>(s), test::signal_of(a), gated.view());
  synapses::multiply_forward<float>(test::signal_of_spikes<float>(s), test::signal_of_spikes<float>(r), both.view());
  synapses::multiply_spikes(s.view(), r.view(), meeting.view());
  synapses::multiply_backward<float>(test::signal_of(a), test::signal_of_spikes<float>(s), grad_a.view(), grad_a.view(),
                                     grad_s.view());

  for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
    CHECK(gated[i] == (s[i] != 0 ? a[i] : 0.0F));
    CHECK(meeting[i] == (s[i] != 0 && r[i] != 0 ? 1 : 0));
    CHECK(both[i] == static_cast<float>(meeting[i]));
    CHECK(grad_a[i] == (s[i] != 0 ? grad_y[i] : 0.0F));
    CHECK(grad_s[i] == grad_y[i] * a[i]);
  }
  CHECK_THROWS_AS(synapses::multiply_spikes(s.view(), r.view(), Tensor<std::uint8_t>(Shape{2, 33, 3}).view()),
                  ShapeError);
}

TEST_CASE("tables of positions are added by token and by tick, and their gradients are sums over the rest") {
  const Shape shape{3, 2, 2, 4, 5};  // [T, B, H, W, C]
  const auto x = test::random_tensor<double>(shape, 1);
  auto space = test::random_tensor<double>(Shape{2, 4, 5}, 2), time = test::random_tensor<double>(Shape{7, 5}, 3);
  const auto grad_y = test::random_tensor<double>(shape, 4);
  Tensor<double> y(shape), grad_space(space.shape()), grad_time = test::filled<double>(time.shape());
  std::vector<std::byte> scratch(synapses::position_scratch_bytes(3, 5));

  synapses::position_forward<double>(test::signal_of(x), space.view(), time.view(), y.view());
  synapses::position_backward<double>(grad_y.view(), grad_space.view(), grad_time.view(), scratch);

  for (std::ptrdiff_t i = 0; i < y.size(); ++i) {
    CHECK(y[i] == x[i] + space[i % 40] + time[i / 80 * 5 + i % 5]);
  }
  const auto loss = [&] {
    synapses::position_forward<double>(test::signal_of(x), space.view(), time.view(), y.view());
    return test::weighted_sum(y, grad_y);
  };
  const double bound = test::dot_error_bound<double>(x.size() + 4, 3.0 * static_cast<double>(x.size()));
  CHECK(test::worst_linear_gradient_error(space, grad_space, loss) <= bound);
  CHECK(test::worst_linear_gradient_error(time, grad_time, loss) <= bound);
  CHECK_THROWS_AS(
      synapses::position_forward<double>(test::signal_of(x), {}, Tensor<double>(Shape{2, 5}).view(), y.view()),
      ShapeError);
}

TEST_CASE("drop path takes whole samples, the same for all ticks, and keeps the mean") {
  constexpr std::ptrdiff_t kBatch = 4000;
  constexpr double kP = 0.3;
  const auto y = dropped(test::filled<double>(Shape{3, kBatch, 2, 1, 2}, 1.0), kP);

  double kept = 0.0;
  for (std::ptrdiff_t b = 0; b < kBatch; ++b) {
    REQUIRE((y[4 * b] == 0.0 || y[4 * b] == 1.0 / (1.0 - kP)));
    for (std::ptrdiff_t t = 0; t < 3; ++t) {
      for (std::ptrdiff_t i = 0; i < 4; ++i) REQUIRE(y[4 * (t * kBatch + b) + i] == y[4 * b]);
    }
    if (y[4 * b] > 0.0) kept += 1.0;
  }
  // Five standard deviations of 4,000 draws; the seed is fixed.
  CHECK(std::abs(kept / kBatch - (1.0 - kP)) <= 5.0 * std::sqrt(kP * (1.0 - kP) / kBatch));
  CHECK_FALSE(test::same_bits(dropped(test::filled<double>(Shape{1, 99, 1}, 1.0), 0.5),
                              dropped(test::filled<double>(Shape{1, 99, 1}, 1.0), 0.5, 1)));

  const auto x = test::random_tensor<double>(Shape{2, 30, 5}, 1);
  auto grad = test::convert<double>(x);
  synapses::drop_path_backward<double>(grad.view(), kP, RandomStream(9, 1, 0), grad.view());
  CHECK(test::same_bits(grad, dropped(x, kP)));
  CHECK_THROWS_AS(dropped(x, 1.0), ShapeError);
}

TEST_CASE("the mean over tokens is one value a channel, of spikes a rate, and its gradient is shared") {
  const Shape shape{2, 3, 3, 5, 7};
  auto x = test::random_tensor<double>(shape, 1);
  const auto spikes = test::random_spikes(shape, 2, 0.3);
  const auto grad_y = test::random_tensor<double>(Shape{2, 3, 7}, 3);
  Tensor<double> y(grad_y.shape()), rate(grad_y.shape()), grad_x(shape);

  synapses::mean_tokens_forward<double>(test::signal_of(x), y.view());
  synapses::mean_tokens_forward<double>(test::signal_of_spikes<double>(spikes), rate.view());
  synapses::mean_tokens_backward<double>(grad_y.view(), grad_x.view());

  for (std::ptrdiff_t f = 0; f < 6; ++f) {
    for (std::ptrdiff_t c = 0; c < 7; ++c) {
      double sum = 0.0, count = 0.0;
      for (std::ptrdiff_t n = 0; n < 15; ++n) {
        sum += x[(f * 15 + n) * 7 + c];
        count += spikes[(f * 15 + n) * 7 + c];
      }
      CHECK(std::abs(y[f * 7 + c] - sum / 15.0) <= test::dot_error_bound<double>(34, 1.0));
      CHECK(rate[f * 7 + c] == count / 15.0);
    }
  }
  const auto loss = [&] {
    synapses::mean_tokens_forward<double>(test::signal_of(x), y.view());
    return test::weighted_sum(y, grad_y);
  };
  CHECK(test::worst_linear_gradient_error(x, grad_x, loss) <= test::dot_error_bound<double>(80, 80.0));
}

}  // namespace synfire
