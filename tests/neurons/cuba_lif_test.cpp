#include "neurons/cuba_lif.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "tests/neurons/lif_run.hpp"
#include "tests/neurons/slopes.hpp"
#include "tests/reference/cuba_lif_reference.hpp"

using namespace synfire;

namespace {

template <class Scalar>
struct Output {
  std::vector<Scalar> spikes, grad_x;
  std::vector<double> grad_constants;

  bool operator==(const Output&) const = default;
};

template <class Scalar, class Spike>
Output<Scalar> run(const test::LifInput<Scalar>& input, const neurons::CubaLifParams& params) {
  const Tensor<Scalar> x = test::make_tensor(input.y, input.shape, Device::cpu);
  Tensor<Spike> spikes(input.shape);
  Tensor<Scalar> grad = test::make_tensor(input.grad_spikes, input.shape, Device::cpu);
  const Tensor<Scalar>& grad_spikes = grad;
  std::vector<std::byte> scratch(neurons::cuba_lif_scratch_bytes(), std::byte{0xFF});
  Output<Scalar> output;
  output.grad_constants.assign(3, std::numeric_limits<double>::quiet_NaN());

  neurons::cuba_lif_forward(x.view(), params, spikes.view());
  neurons::cuba_lif_backward<Scalar, Spike>(x.view(), params, grad_spikes.view(), grad.view(), output.grad_constants,
                                            scratch);

  for (const Spike s : test::values_of(spikes)) output.spikes.push_back(static_cast<Scalar>(s));
  output.grad_x = test::values_of(grad);
  return output;
}

std::vector<neurons::CubaLifParams> all_params() {
  std::vector<neurons::CubaLifParams> all;
  for (const neurons::LifParams& membrane : test::all_lif_params()) all.push_back({membrane, 0.6});
  return all;
}

/// A perturbation of lam or m shrinks by a decay a tick: a hundred roundings of the largest gradient is generous, as
/// for lif, times 1 / (1 - syn_decay) for the sum over the current's future.
constexpr double kRoundings = 100.0 / (1.0 - 0.6);

void check_against_reference(const test::LifInput<double>& input, const neurons::CubaLifParams& params) {
  const auto expected = test::cuba_lif_reference(input, params, false);

  const auto output = run<double, std::uint8_t>(input, params);

  CHECK(output.spikes == expected.s);
  double largest = 1.0, worst = 0.0;
  for (std::size_t i = 0; i < expected.grad_x.size(); ++i) {
    largest = std::max(largest, std::abs(expected.grad_x[i]));
    worst = std::max(worst, std::abs(output.grad_x[i] - expected.grad_x[i]));
  }
  const double tolerance = kRoundings * test::unit_roundoff<double> * largest;
  CHECK(worst <= tolerance);
  // Each sum has a term of at most 10 `largest` for every tick of every neuron: |i| and |v - v_r| stay below 10.
  const double all = 10.0 * static_cast<double>(input.y.size()) * tolerance;
  CHECK(std::abs(output.grad_constants[0] - expected.grad_syn_decay) <= all);
  CHECK(std::abs(output.grad_constants[1] - expected.grad_decay) <= all);
  CHECK(std::abs(output.grad_constants[2] - expected.grad_gain) <= all);
}

}  // namespace

TEST_CASE("six ticks of a current-based neuron give the spikes and gradients of SpikingJelly") {
  // CUBALIFNode of SpikingJelly 2.0.0 in float64: c_decay .5, v_decay .75, threshold .5, ATan of alpha 2; ten decimals.
  struct Row {
    std::optional<double> v_reset;
    std::vector<double> spikes, grad_x;
  };
  const std::array<Row, 2> rows{
      {{0.0, {0, 1, 0, 1, 0, 1}, {.0059685493, -.2754179580, .8700736476, .4006795454, -.8650496277, .1532741465}},
       {{}, {0, 1, 0, 1, 1, 1}, {.4290003219, -.0423100951, .4854295151, .2463168554, -.1769550302, .1886621229}}}};
  test::LifInput<double> input;
  input.shape = {6, 1, 1};
  for (const double x : {.6, .8, .2, 1.5, .3, .9}) input.y.push_back(0.4 * x);
  input.grad_spikes = {1.0, -.5, .25, 2.0, -1.0, .5};
  for (const Row& row : rows) {
    neurons::CubaLifConfig config;
    config.membrane = {
        .tau_mem_ms = 4.0, .v_th = 0.5, .v_reset = row.v_reset, .decay_input = false, .detach_reset = false};
    config.tau_syn_ms = 2.0;

    const auto output = run<double, std::uint8_t>(input, neurons::cuba_lif_params(config, 1.0));

    CHECK(output.spikes == row.spikes);
    for (std::size_t t = 0; t < 6; ++t) CHECK(std::abs(output.grad_x[t] - row.grad_x[t]) <= 1e-9);
  }
}

