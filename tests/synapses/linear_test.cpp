#include "synapses/linear.hpp"

#include <vector>

#include "core/error.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

struct Case {
  std::ptrdiff_t frames, in, out;
  double density;
};

const std::vector<Case> kCases = {
    {1, 1, 1, 1.0},   {3, 5, 7, 0.0},   {0, 4, 3, 1.0},    {6, 33, 17, 0.1},  {9, 64, 32, 0.5},
    {5, 12, 70, 1.0}, {70, 9, 11, 0.2}, {1100, 3, 2, 0.3}, {2, 130, 97, 0.3},
};

template <class Scalar>
struct Gradients {
  Tensor<Scalar> w, bias, x;
};

template <class Scalar>
Tensor<Scalar> forward(const Case& c, const Signal<Scalar>& x, const Tensor<Scalar>& w, const Tensor<Scalar>& bias) {
  Tensor<Scalar> y = test::filled<Scalar>(Shape{c.frames, c.out});
  std::vector<std::byte> scratch(synapses::linear_scratch_bytes<Scalar>(c.frames, c.in, c.out));
  synapses::linear_forward<Scalar>(x, w.view(), bias.view(), y.view(), scratch);
  return y;
}

template <class Scalar>
Gradients<Scalar> backward(const Case& c, const Signal<Scalar>& x, const Tensor<Scalar>& w,
                           const Tensor<Scalar>& grad_y) {
  Gradients<Scalar> grads{test::filled<Scalar>(Shape{c.out, c.in}), test::filled<Scalar>(Shape{c.out}),
                          test::filled<Scalar>(Shape{c.frames, c.in})};
  std::vector<std::byte> scratch(synapses::linear_scratch_bytes<Scalar>(c.frames, c.in, c.out));
  synapses::linear_backward<Scalar>(x, w.view(), grad_y.view(), grads.w.view(), grads.bias.view(), grads.x.view(),
                                    scratch);
  return grads;
}

/// sum_k a(k) b(k) against `got`, within the bound of a dot product.
template <class Scalar, class A, class B>
bool is_dot(Scalar got, std::ptrdiff_t terms, const A& a, const B& b, double start = 0.0) {
  double sum = start, sum_abs = std::abs(start);
  for (std::ptrdiff_t k = 0; k < terms; ++k) {
    sum += static_cast<double>(a(k)) * static_cast<double>(b(k));
    sum_abs += std::abs(static_cast<double>(a(k)) * static_cast<double>(b(k)));
  }
  return std::abs(static_cast<double>(got) - sum) <= test::dot_error_bound<Scalar>(terms + 1, sum_abs);
}

