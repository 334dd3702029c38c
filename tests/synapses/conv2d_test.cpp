#include "synapses/conv2d.hpp"

#include <vector>

#include "core/error.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

using synapses::Conv2dGeometry;

struct Case {
  Conv2dGeometry geometry;
  std::ptrdiff_t frames, height, width;
  double density;

  Shape in() const { return {frames, height, width, geometry.in_channels}; }
  Shape out() const {
    return {frames, geometry.out_extent(static_cast<int>(height), geometry.kernel_h),
            geometry.out_extent(static_cast<int>(width), geometry.kernel_w), geometry.out_channels};
  }
  Shape weights() const { return {geometry.out_channels, geometry.in_channels, geometry.kernel_h, geometry.kernel_w}; }
};

/// Kernels, strides and paddings around the edges of an image, channels around the width of a vector register.
std::vector<Case> cases() {
  return {
      {{.in_channels = 1, .out_channels = 1, .kernel_h = 1, .kernel_w = 1}, 1, 1, 1, 1.0},
      {{.in_channels = 1, .out_channels = 1, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1}, 2, 1, 1, 1.0},
      {{.in_channels = 2, .out_channels = 32, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1}, 3, 9, 13, 0.05},
      {{.in_channels = 32, .out_channels = 32, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1}, 2, 7, 6, 0.2},
      {{.in_channels = 5, .out_channels = 13, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1}, 3, 5, 8, 0.3},
      {{.in_channels = 3, .out_channels = 40, .kernel_h = 5, .kernel_w = 5, .stride = 1, .padding = 2}, 2, 4, 7, 0.9},
      {{.in_channels = 3, .out_channels = 7, .kernel_h = 5, .kernel_w = 3, .stride = 2, .padding = 2}, 2, 9, 6, 0.5},
      {{.in_channels = 9, .out_channels = 8, .kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = 1}, 2, 6, 11, 0.4},
      {{.in_channels = 4, .out_channels = 6, .kernel_h = 2, .kernel_w = 2, .stride = 3, .padding = 0}, 2, 7, 9, 0.6},
      {{.in_channels = 16, .out_channels = 72, .kernel_h = 1, .kernel_w = 1, .stride = 2, .padding = 0}, 1, 5, 5, 1.0},
      {{.in_channels = 2, .out_channels = 3, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 0}, 40, 3, 4, 0.0},
      {{.in_channels = 2, .out_channels = 3, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1}, 0, 3, 4, 1.0},
      {{.in_channels = 2, .out_channels = 130, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 4}, 1, 2, 3, 1.0},
      // Taller than the blocks of rows that one pass works on, forward and backward.
      {{.in_channels = 3, .out_channels = 9, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1}, 2, 37, 5, 0.2},
      {{.in_channels = 2, .out_channels = 32, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1}, 1, 22, 62, 0.1},
      {{.in_channels = 2, .out_channels = 64, .kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = 1}, 1, 43, 90, 0.1},
      {{.in_channels = 2, .out_channels = 64, .kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = 1}, 1, 43, 90, 1.0},
      // An output so large that it is written past the caches.
      {{.in_channels = 1, .out_channels = 8, .kernel_h = 1, .kernel_w = 1}, 2, 512, 520, 0.1},
  };
}

/// y and its gradients by the definition; sum_abs is the same sum over absolute values, which bounds the rounding.
struct Reference {
  Tensor<double> y, y_abs, grad_w, grad_w_abs, grad_x, grad_x_abs, grad_bias, grad_bias_abs;
};

Reference reference(const Case& c, const Tensor<double>& x, const Tensor<double>& w, const Tensor<double>& bias,
                    const Tensor<double>& grad_y) {
  Reference r{Tensor<double>(c.out()),      Tensor<double>(c.out()),     Tensor<double>(c.weights()),
              Tensor<double>(c.weights()),  Tensor<double>(c.in()),      Tensor<double>(c.in()),
              Tensor<double>(bias.shape()), Tensor<double>(bias.shape())};
  const Conv2dGeometry& g = c.geometry;
  const std::ptrdiff_t out_h = c.out()[1], out_w = c.out()[2], ci = g.in_channels, co = g.out_channels;
  for (std::ptrdiff_t f = 0; f < c.frames; ++f) {
    for (std::ptrdiff_t i = 0; i < out_h; ++i) {
      for (std::ptrdiff_t j = 0; j < out_w; ++j) {
        for (std::ptrdiff_t o = 0; o < co; ++o) {
          const std::ptrdiff_t at = ((f * out_h + i) * out_w + j) * co + o;
          const double gradient = grad_y[at];
          r.y[at] = bias[o];
          r.y_abs[at] = std::abs(bias[o]);
          r.grad_bias[o] += gradient;
          r.grad_bias_abs[o] += std::abs(gradient);
          for (int a = 0; a < g.kernel_h; ++a) {
            for (int b = 0; b < g.kernel_w; ++b) {
              const std::ptrdiff_t row = i * g.stride + a - g.padding, column = j * g.stride + b - g.padding;
              if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
              for (std::ptrdiff_t k = 0; k < ci; ++k) {
                const std::ptrdiff_t in = ((f * c.height + row) * c.width + column) * ci + k;
                const std::ptrdiff_t weight = ((o * ci + k) * g.kernel_h + a) * g.kernel_w + b;
                r.y[at] += w[weight] * x[in];
                r.y_abs[at] += std::abs(w[weight] * x[in]);
                r.grad_w[weight] += gradient * x[in];
                r.grad_w_abs[weight] += std::abs(gradient * x[in]);
                r.grad_x[in] += gradient * w[weight];
                r.grad_x_abs[in] += std::abs(gradient * w[weight]);
              }
            }
          }
        }
      }
    }
  }
  return r;
}

