#include "synapses/causal_conv1d.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "tests/network/golden_file.hpp"
#include "tests/reference/sequence_rows.hpp"
#include "tests/support/sequence_orders.hpp"
#include "tests/synapses/op_checks.hpp"

using namespace synfire;
using test::filled;
using test::random_tensor;

namespace {

const std::array<Shape, 6> kShapes{Shape{3, 2, 3, 5, 7}, Shape{1, 1, 1, 1, 1},  Shape{2, 3, 1, 2, 19},
                                   Shape{5, 2, 8},       Shape{1, 2, 9, 9, 33}, Shape{0, 2, 3}};

template <class Scalar>
struct Gradients {
  Tensor<Scalar> w, bias, x;
};

template <class Scalar>
Tensor<Scalar> forward(const Signal<Scalar>& x, const Tensor<Scalar>& w, const Tensor<Scalar>& bias,
                       SequenceOrder order) {
  std::vector<std::byte> scratch(synapses::causal_conv1d_scratch_bytes<Scalar>(x.shape.channels(), w.shape()[1]),
                                 std::byte{0xFF});
  Tensor<Scalar> y = filled<Scalar>(x.shape);
  synapses::causal_conv1d_forward<Scalar>(x, w.view(), bias.view(), order, y.view(), scratch);
  return y;
}

template <class Scalar>
Gradients<Scalar> backward(const Signal<Scalar>& x, const Tensor<Scalar>& w, const Tensor<Scalar>& grad_y,
                           SequenceOrder order) {
  std::vector<std::byte> scratch(synapses::causal_conv1d_scratch_bytes<Scalar>(x.shape.channels(), w.shape()[1]),
                                 std::byte{0xFF});
  Gradients<Scalar> grad{filled<Scalar>(w.shape()), filled<Scalar>(Shape{x.shape.channels()}), filled<Scalar>(x.shape)};
  synapses::causal_conv1d_backward<Scalar>(x, w.view(), grad_y.view(), order, grad.w.view(), grad.bias.view(),
                                           grad.x.view(), scratch);
  return grad;
}

/// The equation, one number at a time, in double.
struct Expected {
  Tensor<double> y, bound;
};
template <class Scalar>
Expected reference(const Tensor<double>& x, const Tensor<double>& w, const Tensor<double>& bias, SequenceOrder order) {
  Expected result{Tensor<double>(x.shape()), Tensor<double>(x.shape())};
  const std::ptrdiff_t channels = x.shape().channels(), taps = w.shape()[1];
  for (const auto& rows : test::sequence_rows(x.shape(), order)) {
    for (std::size_t l = 0; l < rows.size(); ++l) {
      for (std::ptrdiff_t e = 0; e < channels; ++e) {
        double sum = bias[e], sum_abs = std::abs(bias[e]);
        for (std::ptrdiff_t k = 0; k < taps; ++k) {
          const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(l) - (taps - 1) + k;
          if (at < 0) continue;
          const double product = w[e * taps + k] * x[rows[static_cast<std::size_t>(at)] * channels + e];
          sum += product;
          sum_abs += std::abs(product);
        }
        result.y[rows[l] * channels + e] = sum;
        result.bound[rows[l] * channels + e] = 2.0 * test::dot_error_bound<Scalar>(taps + 1, sum_abs);
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE("four tokens through four taps") {
  Tensor<float> x({4, 1, 1}), w({1, 4}), bias(Shape{1});
  for (std::ptrdiff_t i = 0; i < 4; ++i) {
    x[i] = static_cast<float>(i + 1);
    w[i] = std::array<float, 4>{1000.0F, 100.0F, 10.0F, 1.0F}[static_cast<std::size_t>(i)];
  }
  bias[0] = 0.5F;

  const Tensor<float> there = forward(test::signal_of(x), w, bias, {SequenceAxis::time, SequenceDirection::forward});
  const Tensor<float> back = forward(test::signal_of(x), w, bias, {SequenceAxis::time, SequenceDirection::backward});

  CHECK(std::vector<float>(there.span().begin(), there.span().end()) ==
        std::vector<float>{1.5F, 12.5F, 123.5F, 1234.5F});
  CHECK(std::vector<float>(back.span().begin(), back.span().end()) == std::vector<float>{4321.5F, 432.5F, 43.5F, 4.5F});
}

TEST_CASE_TEMPLATE("causal_conv1d agrees with slow loops on every axis, both ways", Scalar, float, double) {
  for (const Shape& shape : kShapes) {
    for (const std::ptrdiff_t taps : {1, 2, 4, 7}) {
      for (const SequenceOrder order : test::all_orders()) {
        CAPTURE(shape.text());
        CAPTURE(test::order_text(order));
        const Tensor<std::uint8_t> spikes = test::random_spikes(shape, 1, 0.4);
        const Tensor<Scalar> x = random_tensor<Scalar>(shape, 2),
                             w = random_tensor<Scalar>({shape.channels(), taps}, 3),
                             bias = random_tensor<Scalar>(Shape{shape.channels()}, 4);
        const auto expected = [&](const Tensor<double>& input) {
          return reference<Scalar>(input, test::convert<double>(w), test::convert<double>(bias), order);
        };

        const Expected of_real = expected(test::convert<double>(x));
        const Expected of_spikes = expected(test::convert<double>(spikes));

        CHECK(test::worst_error(forward(test::signal_of(x), w, bias, order), of_real.y, of_real.bound) <= 1.0);
        CHECK(test::worst_error(forward(test::signal_of_spikes<Scalar>(spikes), w, bias, order), of_spikes.y,
                                of_spikes.bound) <= 1.0);
      }
    }
  }
}

TEST_CASE("causal_conv1d_backward is the derivative of causal_conv1d_forward") {
  for (const Shape& shape : {Shape{3, 2, 2, 3, 3}, Shape{7, 1, 5}, Shape{1, 1, 1, 1, 2}}) {
    for (const SequenceOrder order : test::all_orders()) {
      CAPTURE(test::order_text(order));
      Tensor<double> x = random_tensor<double>(shape, 1), w = random_tensor<double>({shape.channels(), 4}, 2),
                     bias = random_tensor<double>(Shape{shape.channels()}, 3);
      const Tensor<double> grad_y = random_tensor<double>(shape, 4);
      const auto loss = [&] { return test::weighted_sum(forward(test::signal_of(x), w, bias, order), grad_y); };

      const Gradients<double> grad = backward(test::signal_of(x), w, grad_y, order);

      // A loss of some hundred terms of size 1, over a step of 1.
      constexpr double kTolerance = 1000.0 * test::unit_roundoff<double>;
      CHECK(test::worst_linear_gradient_error(x, grad.x, loss) <= kTolerance);
      CHECK(test::worst_linear_gradient_error(w, grad.w, loss) <= kTolerance);
      CHECK(test::worst_linear_gradient_error(bias, grad.bias, loss) <= kTolerance);
    }
  }
}

TEST_CASE_TEMPLATE("causal_conv1d and its gradients are those of PyTorch", Scalar, float, double) {
  const Hdf5File file = test::open_golden("selective_scan_torch/scan.h5");
  int cases = 0;
  for (const std::string size : {"odd", "one_tick", "one_token", "long_clip", "long_time"}) {
    for (const SequenceOrder order : test::all_orders()) {
      const std::string name = size + "/" + test::order_text(order) + "/";
      if (!file.has(name + "e")) continue;
      ++cases;
      CAPTURE(name);
      const auto read = [&](const char* key) { return test::read_golden<Scalar>(file, name + key); };
      const Tensor<std::uint8_t> spikes = test::convert<std::uint8_t>(read("e"));
      const auto check = [&](const char* key, const Tensor<Scalar>& ours) {
        CAPTURE(key);
        const auto [largest, error] =
            test::difference<Scalar>(test::read_golden<double>(file, name + key), ours.view());
        CHECK(error <= 1e-5 * largest);
      };

      check("conv", forward(test::signal_of_spikes<Scalar>(spikes), read("conv.weight"), read("conv.bias"), order));
      const Gradients<Scalar> grad =
          backward(test::signal_of_spikes<Scalar>(spikes), read("conv.weight"), read("grad/conv"), order);
      check("grad/e", grad.x);
      check("grad/conv.weight", grad.w);
      check("grad/conv.bias", grad.bias);
    }
  }
  CHECK(cases == 18);
}

TEST_CASE("causal_conv1d gives the same bits for any number of threads") {
  const Tensor<float> x = random_tensor<float>({4, 3, 9, 11, 21}, 1), w = random_tensor<float>({21, 4}, 2),
                      bias = random_tensor<float>(Shape{21}, 3);
  for (const SequenceOrder order : test::all_orders()) {
    CHECK(test::same_bits_for_any_threads([&] { return forward(test::signal_of(x), w, bias, order); }));
    CHECK(test::same_bits_for_any_threads([&] { return backward(test::signal_of(x), w, x, order).w; }));
    CHECK(test::same_bits_for_any_threads([&] { return backward(test::signal_of(x), w, x, order).x; }));
  }
}

TEST_CASE("causal_conv1d refuses what does not fit") {
  const Tensor<float> x({3, 2, 4}), w({4, 3}), bias(Shape{4});
  CHECK_NOTHROW(forward(test::signal_of(x), w, bias, {}));
  CHECK_THROWS_AS(forward(test::signal_of(x), Tensor<float>({5, 3}), bias, {}), ShapeError);
  CHECK_THROWS_AS(forward(test::signal_of(x), Tensor<float>({4, 65}), bias, {}), ShapeError);
  CHECK_THROWS_AS(forward(test::signal_of(x), w, Tensor<float>(Shape{3}), {}), ShapeError);
  CHECK_THROWS_AS(forward(test::signal_of(Tensor<float>({3, 4})), w, bias, {}), ShapeError);
  CHECK_THROWS_AS(backward(test::signal_of(x), w, Tensor<float>({3, 2, 5}), {}), ShapeError);
}