TEST_CASE("current-based neurons agree with slow loops for every setting and for sizes around a tile") {
  for (const auto& params : all_params()) {
    check_against_reference(test::random_lif_input<double>({20, 3, 11}, 7, false), params);
  }
  for (const Shape& shape :
       {Shape{5, 1, 1}, Shape{5, 1, 65}, Shape{1, 2, 3, 7}, Shape{3, 2, 11, 3, 11}, Shape{2, 1, 1025},
        Shape{2, 7, 2500}, Shape{130, 1, 70}, Shape{700, 1, 70}, Shape{5000, 1, 3}}) {
    CAPTURE(shape.text());
    check_against_reference(test::random_lif_input<double>(shape, 11, false), all_params()[1]);
  }
}

TEST_CASE("cuba_lif_backward is the derivative of cuba_lif_forward with smooth spikes") {
  for (const auto& params : all_params()) {
    CAPTURE(static_cast<int>(params.membrane.surrogate.kind));
    auto input = test::random_lif_input<double>({20, 1, 3}, 23, false);
    neurons::CubaLifParams moved = params;
    const auto gradient = run<double, double>(input, params);
    // A detached reset is held fixed.
    const std::vector<double> resets = test::cuba_lif_reference(input, params, true).s;
    const auto evaluate = [&] {
      const auto spikes = params.membrane.detach_reset ? test::cuba_lif_reference(input, moved, true, &resets).s
                                                       : run<double, double>(input, moved).spikes;
      return test::weighted_sum(spikes, input.grad_spikes);
    };

    for (std::size_t i = 0; i < input.y.size(); ++i) test::check_slope(input.y[i], gradient.grad_x[i], evaluate);
    test::check_slope(moved.syn_decay, gradient.grad_constants[0], evaluate, 20000.0);
    test::check_slope(moved.membrane.decay, gradient.grad_constants[1], evaluate, 20000.0);
    test::check_slope(moved.membrane.gain, gradient.grad_constants[2], evaluate, 20000.0);
    for (const double g : gradient.grad_constants) CHECK(std::abs(g) > 1e-3);
  }
}

TEST_CASE("without memory in its synapse a current-based neuron is a lif neuron, to the bit") {
  const auto input = test::random_lif_input<float>({40, 3, 37}, 3, false);
  for (const neurons::LifParams& membrane : test::all_lif_params()) {
    const auto lif = test::run_lif<float, std::uint8_t>(input, membrane);

    const auto output = run<float, std::uint8_t>(input, {membrane, 0.0});

    CHECK(output.spikes == lif.spikes);
    CHECK(output.grad_x == lif.grad_x);
  }
}

TEST_CASE("current-based neurons give the same bits for any number of threads") {
  const auto input = test::random_lif_input<float>({6, 9, 37, 41}, 17, false);
  const int before = num_threads();
  set_num_threads(1);
  const auto one = run<float, std::uint8_t>(input, all_params()[1]);
  for (const int count : {2, 8}) {
    set_num_threads(count);
    CHECK(one == run<float, std::uint8_t>(input, all_params()[1]));
  }
  set_num_threads(before);
}

TEST_CASE("current-based neurons refuse what does not fit, and take nothing") {
  const auto nothing = run<float, std::uint8_t>(test::random_lif_input<float>({0, 2, 3}, 1, false), all_params()[0]);
  CHECK(nothing.grad_constants == std::vector<double>{0.0, 0.0, 0.0});

  Tensor<float> x({4, 2, 3});
  Tensor<std::uint8_t> wrong({4, 3, 2});
  const Tensor<float>& in = x;
  std::vector<double> constants(3);
  std::vector<std::byte> too_small(8);
  const auto backward = [&](std::span<double> out) {
    neurons::cuba_lif_backward<float, std::uint8_t>(in.view(), {}, in.view(), x.view(), out, too_small);
  };
  CHECK_THROWS_AS(neurons::cuba_lif_forward(in.view(), {}, wrong.view()), ShapeError);
  CHECK_THROWS_AS(backward(constants), ShapeError);
  CHECK_THROWS_AS(backward(std::span(constants).first(2)), ShapeError);
  CHECK_THROWS_WITH_AS(neurons::cuba_lif_params({{.tau_mem_ms = 5.0}, 0.5}, 1.0), doctest::Contains("tau_syn_ms"),
                       ConfigError);
}