template <class Scalar>
Tensor<double> bounds(std::ptrdiff_t terms, const Tensor<double>& sum_abs) {
  Tensor<double> result(sum_abs.shape());
  for (std::ptrdiff_t i = 0; i < sum_abs.size(); ++i) result[i] = test::dot_error_bound<Scalar>(terms, sum_abs[i]);
  return result;
}

template <class Scalar>
struct Gradients {
  Tensor<Scalar> w, bias, x;
};

template <class Scalar>
std::vector<std::byte> scratch_for(const Case& c) {
  return std::vector<std::byte>(synapses::conv2d_scratch_bytes<Scalar>(c.geometry, c.frames, c.in().drop_front(1)));
}

template <class Scalar>
Tensor<Scalar> forward(const Case& c, const Signal<Scalar>& x, const Tensor<Scalar>& w, const Tensor<Scalar>& bias) {
  Tensor<Scalar> y = test::filled<Scalar>(c.out());
  auto scratch = scratch_for<Scalar>(c);
  synapses::conv2d_forward<Scalar>(x, c.geometry, w.view(), bias.view(), y.view(), scratch);
  return y;
}

template <class Scalar>
Gradients<Scalar> backward(const Case& c, const Signal<Scalar>& x, const Tensor<Scalar>& w,
                           const Tensor<Scalar>& grad_y) {
  Gradients<Scalar> grads{test::filled<Scalar>(c.weights()), test::filled<Scalar>(Shape{c.geometry.out_channels}),
                          test::filled<Scalar>(c.in())};
  auto scratch = scratch_for<Scalar>(c);
  synapses::conv2d_backward<Scalar>(x, c.geometry, w.view(), grad_y.view(), grads.w.view(), grads.bias.view(),
                                    grads.x.view(), scratch);
  return grads;
}

template <class Scalar>
void check_case(const Case& c, bool spikes) {
  const auto spike_bytes = test::random_spikes(c.in(), 5, c.density);
  const auto x = spikes ? test::convert<Scalar>(spike_bytes) : test::random_tensor<Scalar>(c.in(), 1, c.density);
  const auto w = test::random_tensor<Scalar>(c.weights(), 2);
  const auto bias = test::random_tensor<Scalar>(Shape{c.geometry.out_channels}, 3);
  const auto grad_y = test::random_tensor<Scalar>(c.out(), 4);
  const Reference expected = reference(c, test::convert<double>(x), test::convert<double>(w),
                                       test::convert<double>(bias), test::convert<double>(grad_y));
  const Signal<Scalar> signal = spikes ? test::signal_of_spikes<Scalar>(spike_bytes) : test::signal_of(x);

  const auto y = forward<Scalar>(c, signal, w, bias);
  const auto grads = backward<Scalar>(c, signal, w, grad_y);

  const Conv2dGeometry& g = c.geometry;
  const std::ptrdiff_t taps = std::ptrdiff_t{g.kernel_h} * g.kernel_w;
  const std::ptrdiff_t positions = c.frames * c.out()[1] * c.out()[2];
  CHECK(test::worst_error(y, expected.y, bounds<Scalar>(taps * g.in_channels + 1, expected.y_abs)) <= 1.0);
  CHECK(test::worst_error(grads.x, expected.grad_x, bounds<Scalar>(taps * g.out_channels, expected.grad_x_abs)) <= 1.0);
  CHECK(test::worst_error(grads.w, expected.grad_w, bounds<Scalar>(positions, expected.grad_w_abs)) <= 1.0);
  CHECK(test::worst_error(grads.bias, expected.grad_bias, bounds<Scalar>(positions, expected.grad_bias_abs)) <= 1.0);
}

}  // namespace

TEST_CASE("a convolution and its gradients follow the definition, for real values and for spikes") {
  std::size_t number = 0;
  for (const Case& c : cases()) {
    CAPTURE(number++);
    check_case<float>(c, false);
    check_case<float>(c, true);
    check_case<double>(c, false);
    check_case<double>(c, true);
  }
}

