#include "synapses/batch_norm.hpp"

#include <array>
#include <vector>

#include "core/error.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

const synapses::BatchNormConfig kConfig{.eps = 1e-3, .momentum = 0.25};

/// Everything that a training pass leaves, for an input y and parameters gamma, beta.
template <class Scalar>
struct BatchNorm {
  explicit BatchNorm(std::ptrdiff_t channels)
      : gamma(test::random_tensor<Scalar>(Shape{channels}, 11)),
        beta(test::random_tensor<Scalar>(Shape{channels}, 12)),
        running_mean(test::random_tensor<Scalar>(Shape{channels}, 13)),
        running_var(test::filled<Scalar>(Shape{channels}, Scalar{2})),
        mean(Shape{channels}),
        inverse_std(Shape{channels}),
        scale(Shape{channels}),
        shift(Shape{channels}),
        scratch(synapses::batch_norm_scratch_bytes(channels)) {}

  Tensor<Scalar> forward(const Tensor<Scalar>& y) {
    synapses::batch_norm_train<Scalar>(y.view(), gamma.view(), beta.view(), kConfig, running_mean.view(),
                                       running_var.view(), {mean.view(), inverse_std.view()}, scale.view(),
                                       shift.view(), scratch);
    Tensor<Scalar> x(y.shape());
    synapses::affine_forward<Scalar>(y.view(), scale.view(), shift.view(), x.view());
    return x;
  }

  struct Gradients {
    Tensor<Scalar> gamma, beta, y;
  };
  Gradients backward(const Tensor<Scalar>& y, const Tensor<Scalar>& grad_x) {
    Tensor<Scalar> grad_scale(gamma.shape()), grad_shift(gamma.shape());
    synapses::affine_grad<Scalar>(y.view(), grad_x.view(), grad_scale.view(), grad_shift.view(), scratch);
    Gradients result{Tensor<Scalar>(gamma.shape()), Tensor<Scalar>(gamma.shape()), Tensor<Scalar>(y.shape())};
    synapses::batch_norm_backward<Scalar>(y.view(), gamma.view(), {mean.view(), inverse_std.view()}, scale.view(),
                                          grad_scale.view(), grad_shift.view(), grad_x.view(), result.gamma.view(),
                                          result.beta.view(), result.y.view());
    return result;
  }

  Tensor<Scalar> gamma, beta, running_mean, running_var, mean, inverse_std, scale, shift;
  std::vector<std::byte> scratch;
};

const std::array<Shape, 6> kShapes = {Shape{2, 1},   Shape{3, 4, 5, 32}, Shape{2, 2, 3, 3, 7},
                                      Shape{100, 3}, Shape{5, 70},       Shape{4, 3, 1, 1, 65}};

}  // namespace

TEST_CASE("batch norm in training follows the definition") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.text());
    const auto y = test::random_tensor<double>(shape, 1);
    const std::ptrdiff_t channels = shape.channels(), n = y.size() / channels;
    BatchNorm<double> norm(channels);
    const auto old_mean = test::convert<double>(norm.running_mean), old_var = test::convert<double>(norm.running_var);

    const auto x = norm.forward(y);

    for (std::ptrdiff_t c = 0; c < channels; ++c) {
      double mean = 0.0, var = 0.0;
      for (std::ptrdiff_t r = 0; r < n; ++r) mean += y[r * channels + c] / static_cast<double>(n);
      for (std::ptrdiff_t r = 0; r < n; ++r) var += std::pow(y[r * channels + c] - mean, 2) / static_cast<double>(n);
      // Both sides sum n terms below 4 in double; 1/std is at most 32 (eps) and multiplies them.
      const double bound = 64.0 * test::dot_error_bound<double>(n + 8, 4.0);
      CHECK(std::abs(norm.mean[c] - mean) <= bound);
      for (std::ptrdiff_t r = 0; r < n; ++r) {
        const double expected =
            (y[r * channels + c] - mean) / std::sqrt(var + kConfig.eps) * norm.gamma[c] + norm.beta[c];
        REQUIRE(std::abs(x[r * channels + c] - expected) <= 32.0 * bound);
      }
      // The running variance takes the unbiased estimate, n / (n - 1) of the one that normalises.
      const double unbiased = var * static_cast<double>(n) / static_cast<double>(n - 1);
      CHECK(std::abs(norm.running_mean[c] - (0.75 * old_mean[c] + 0.25 * mean)) <= bound);
      CHECK(std::abs(norm.running_var[c] - (0.75 * old_var[c] + 0.25 * unbiased)) <= bound);
    }
  }
}

TEST_CASE("batch norm of two values: worked by hand") {
  Tensor<double> y(Shape{2, 1});
  y[0] = 1.0;
  y[1] = 3.0;
  BatchNorm<double> norm(1);
  norm.gamma[0] = 2.0;
  norm.beta[0] = 0.5;
  norm.running_mean[0] = 0.0;
  norm.running_var[0] = 1.0;

  const auto x = norm.forward(y);

  // mean 2, biased variance 1, unbiased 2.
  const double std = std::sqrt(1.0 + kConfig.eps);
  CHECK(x[0] == doctest::Approx(0.5 - 2.0 / std).epsilon(1e-14));
  CHECK(x[1] == doctest::Approx(0.5 + 2.0 / std).epsilon(1e-14));
  CHECK(norm.running_mean[0] == doctest::Approx(0.25 * 2.0).epsilon(1e-14));
  CHECK(norm.running_var[0] == doctest::Approx(0.75 * 1.0 + 0.25 * 2.0).epsilon(1e-14));
}

