#include "synapses/pool.hpp"

#include <vector>

#include "core/error.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

using synapses::PoolGeometry;

struct Case {
  PoolGeometry geometry;
  std::ptrdiff_t frames, height, width, channels;

  Shape in() const { return {frames, height, width, channels}; }
  Shape out() const {
    return {frames, geometry.out_extent(static_cast<int>(height)), geometry.out_extent(static_cast<int>(width)),
            channels};
  }
};

/// Windows that tile, overlap, leave gaps and leave a rest; channels around the width of a vector register.
const std::vector<Case> kCases = {
    {{.kernel = 1, .stride = 1}, 1, 1, 1, 1},  {{.kernel = 2, .stride = 2}, 2, 8, 6, 32},
    {{.kernel = 2, .stride = 2}, 3, 5, 7, 13}, {{.kernel = 3, .stride = 3}, 2, 10, 9, 9},
    {{.kernel = 3, .stride = 2}, 2, 7, 8, 5},  {{.kernel = 2, .stride = 3}, 2, 8, 9, 33},
    {{.kernel = 2, .stride = 2}, 0, 4, 4, 3},  {{.kernel = 4, .stride = 4}, 1, 4, 4, 70},
};

/// Calls `body(output element, input elements of its window in row-major order)`.
template <class Body>
void each_window(const Case& c, const Body& body) {
  const std::ptrdiff_t out_h = c.out()[1], out_w = c.out()[2];
  std::vector<std::ptrdiff_t> window;
  for (std::ptrdiff_t f = 0; f < c.frames; ++f) {
    for (std::ptrdiff_t i = 0; i < out_h; ++i) {
      for (std::ptrdiff_t j = 0; j < out_w; ++j) {
        for (std::ptrdiff_t k = 0; k < c.channels; ++k) {
          window.clear();
          for (int a = 0; a < c.geometry.kernel; ++a) {
            for (int b = 0; b < c.geometry.kernel; ++b) {
              const std::ptrdiff_t row = i * c.geometry.stride + a, column = j * c.geometry.stride + b;
              window.push_back(((f * c.height + row) * c.width + column) * c.channels + k);
            }
          }
          body(((f * out_h + i) * out_w + j) * c.channels + k, window);
        }
      }
    }
  }
}

template <class Scalar, class T>
Tensor<Scalar> expected_max_gradient(const Case& c, const Tensor<T>& x, const Tensor<Scalar>& grad_y) {
  Tensor<Scalar> grad_x(c.in());
  each_window(c, [&](std::ptrdiff_t out, const std::vector<std::ptrdiff_t>& window) {
    std::ptrdiff_t first = window.front();
    for (const std::ptrdiff_t in : window) {
      if (x[in] > x[first]) first = in;
    }
    grad_x[first] += grad_y[out];
  });
  return grad_x;
}

/// Small integers, so that maxima tie and sums are exact.
template <class Scalar>
Tensor<Scalar> integers(const Shape& shape, std::uint32_t stream) {
  Tensor<Scalar> result = test::random_tensor<Scalar>(shape, stream);
  for (std::ptrdiff_t i = 0; i < result.size(); ++i) result[i] = std::floor(result[i] * Scalar{3});
  return result;
}

template <class Scalar>
Tensor<Scalar> max_backward(const Case& c, const Signal<Scalar>& x, const Tensor<Scalar>& grad_y) {
  Tensor<Scalar> grad_x = test::filled<Scalar>(c.in());
  synapses::max_pool_backward<Scalar>(x, c.geometry, grad_y.view(), grad_x.view());
  return grad_x;
}

template <class Scalar>
void check_max(const Case& c) {
  const auto x = integers<Scalar>(c.in(), 1);
  const auto spikes = test::random_spikes(c.in(), 2, 0.3);
  const auto grad_y = integers<Scalar>(c.out(), 3);
  Tensor<Scalar> y = test::filled<Scalar>(c.out()), expected(c.out());
  Tensor<std::uint8_t> pooled(c.out()), expected_pooled(c.out());

  synapses::max_pool_forward<Scalar>(test::signal_of(x), c.geometry, y.view());
  synapses::max_pool_forward_spikes(spikes.view(), c.geometry, pooled.view());

  each_window(c, [&](std::ptrdiff_t out, const std::vector<std::ptrdiff_t>& window) {
    expected[out] = x[window.front()];
    for (const std::ptrdiff_t in : window) {
      expected[out] = std::max(expected[out], x[in]);
      expected_pooled[out] = static_cast<std::uint8_t>(expected_pooled[out] | spikes[in]);
    }
  });
  CHECK(test::same_bits(y, expected));
  CHECK(test::same_bits(pooled, expected_pooled));
  const auto of_real = max_backward<Scalar>(c, test::signal_of(x), grad_y);
  const auto of_spikes = max_backward<Scalar>(c, test::signal_of_spikes<Scalar>(spikes), grad_y);
  const auto expected_real = expected_max_gradient(c, x, grad_y);
  const auto expected_spikes = expected_max_gradient(c, spikes, grad_y);
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
    REQUIRE(of_real[i] == expected_real[i]);
    REQUIRE(of_spikes[i] == expected_spikes[i]);
  }
}

}  // namespace

TEST_CASE("max pooling takes the largest of each window, and its gradient goes to the first of them") {
  for (const Case& c : kCases) {
    CAPTURE(c.channels);
    check_max<float>(c);
    check_max<double>(c);
  }
}

