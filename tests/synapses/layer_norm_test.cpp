#include "synapses/layer_norm.hpp"

#include <array>
#include <vector>

#include "core/error.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

constexpr double kEps = 1e-3;

template <class Scalar>
struct LayerNorm {
  explicit LayerNorm(const Shape& shape)
      : gamma(test::random_tensor<Scalar>(Shape{shape.channels()}, 11)),
        beta(test::random_tensor<Scalar>(Shape{shape.channels()}, 12)),
        mean(Shape{shape.size() / shape.channels()}),
        inverse_std(mean.shape()),
        scratch(synapses::layer_norm_scratch_bytes(shape.channels())) {}

  Tensor<Scalar> forward(const Tensor<Scalar>& x) {
    Tensor<Scalar> y = test::filled<Scalar>(x.shape());
    synapses::layer_norm_forward<Scalar>(x.view(), gamma.view(), beta.view(), kEps, {mean.view(), inverse_std.view()},
                                         y.view());
    return y;
  }
  struct Gradients {
    Tensor<Scalar> gamma, beta, x;
  };
  Gradients backward(const Tensor<Scalar>& x, const Tensor<Scalar>& grad_y) {
    Gradients g{Tensor<Scalar>(gamma.shape()), Tensor<Scalar>(gamma.shape()), test::convert<Scalar>(grad_y)};
    synapses::layer_norm_backward<Scalar>(x.view(), gamma.view(), {mean.view(), inverse_std.view()}, g.x.view(),
                                          g.gamma.view(), g.beta.view(), g.x.view(), scratch);
    return g;
  }

  Tensor<Scalar> gamma, beta, mean, inverse_std;
  std::vector<std::byte> scratch;
};

const std::array<Shape, 5> kShapes = {Shape{2, 3, 8}, Shape{5, 1}, Shape{2, 2, 3, 3, 7}, Shape{40, 33}, Shape{1, 300}};

}  // namespace

TEST_CASE("layer norm follows the definition, also with a mean far from zero") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.text());
    LayerNorm<float> norm(shape);
    auto x = test::random_tensor<float>(shape, 1);
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) x[i] += 10.0F;

    const auto y = norm.forward(x);

    const std::ptrdiff_t channels = shape.channels();
    for (std::ptrdiff_t row = 0; row < x.size() / channels; ++row) {
      double mean = 0.0, var = 0.0;
      for (std::ptrdiff_t c = 0; c < channels; ++c) mean += static_cast<double>(x[row * channels + c]);
      mean /= static_cast<double>(channels);
      for (std::ptrdiff_t c = 0; c < channels; ++c) {
        const double d = static_cast<double>(x[row * channels + c]) - mean;
        var += d * d;
      }
      var /= static_cast<double>(channels);
      const double inverse_std = 1.0 / std::sqrt(var + kEps);
      for (std::ptrdiff_t c = 0; c < channels; ++c) {
        const double normal = (static_cast<double>(x[row * channels + c]) - mean) * inverse_std;
        const double expected = static_cast<double>(norm.gamma[c]) * normal + static_cast<double>(norm.beta[c]);
        // The mean carries the rounding of a sum of C numbers near 10, in eight interleaved parts; the rest a dozen
        // roundings of numbers of the size of the result.
        const double of_mean = test::dot_error_bound<float>(channels / 8 + 9, 11.0) * inverse_std;
        CHECK(std::abs(static_cast<double>(y[row * channels + c]) - expected) <=
              2.0 * of_mean + 12.0 * test::unit_roundoff<float> * (1.0 + std::abs(normal)));
      }
    }
  }
}

TEST_CASE("the gradients of layer norm equal finite differences, and may lie over those of its output") {
  for (const Shape& shape : {Shape{2, 3, 8}, Shape{2, 2, 3, 3, 7}, Shape{4, 33}}) {
    CAPTURE(shape.text());
    LayerNorm<double> norm(shape);
    auto x = test::random_tensor<double>(shape, 1);
    const auto grad_y = test::random_tensor<double>(shape, 3);
    norm.forward(x);
    const auto gradients = norm.backward(x, grad_y);
    const auto loss = [&] { return test::weighted_sum(norm.forward(x), grad_y); };
    const double rounding = test::dot_error_bound<double>(2 * x.size(), 2.0 * static_cast<double>(x.size()));
    CHECK(test::worst_linear_gradient_error(norm.gamma, gradients.gamma, loss) <= 4.0 * rounding);
    CHECK(test::worst_linear_gradient_error(norm.beta, gradients.beta, loss) <= 4.0 * rounding);
    double largest = 0.0;
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
      const double kept = x[i];
      const auto difference = [&](double h) {
        x[i] = kept + h;
        const double above = loss();
        x[i] = kept - h;
        const double below = loss();
        x[i] = kept;
        return (above - below) / (2.0 * h);
      };
      // The error of step h is a third of the difference between those of 2h and h, beside rounding.
      constexpr double kStep = 1e-4;
      const double fd = difference(kStep), truncation = std::abs(difference(2.0 * kStep) - fd);
      CHECK(std::abs(fd - gradients.x[i]) <= truncation + rounding / kStep);
      largest = std::max(largest, std::abs(gradients.x[i]));
    }
    CHECK(largest > 1e-3);
  }
}

TEST_CASE("layer norm gives the same bits for any number of threads") {
  const Shape shape{9, 50, 13};
  LayerNorm<float> norm(shape);
  const auto x = test::random_tensor<float>(shape, 1), grad_y = test::random_tensor<float>(shape, 3);
  CHECK(test::same_bits_for_any_threads([&] { return norm.forward(x); }));
  CHECK(test::same_bits_for_any_threads([&] { return norm.backward(x, grad_y).gamma; }));
  CHECK(test::same_bits_for_any_threads([&] { return norm.backward(x, grad_y).x; }));
  norm.beta = Tensor<float>(Shape{12});
  CHECK_THROWS_AS(norm.forward(x), ShapeError);
}

}  // namespace synfire