TEST_CASE("the gradients of batch norm agree with finite differences in every input") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.text());
    auto y = test::random_tensor<double>(shape, 1);
    const auto weight = test::random_tensor<double>(shape, 2);
    BatchNorm<double> norm(shape.channels());
    norm.forward(y);
    const auto grads = norm.backward(y, weight);
    const auto loss = [&] { return test::weighted_sum(norm.forward(y), weight); };

    // Rounding of the loss: |x| <= 33 (1/std <= 32) in sums of y.size() terms; a difference of two over 2 h. The
    // truncation of a central difference is a third of what halving its step changes, so twice that covers it.
    const double rounding = test::dot_error_bound<double>(y.size() + 64, 33.0 * static_cast<double>(y.size()));
    const auto check = [&](Tensor<double>& input, const Tensor<double>& analytic) {
      for (std::ptrdiff_t i = 0; i < input.size(); ++i) {
        const double value = input[i];
        const auto difference = [&](double h) {
          input[i] = value + h;
          const double above = loss();
          input[i] = value - h;
          const double below = loss();
          input[i] = value;
          return (above - below) / (2.0 * h);
        };
        constexpr double kStep = 1e-4;
        const double coarse = difference(kStep), fine = difference(kStep / 2.0);
        REQUIRE(std::abs(fine - analytic[i]) <= 2.0 * std::abs(coarse - fine) + 8.0 * rounding / kStep);
      }
    };
    check(norm.gamma, grads.gamma);
    check(norm.beta, grads.beta);
    check(y, grads.y);
  }
}

TEST_CASE("the gradient of batch norm may overwrite the gradient that it comes from") {
  const Shape shape{7, 3, 9};
  const auto y = test::random_tensor<float>(shape, 1);
  auto grad = test::random_tensor<float>(shape, 2);
  BatchNorm<float> norm(9);
  norm.forward(y);
  const auto apart = norm.backward(y, grad);

  Tensor<float> grad_scale(Shape{9}), grad_shift(Shape{9}), grad_gamma(Shape{9}), grad_beta(Shape{9});
  synapses::affine_grad<float>(y.view(), grad.view(), grad_scale.view(), grad_shift.view(), norm.scratch);
  synapses::batch_norm_backward<float>(y.view(), norm.gamma.view(), {norm.mean.view(), norm.inverse_std.view()},
                                       norm.scale.view(), grad_scale.view(), grad_shift.view(), grad.view(),
                                       grad_gamma.view(), grad_beta.view(), grad.view());

  CHECK(test::same_bits(grad, apart.y));
}

TEST_CASE("a mean far from zero does not spoil the variance") {
  Tensor<double> y = test::random_tensor<double>(Shape{1000, 2}, 1);
  BatchNorm<double> near(2), far(2);
  near.forward(y);
  for (std::ptrdiff_t i = 0; i < y.size(); ++i) y[i] += 1e6;

  far.forward(y);

  // y + 1e6 has lost 20 bits: each value moves by at most 1e6 u, and the deviation, of order 1, by as much.
  CHECK(std::abs(far.inverse_std[0] / near.inverse_std[0] - 1.0) <= 8.0 * 1e6 * test::unit_roundoff<double>);
  CHECK(std::abs(far.inverse_std[1] / near.inverse_std[1] - 1.0) <= 8.0 * 1e6 * test::unit_roundoff<double>);
}

TEST_CASE("evaluation uses the running averages") {
  BatchNorm<double> norm(5);
  synapses::batch_norm_eval<double>(norm.gamma.view(), norm.beta.view(), norm.running_mean.view(),
                                    norm.running_var.view(), kConfig, norm.scale.view(), norm.shift.view());

  for (std::ptrdiff_t c = 0; c < 5; ++c) {
    const double expected = (0.7 - norm.running_mean[c]) / std::sqrt(2.0 + kConfig.eps) * norm.gamma[c] + norm.beta[c];
    CHECK(norm.scale[c] * 0.7 + norm.shift[c] == doctest::Approx(expected).epsilon(1e-14));
  }
}

TEST_CASE("batch norm gives the same bits for one and two threads") {
  const Shape shape{1000, 3, 5};
  const auto y = test::random_tensor<float>(shape, 1);
  const auto grad = test::random_tensor<float>(shape, 2);

  CHECK(test::same_bits_for_any_threads([&] { return BatchNorm<float>(5).forward(y); }));
  CHECK(test::same_bits_for_any_threads([&] {
    BatchNorm<float> norm(5);
    norm.forward(y);
    return norm.backward(y, grad).y;
  }));
}

TEST_CASE("batch norm of fewer than two values a channel is a ShapeError") {
  BatchNorm<float> norm(3);
  CHECK_THROWS_AS(norm.forward(Tensor<float>(Shape{1, 3})), ShapeError);
  CHECK_THROWS_AS(norm.forward(Tensor<float>(Shape{0, 3})), ShapeError);
  CHECK_THROWS_AS(norm.forward(Tensor<float>(Shape{8, 4})), ShapeError);
}

}  // namespace synfire