TEST_CASE("equal maxima: the gradient goes to the first in row-major order") {
  const Case c{{.kernel = 2, .stride = 2}, 1, 2, 2, 1};
  Tensor<float> x(c.in());
  Tensor<float> grad_y(c.out());
  grad_y[0] = 5.0F;

  x[1] = x[2] = 1.0F;  // above right and below left

  const auto grad_x = max_backward<float>(c, test::signal_of(x), grad_y);
  CHECK(grad_x[0] == 0.0F);
  CHECK(grad_x[1] == 5.0F);
  CHECK(grad_x[2] == 0.0F);
  CHECK(grad_x[3] == 0.0F);
}

TEST_CASE("the gradient of max pooling agrees with finite differences away from ties") {
  for (const Case& c : kCases) {
    // Multiples of 1/64, no two equal within a window: a step of 1/256 changes no maximum, so the loss is linear.
    Tensor<double> x(c.in());
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>((i * 31) % 1021) / 64.0;
    const auto grad_y = test::random_tensor<double>(c.out(), 3);
    const auto grad_x = max_backward<double>(c, test::signal_of(x), grad_y);
    Tensor<double> y(c.out());
    const auto loss = [&] {
      synapses::max_pool_forward<double>(test::signal_of(x), c.geometry, y.view());
      return test::weighted_sum(y, grad_y);
    };

    constexpr double kStep = 1.0 / 256.0;
    // The loss sums y.size() terms below 128; a difference of two over 2 steps.
    const double bound =
        test::dot_error_bound<double>(y.size(), 128.0 * static_cast<double>(y.size())) / kStep + 1e-300;
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
      const double value = x[i];
      x[i] = value + kStep;
      const double above = loss();
      x[i] = value - kStep;
      const double below = loss();
      x[i] = value;
      REQUIRE(std::abs((above - below) / (2.0 * kStep) - grad_x[i]) <= bound);
    }
  }
}

TEST_CASE("average pooling is the mean of each window, for real values and for spikes") {
  for (const Case& c : kCases) {
    const auto x = test::random_tensor<float>(c.in(), 1);
    const auto spikes = test::random_spikes(c.in(), 2, 0.3);
    Tensor<float> y = test::filled<float>(c.out()), of_spikes = test::filled<float>(c.out());

    synapses::avg_pool_forward<float>(test::signal_of(x), c.geometry, y.view());
    synapses::avg_pool_forward<float>(test::signal_of_spikes<float>(spikes), c.geometry, of_spikes.view());

    each_window(c, [&](std::ptrdiff_t out, const std::vector<std::ptrdiff_t>& window) {
      double sum = 0.0, sum_abs = 0.0, count = 0.0;
      for (const std::ptrdiff_t in : window) {
        sum += static_cast<double>(x[in]);
        sum_abs += std::abs(static_cast<double>(x[in]));
        count += spikes[in];
      }
      const auto n = static_cast<double>(window.size());
      const auto terms = static_cast<std::ptrdiff_t>(window.size()) + 2;  // the sum, 1/n and the product round
      REQUIRE(std::abs(static_cast<double>(y[out]) - sum / n) <= test::dot_error_bound<float>(terms, sum_abs / n));
      REQUIRE(std::abs(static_cast<double>(of_spikes[out]) - count / n) <=
              test::dot_error_bound<float>(terms, count / n));
    });
  }
}

TEST_CASE("the gradient of average pooling agrees with finite differences") {
  for (const Case& c : kCases) {
    auto x = test::random_tensor<double>(c.in(), 1);
    const auto grad_y = test::random_tensor<double>(c.out(), 3);
    Tensor<double> grad_x = test::filled<double>(c.in()), y(c.out());
    synapses::avg_pool_backward<double>(c.geometry, grad_y.view(), grad_x.view());
    const auto loss = [&] {
      synapses::avg_pool_forward<double>(test::signal_of(x), c.geometry, y.view());
      return test::weighted_sum(y, grad_y);
    };

    const std::ptrdiff_t terms = y.size() * c.geometry.kernel * c.geometry.kernel + 2;
    const double bound = test::dot_error_bound<double>(terms, 4.0 * static_cast<double>(y.size() + 1));
    CHECK(test::worst_linear_gradient_error(x, grad_x, loss) <= bound);
  }
}

TEST_CASE("a pool that does not fit is a ShapeError") {
  const Tensor<float> x(Shape{2, 4, 4, 3});
  Tensor<float> y(Shape{2, 2, 2, 3});
  const Tensor<std::uint8_t> spikes(x.shape());

  CHECK_NOTHROW(synapses::max_pool_forward<float>(test::signal_of(x), {2, 2}, y.view()));
  CHECK_THROWS_AS(synapses::max_pool_forward<float>(test::signal_of(x), {5, 5}, y.view()), ShapeError);
  CHECK_THROWS_AS(synapses::max_pool_forward<float>(test::signal_of(x), {2, 0}, y.view()), ShapeError);
  CHECK_THROWS_AS(synapses::max_pool_forward<float>(test::signal_of(x), {0, 2}, y.view()), ShapeError);
  CHECK_THROWS_AS(synapses::avg_pool_forward<float>(test::signal_of(x), {1, 1}, y.view()), ShapeError);
  CHECK_THROWS_AS(synapses::max_pool_forward<float>(test::signal_of_spikes<float>(spikes), {2, 2}, y.view()),
                  ShapeError);
}

}  // namespace synfire