template <class Scalar>
void check_case(const Case& c, bool spikes) {
  const auto bytes = test::random_spikes(Shape{c.frames, c.in}, 5, c.density);
  const auto x =
      spikes ? test::convert<Scalar>(bytes) : test::random_tensor<Scalar>(Shape{c.frames, c.in}, 1, c.density);
  const auto w = test::random_tensor<Scalar>(Shape{c.out, c.in}, 2);
  const auto bias = test::random_tensor<Scalar>(Shape{c.out}, 3);
  const auto grad_y = test::random_tensor<Scalar>(Shape{c.frames, c.out}, 4);
  const Signal<Scalar> signal = spikes ? test::signal_of_spikes<Scalar>(bytes) : test::signal_of(x);

  const auto y = forward<Scalar>(c, signal, w, bias);
  const auto grads = backward<Scalar>(c, signal, w, grad_y);

  std::ptrdiff_t wrong = 0;
  for (std::ptrdiff_t f = 0; f < c.frames; ++f) {
    for (std::ptrdiff_t o = 0; o < c.out; ++o) {
      wrong += !is_dot(
          y[f * c.out + o], c.in, [&](auto i) { return x[f * c.in + i]; }, [&](auto i) { return w[o * c.in + i]; },
          static_cast<double>(bias[o]));
    }
    for (std::ptrdiff_t i = 0; i < c.in; ++i) {
      wrong += !is_dot(
          grads.x[f * c.in + i], c.out, [&](auto o) { return grad_y[f * c.out + o]; },
          [&](auto o) { return w[o * c.in + i]; });
    }
  }
  for (std::ptrdiff_t o = 0; o < c.out; ++o) {
    wrong += !is_dot(
        grads.bias[o], c.frames, [&](auto f) { return grad_y[f * c.out + o]; }, [](auto) { return 1.0; });
    for (std::ptrdiff_t i = 0; i < c.in; ++i) {
      wrong += !is_dot(
          grads.w[o * c.in + i], c.frames, [&](auto f) { return grad_y[f * c.out + o]; },
          [&](auto f) { return x[f * c.in + i]; });
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("a linear map and its gradients follow the definition, for real values and for spikes") {
  for (const Case& c : kCases) {
    CAPTURE(c.in);
    check_case<float>(c, false);
    check_case<float>(c, true);
    check_case<double>(c, false);
    check_case<double>(c, true);
  }
}

TEST_CASE("the gradients of a linear map agree with finite differences in every input") {
  for (const Case& c : kCases) {
    auto x = test::random_tensor<double>(Shape{c.frames, c.in}, 1, c.density);
    auto w = test::random_tensor<double>(Shape{c.out, c.in}, 2);
    auto bias = test::random_tensor<double>(Shape{c.out}, 3);
    const auto grad_y = test::random_tensor<double>(Shape{c.frames, c.out}, 4);

    const auto grads = backward<double>(c, test::signal_of(x), w, grad_y);
    const auto loss = [&] { return test::weighted_sum(forward<double>(c, test::signal_of(x), w, bias), grad_y); };

    // Values stay below 2 in size, weights of the loss below 1: at most 4 for each product of a loss.
    const std::ptrdiff_t products = c.frames * c.out * (c.in + 1) + 1;
    const double bound = test::dot_error_bound<double>(products, 4.0 * static_cast<double>(products));
    CHECK(test::worst_linear_gradient_error(w, grads.w, loss) <= bound);
    CHECK(test::worst_linear_gradient_error(bias, grads.bias, loss) <= bound);
    CHECK(test::worst_linear_gradient_error(x, grads.x, loss) <= bound);
  }
}

TEST_CASE("a linear map gives the same bits for one and two threads and for spikes in either form") {
  const Case c{33, 70, 20, 0.3};
  const auto bytes = test::random_spikes(Shape{c.frames, c.in}, 5, c.density);
  const auto real = test::convert<float>(bytes);
  const auto w = test::random_tensor<float>(Shape{c.out, c.in}, 2);
  const auto bias = test::random_tensor<float>(Shape{c.out}, 3);
  const auto grad_y = test::random_tensor<float>(Shape{c.frames, c.out}, 4);
  const auto of_bytes = test::signal_of_spikes<float>(bytes);

  CHECK(test::same_bits_for_any_threads([&] { return forward<float>(c, of_bytes, w, bias); }));
  CHECK(test::same_bits_for_any_threads([&] { return backward<float>(c, of_bytes, w, grad_y).w; }));
  CHECK(test::same_bits_for_any_threads([&] { return backward<float>(c, of_bytes, w, grad_y).bias; }));
  CHECK(test::same_bits_for_any_threads([&] { return backward<float>(c, of_bytes, w, grad_y).x; }));
  CHECK(test::same_bits(forward<float>(c, of_bytes, w, bias), forward<float>(c, test::signal_of(real), w, bias)));
  CHECK(test::same_bits(backward<float>(c, of_bytes, w, grad_y).w,
                        backward<float>(c, test::signal_of(real), w, grad_y).w));
}

TEST_CASE("a linear map that does not fit is a ShapeError") {
  const Tensor<float> x(Shape{2, 3, 4}), w(Shape{5, 4}), bias(Shape{5});
  Tensor<float> y(Shape{2, 3, 5});
  std::vector<std::byte> scratch(synapses::linear_scratch_bytes<float>(6, 4, 5));
  const auto run = [&](const Tensor<float>& input, const Tensor<float>& weights, std::span<std::byte> memory) {
    synapses::linear_forward<float>(test::signal_of(input), weights.view(), bias.view(), y.view(), memory);
  };

  CHECK_NOTHROW(run(x, w, scratch));
  CHECK_THROWS_AS(run(Tensor<float>(Shape{2, 3, 3}), w, scratch), ShapeError);
  CHECK_THROWS_AS(run(Tensor<float>(Shape{3, 2, 4}), w, scratch), ShapeError);
  CHECK_THROWS_AS(run(x, Tensor<float>(Shape{4, 5}), scratch), ShapeError);
  CHECK_THROWS_AS(run(x, w, std::span(scratch).first(1)), ShapeError);
}

}  // namespace synfire
