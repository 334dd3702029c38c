#include "synapses/depthwise_conv2d.hpp"

#include <array>
#include <vector>

#include "core/error.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

struct Case {
  Shape shape;
  std::ptrdiff_t kernel;
};
/// One pixel, narrower than the kernel, whole packs of channels, odd numbers of them.
const std::array<Case, 5> kCases = {Case{{2, 1, 1, 1, 3}, 3}, Case{{2, 3, 2, 5, 7}, 5}, Case{{3, 2, 4, 4, 16}, 3},
                                    Case{{1, 2, 6, 3, 21}, 7}, Case{{5, 4, 4, 8}, 1}};

template <class Scalar>
struct Filter {
  explicit Filter(const Case& of)
      : w(test::random_tensor<Scalar>(Shape{of.shape.channels(), 1, of.kernel, of.kernel}, 11)),
        bias(test::random_tensor<Scalar>(Shape{of.shape.channels()}, 12)),
        scratch(synapses::depthwise_conv2d_scratch_bytes<Scalar>(of.shape.drop_front(of.shape.rank() - 3),
                                                                 static_cast<int>(of.kernel))) {}

  Tensor<Scalar> forward(const Signal<Scalar>& x) {
    Tensor<Scalar> y = test::filled<Scalar>(x.shape);
    synapses::depthwise_conv2d_forward<Scalar>(x, w.view(), bias.view(), y.view(), scratch);
    return y;
  }
  struct Gradients {
    Tensor<Scalar> w, bias, x;
  };
  Gradients backward(const Signal<Scalar>& x, const Tensor<Scalar>& grad_y) {
    Gradients g{test::filled<Scalar>(w.shape()), test::filled<Scalar>(bias.shape()), test::filled<Scalar>(x.shape)};
    synapses::depthwise_conv2d_backward<Scalar>(x, w.view(), grad_y.view(), g.w.view(), g.bias.view(), g.x.view(),
                                                scratch);
    return g;
  }

  Tensor<Scalar> w, bias;
  std::vector<std::byte> scratch;
};

/// The definition, and the sum of magnitudes for its error bound.
template <class Scalar>
void reference(const Case& of, const Tensor<Scalar>& x, const Filter<Scalar>& filter, Tensor<double>& y,
               Tensor<double>& sum_abs) {
  const int axis = of.shape.rank() - 3;
  const std::ptrdiff_t height = of.shape[axis], width = of.shape[axis + 1], channels = of.shape.channels();
  for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
    const std::ptrdiff_t c = i % channels, column = i / channels % width, row = i / channels / width % height;
    const std::ptrdiff_t frame = i / (channels * width * height);
    y[i] = static_cast<double>(filter.bias[c]);
    sum_abs[i] = std::abs(y[i]);
    for (std::ptrdiff_t a = 0; a < of.kernel; ++a) {
      for (std::ptrdiff_t b = 0; b < of.kernel; ++b) {
        const std::ptrdiff_t r = row + a - of.kernel / 2, k = column + b - of.kernel / 2;
        if (r < 0 || r >= height || k < 0 || k >= width) continue;
        const double product = static_cast<double>(filter.w[(c * of.kernel + a) * of.kernel + b]) *
                               static_cast<double>(x[((frame * height + r) * width + k) * channels + c]);
        y[i] += product;
        sum_abs[i] += std::abs(product);
      }
    }
  }
}

}  // namespace

TEST_CASE("a depthwise convolution follows the definition, for spikes as for the same real values") {
  for (const Case& of : kCases) {
    CAPTURE(of.shape.text());
    Filter<float> filter(of);
    const auto spikes = test::random_spikes(of.shape, 2, 0.4);
    const auto real = test::random_tensor<float>(of.shape, 1);
    for (const bool fires : {false, true}) {
      const auto x = fires ? test::convert<float>(spikes) : test::convert<float>(real);
      Tensor<double> y(of.shape), bound(of.shape);
      reference(of, x, filter, y, bound);
      for (std::ptrdiff_t i = 0; i < bound.size(); ++i)
        bound[i] = test::dot_error_bound<float>(of.kernel * of.kernel + 1, bound[i]);
      CHECK(test::worst_error(filter.forward(test::signal_of(x)), y, bound) <= 1.0);
    }
    CHECK(test::same_bits(filter.forward(test::signal_of_spikes<float>(spikes)),
                          filter.forward(test::signal_of(test::convert<float>(spikes)))));
  }
}

TEST_CASE("the gradients of a depthwise convolution equal finite differences") {
  for (const Case& of : kCases) {
    CAPTURE(of.shape.text());
    Filter<double> filter(of);
    auto x = test::random_tensor<double>(of.shape, 1);
    const auto grad_y = test::random_tensor<double>(of.shape, 3);
    const auto gradients = filter.backward(test::signal_of(x), grad_y);
    const auto loss = [&] { return test::weighted_sum(filter.forward(test::signal_of(x)), grad_y); };
    // Losses of as many terms as there are elements, each of at most taps + 1 products below 2.
    const double taps = static_cast<double>(of.kernel * of.kernel);
    const double terms = static_cast<double>(x.size()) * (taps + 1.0);
    const double bound = test::dot_error_bound<double>(x.size() + of.kernel * of.kernel + 2, 2.0 * terms);
    CHECK(test::worst_linear_gradient_error(filter.w, gradients.w, loss) <= bound);
    CHECK(test::worst_linear_gradient_error(filter.bias, gradients.bias, loss) <= bound);
    CHECK(test::worst_linear_gradient_error(x, gradients.x, loss) <= bound);
  }
}

TEST_CASE("a depthwise convolution gives the same bits for any number of threads, and refuses even kernels") {
  const Case of{{4, 3, 9, 9, 11}, 3};
  Filter<float> filter(of);
  const auto x = test::random_tensor<float>(of.shape, 1), grad_y = test::random_tensor<float>(of.shape, 3);
  CHECK(test::same_bits_for_any_threads([&] { return filter.forward(test::signal_of(x)); }));
  CHECK(test::same_bits_for_any_threads([&] { return filter.backward(test::signal_of(x), grad_y).w; }));
  CHECK(test::same_bits_for_any_threads([&] { return filter.backward(test::signal_of(x), grad_y).x; }));

  filter.w = Tensor<float>(Shape{11, 1, 2, 2});
  CHECK_THROWS_AS(filter.forward(test::signal_of(x)), ShapeError);
}

}  // namespace synfire