TEST_CASE("spikes as bytes and spikes as real values give the same bits") {
  for (const Case& c : cases()) {
    const auto bytes = test::random_spikes(c.in(), 5, c.density);
    const auto real = test::convert<float>(bytes);
    const auto w = test::random_tensor<float>(c.weights(), 2);
    const auto bias = test::random_tensor<float>(Shape{c.geometry.out_channels}, 3);
    const auto grad_y = test::random_tensor<float>(c.out(), 4);

    const auto of_bytes = backward<float>(c, test::signal_of_spikes<float>(bytes), w, grad_y);
    const auto of_real = backward<float>(c, test::signal_of(real), w, grad_y);

    CHECK(test::same_bits(forward<float>(c, test::signal_of_spikes<float>(bytes), w, bias),
                          forward<float>(c, test::signal_of(real), w, bias)));
    CHECK(test::same_bits(of_bytes.w, of_real.w));
    CHECK(test::same_bits(of_bytes.x, of_real.x));
  }
}

TEST_CASE("a convolution gives the same bits for one and two threads") {
  const Case c{
      {.in_channels = 3, .out_channels = 9, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1}, 37, 6, 5, 0.3};
  const auto x = test::random_tensor<float>(c.in(), 1, c.density);
  const auto w = test::random_tensor<float>(c.weights(), 2);
  const auto bias = test::random_tensor<float>(Shape{9}, 3);
  const auto grad_y = test::random_tensor<float>(c.out(), 4);

  CHECK(test::same_bits_for_any_threads([&] { return forward<float>(c, test::signal_of(x), w, bias); }));
  CHECK(test::same_bits_for_any_threads([&] { return backward<float>(c, test::signal_of(x), w, grad_y).w; }));
  CHECK(test::same_bits_for_any_threads([&] { return backward<float>(c, test::signal_of(x), w, grad_y).bias; }));
  CHECK(test::same_bits_for_any_threads([&] { return backward<float>(c, test::signal_of(x), w, grad_y).x; }));
}

TEST_CASE("the gradients of a convolution agree with finite differences in every input") {
  for (const Case& c : cases()) {
    auto x = test::random_tensor<double>(c.in(), 1, c.density);
    auto w = test::random_tensor<double>(c.weights(), 2);
    auto bias = test::random_tensor<double>(Shape{c.geometry.out_channels}, 3);
    const auto grad_y = test::random_tensor<double>(c.out(), 4);
    if (x.size() * c.out().size() > 1'000'000) continue;  // a check of seconds; the reference covers the rest

    const auto grads = backward<double>(c, test::signal_of(x), w, grad_y);
    const auto loss = [&] { return test::weighted_sum(forward<double>(c, test::signal_of(x), w, bias), grad_y); };

    // All values stay below 2 in size and weights of the loss below 1, so the sum of absolute terms of a loss is at
    // most 4 for each product; the difference of two losses doubles the bound and the division by 2 halves it.
    const std::ptrdiff_t products =
        c.out().size() * (std::ptrdiff_t{c.geometry.kernel_h} * c.geometry.kernel_w * c.geometry.in_channels + 1);
    const double bound = test::dot_error_bound<double>(products, 4.0 * static_cast<double>(products)) + 1e-300;
    CHECK(test::worst_linear_gradient_error(w, grads.w, loss) <= bound);
    CHECK(test::worst_linear_gradient_error(bias, grads.bias, loss) <= bound);
    CHECK(test::worst_linear_gradient_error(x, grads.x, loss) <= bound);
  }
}

TEST_CASE("a convolution that does not fit is a ShapeError") {
  const Case c{
      {.in_channels = 2, .out_channels = 3, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 0}, 2, 4, 4, 1.0};
  const Tensor<float> x(c.in()), w(c.weights()), bias(Shape{3});
  Tensor<float> y(c.out());
  auto scratch = scratch_for<float>(c);
  const auto run = [&](const Conv2dGeometry& g, const Tensor<float>& input, std::span<std::byte> memory) {
    synapses::conv2d_forward<float>(test::signal_of(input), g, w.view(), bias.view(), y.view(), memory);
  };

  CHECK_NOTHROW(run(c.geometry, x, scratch));
  Conv2dGeometry zero_stride = c.geometry;
  zero_stride.stride = 0;
  CHECK_THROWS_AS(run(zero_stride, x, scratch), ShapeError);
  CHECK_THROWS_AS(run(c.geometry, Tensor<float>(Shape{2, 2, 4, 2}), scratch), ShapeError);
  CHECK_THROWS_AS(run(c.geometry, Tensor<float>(Shape{2, 4, 4, 1}), scratch), ShapeError);
  CHECK_THROWS_AS(run(c.geometry, Tensor<float>(Shape{4, 4}), scratch), ShapeError);
  CHECK_THROWS_AS(run(c.geometry, x, std::span(scratch).first(16)), ShapeError);
}

}  // namespace synfire
