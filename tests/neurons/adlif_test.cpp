#include "neurons/adlif.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "neurons/row_model.hpp"
#include "tests/neurons/lif_run.hpp"
#include "tests/neurons/slopes.hpp"
#include "tests/reference/adlif_reference.hpp"

using namespace synfire;
using neurons::Integration;

namespace {

template <class Scalar>
struct Output {
  std::vector<Scalar> spikes, grad_x;
  std::array<std::vector<Scalar>, 4> gradients;

  bool operator==(const Output&) const = default;
};

template <class Scalar>
struct Parameters {
  explicit Parameters(const test::AdlifValues& values) {
    for (std::size_t k = 0; k < 4; ++k) {
      tensors[k] = Tensor<Scalar>(Shape{static_cast<std::ptrdiff_t>(values[k].size())});
      for (std::size_t c = 0; c < values[k].size(); ++c) tensors[k].data()[c] = static_cast<Scalar>(values[k][c]);
    }
  }
  neurons::AdlifParameters<Scalar> views() const {
    return {tensors[0].view(), tensors[1].view(), tensors[2].view(), tensors[3].view()};
  }
  std::array<Tensor<Scalar>, 4> tensors;
};

template <class Scalar, class Spike>
Output<Scalar> run(const test::LifInput<Scalar>& input, const test::AdlifValues& values,
                   const neurons::AdlifConfig& config) {
  const Shape row{input.shape.channels()};
  const Parameters<Scalar> parameters(values);
  const Tensor<Scalar> x = test::make_tensor(input.y, input.shape, Device::cpu);
  Tensor<Spike> spikes(input.shape);
  Tensor<Scalar> grad = test::make_tensor(input.grad_spikes, input.shape, Device::cpu);
  const Tensor<Scalar>& grad_spikes = grad;
  std::array<Tensor<Scalar>, 4> gradients{Tensor<Scalar>(row), Tensor<Scalar>(row), Tensor<Scalar>(row),
                                          Tensor<Scalar>(row)};
  std::vector<std::byte> scratch(neurons::adlif_scratch_bytes(row[0]), std::byte{0xFF});

  neurons::adlif_forward(x.view(), parameters.views(), config, spikes.view());
  neurons::adlif_backward<Scalar, Spike>(
      x.view(), parameters.views(), config, grad_spikes.view(), grad.view(),
      {gradients[0].view(), gradients[1].view(), gradients[2].view(), gradients[3].view()}, scratch);

  Output<Scalar> output;
  for (const Spike s : test::values_of(spikes)) output.spikes.push_back(static_cast<Scalar>(s));
  output.grad_x = test::values_of(grad);
  for (std::size_t k = 0; k < 4; ++k) output.gradients[k] = test::values_of(gradients[k]);
  return output;
}

/// Constants within the ranges of the default configuration, with so strong a drive of w that every gradient counts.
test::AdlifValues random_values(std::ptrdiff_t channels) {
  test::AdlifValues values;
  const std::array<std::pair<double, double>, 4> ranges{{{0.5, 0.9}, {0.8, 0.95}, {0.0, 1.0}, {0.0, 2.0}}};
  for (std::size_t k = 0; k < 4; ++k) {
    const RandomStream random(5, static_cast<std::uint32_t>(k), 0);
    for (std::ptrdiff_t c = 0; c < channels; ++c) {
      values[k].push_back(ranges[k].first +
                          (ranges[k].second - ranges[k].first) * random.uniform(static_cast<std::uint64_t>(c)));
    }
  }
  return values;
}

std::vector<neurons::AdlifConfig> all_configs() {
  std::vector<neurons::AdlifConfig> all;
  for (const Integration integration : {Integration::symplectic, Integration::forward}) {
    for (const bool detach : {true, false}) {
      for (const auto& surrogate : {neurons::Surrogate{neurons::SurrogateKind::atan, 2.0},
                                    neurons::Surrogate{neurons::SurrogateKind::exponential, 3.0}}) {
        neurons::AdlifConfig config;
        config.adaptation = 3.0;
        config.v_th = 0.8;
        config.integration = integration;
        config.detach_reset = detach;
        config.surrogate = surrogate;
        all.push_back(config);
      }
    }
  }
  return all;
}

test::LifInput<double> strong_input(const Shape& shape, std::uint64_t seed) {
  auto input = test::random_lif_input<double>(shape, seed, false);
  for (double& y : input.y) y = 4.0 * y;
  return input;
}

void check_against_reference(const Shape& shape, const neurons::AdlifConfig& config) {
  CAPTURE(shape.text());
  const auto input = strong_input(shape, 7);
  const auto values = random_values(shape.channels());
  const auto expected = test::adlif_reference(input, values, config, false);

  const auto output = run<double, std::uint8_t>(input, values, config);

  CHECK(output.spikes == expected.s);
  double largest = 1.0, worst = 0.0;
  for (std::size_t i = 0; i < expected.grad_x.size(); ++i) {
    largest = std::max(largest, std::abs(expected.grad_x[i]));
    worst = std::max(worst, std::abs(output.grad_x[i] - expected.grad_x[i]));
  }
  // L and W carry errors of some ten roundings for as long as they remember: less than 1 / (1 - .95) ticks.
  const double tolerance = 20.0 * 20.0 * test::unit_roundoff<double> * largest;
  CHECK(worst <= tolerance);
  // A sum has a term for every tick and sample; |x|, |w| and q (a u + b s) stay below 50.
  const double terms = static_cast<double>(shape.size()) / static_cast<double>(shape.channels());
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::size_t c = 0; c < expected.gradients[k].size(); ++c) {
      CHECK(std::abs(output.gradients[k][c] - expected.gradients[k][c]) <= 50.0 * terms * tolerance);
    }
  }
}

const std::vector<double> kExampleInput{6, 10, 2, 16, 4, 12};

test::AdlifValues example_values() {
  return {std::vector<double>{std::exp(-1.0 / 5.0)}, {std::exp(-1.0 / 60.0)}, {0.5}, {1.0}};
}

/// h and w of every tick of one neuron.
std::array<std::vector<double>, 2> membranes(const std::vector<double>& x, const test::AdlifValues& values,
                                             const neurons::AdlifConfig& config) {
  const Parameters<double> parameters(values);
  const auto model = neurons::adlif_rows<double>(parameters.views(), config, false);
  std::array<double, 4> constants{};
  for (std::size_t k = 0; k < 4; ++k) constants[k] = values[k][0];
  std::array<double, 4> state{}, kept{};
  double s = 0.0;
  std::array<std::vector<double>, 2> result;
  for (const double current : x) {
    model.forward(model.constants, {constants.data(), 1}, &current, {state.data(), 1}, {kept.data(), 1}, &s);
    result[0].push_back(kept[0]);
    result[1].push_back(kept[1]);
  }
  return result;
}

}  // namespace

TEST_CASE("six ticks of an adaptive neuron give the membranes of the authors' equations") {
  // Computed in float64 with the authors' code: tau 5 and 60 ticks, a .5, b 1, q 120; eight decimals.
  neurons::AdlifConfig config;
  const std::array<std::vector<double>, 2> symplectic{
      {{1.08761548, 1.45315842, -.35058704, 1.97495694, -.26222127, 1.03670143},
       {1.98342554, 3.93406794, 3.52136187, 5.44658442, 5.09651212, 6.99569973}}};
  const std::array<std::vector<double>, 2> forward{
      {{1.08761548, 1.81269247, .00300444, 2.18964224, .02319828, 1.14441239},
       {0.0, 1.98342554, 3.93406794, 3.87202306, 5.79144969, 5.71873148}}};
  for (const auto& [integration, expected] :
       {std::pair{Integration::symplectic, symplectic}, std::pair{Integration::forward, forward}}) {
    config.integration = integration;
    const auto result = membranes(kExampleInput, example_values(), config);
    for (std::size_t t = 0; t < 6; ++t) {
      CHECK(std::abs(result[0][t] - expected[0][t]) <= 5.1e-9);
      CHECK(std::abs(result[1][t] - expected[1][t]) <= 5.1e-9);
    }
  }
}

TEST_CASE("six ticks of an adaptive neuron give the gradients of the authors' equations") {
  // Autograd in float64, ten decimals; the exponential surrogate of alpha 5, a detached reset.
  neurons::AdlifConfig config;
  config.surrogate = {neurons::SurrogateKind::exponential, 5.0};
  const std::vector<double> expected{.0971125331, -.0131479518, -.0200155966, .0024335933, .0478245686, .0754393587};
  const std::array<double, 4> of_constants{-5.6192682890, 31.6761954400, .1243717431, -.6108928898};
  test::LifInput<double> input;
  input.shape = {6, 1, 1};
  input.y = kExampleInput;
  input.grad_spikes = {1.0, -.5, .25, 2.0, -1.0, .5};

  const auto output = run<double, std::uint8_t>(input, example_values(), config);

  CHECK(output.spikes == std::vector<double>{1, 1, 0, 1, 0, 1});
  for (std::size_t t = 0; t < 6; ++t) CHECK(std::abs(output.grad_x[t] - expected[t]) <= 1e-9);
  for (std::size_t k = 0; k < 4; ++k) CHECK(std::abs(output.gradients[k][0] - of_constants[k]) <= 1e-9);
}

TEST_CASE("below its threshold the symplectic neuron is stable where Euler's rule diverges") {
  // h follows h[t+2] = trace h[t+1] - det h[t]; an oscillation's radius is sqrt(det). Five decimals.
  struct Row {
    double tau_mem, tau_adapt, forward, symplectic;
  };
  neurons::AdlifConfig config;
  config.v_th = 1e30;
  for (const Row& row : {Row{5, 60, 1.07923, .89733}, Row{25, 60, 1.01128, .97206}, Row{25, 300, .98653, .97857}}) {
    const test::AdlifValues values{
        std::vector<double>{std::exp(-1.0 / row.tau_mem)}, {std::exp(-1.0 / row.tau_adapt)}, {1.0}, {0.0}};
    for (const Integration integration : {Integration::forward, Integration::symplectic}) {
      config.integration = integration;
      const auto h = membranes({1.0, 0.0, 0.0, 0.0, 0.0, 0.0}, values, config)[0];
      const double det = (h[3] * h[3] - h[2] * h[4]) / (h[2] * h[2] - h[1] * h[3]);
      const double trace = (h[3] + det * h[1]) / h[2];
      const double expected = integration == Integration::forward ? row.forward : row.symplectic;
      CHECK(std::abs(std::sqrt(det) - expected) <= 5.1e-6);
      if (row.tau_mem == 5 && integration == Integration::symplectic) {
        CHECK(std::abs(std::acos(trace / (2.0 * std::sqrt(det))) - .63703) <= 5.1e-6);
      }
    }
  }
}

TEST_CASE("adaptive neurons agree with slow loops for every setting and for sizes around a tile") {
  for (const neurons::AdlifConfig& config : all_configs()) check_against_reference({20, 3, 11}, config);
  for (const Shape& shape : {Shape{5, 1, 1}, Shape{5, 1, 65}, Shape{1, 2, 3, 7}, Shape{3, 2, 11, 3, 11},
                             Shape{2, 1, 1025}, Shape{2, 7, 2500}, Shape{130, 1, 70}, Shape{700, 1, 70}}) {
    check_against_reference(shape, all_configs()[2]);
    check_against_reference(shape, all_configs()[6]);
  }
}

TEST_CASE("adlif_backward is the derivative of adlif_forward with smooth spikes") {
  for (const neurons::AdlifConfig& config : all_configs()) {
    CAPTURE(static_cast<int>(config.integration));
    CAPTURE(config.detach_reset);
    auto input = strong_input({12, 2, 3}, 23);
    test::AdlifValues values = random_values(3);
    const auto gradient = run<double, double>(input, values, config);
    // A detached reset is held fixed.
    const std::vector<double> resets = test::adlif_reference(input, values, config, true).s;
    const auto evaluate = [&] {
      const auto spikes = config.detach_reset ? test::adlif_reference(input, values, config, true, &resets).s
                                              : run<double, double>(input, values, config).spikes;
      return test::weighted_sum(spikes, input.grad_spikes);
    };

    for (std::size_t i = 0; i < input.y.size(); ++i) test::check_slope(input.y[i], gradient.grad_x[i], evaluate);
    for (std::size_t k = 0; k < 4; ++k) {
      double sum_abs = 0.0;
      for (std::size_t c = 0; c < 3; ++c) {
        // The third derivative over a decay grows with its number of ticks.
        test::check_slope(values[k][c], gradient.gradients[k][c], evaluate, 1e6);
        sum_abs += std::abs(gradient.gradients[k][c]);
      }
      CHECK(sum_abs > 0.01);
    }
  }
}

TEST_CASE("adaptive neurons give the same bits for any number of threads") {
  const auto input = test::random_lif_input<float>({6, 9, 37, 41}, 17, false);
  const auto values = random_values(41);
  const int before = num_threads();
  set_num_threads(1);
  const auto one = run<float, std::uint8_t>(input, values, all_configs()[1]);
  for (const int count : {2, 8}) {
    set_num_threads(count);
    CHECK(one == run<float, std::uint8_t>(input, values, all_configs()[1]));
  }
  set_num_threads(before);
}

TEST_CASE("adaptive neurons refuse what does not fit, and take nothing") {
  const auto key_of = [](const neurons::AdlifConfig& config, double dt_ms) -> std::string {
    try {
      neurons::check_adlif(config, dt_ms);
    } catch (const ConfigError& error) {
      return error.key;
    }
    return "accepted";
  };
  CHECK(key_of({}, 1.0) == "accepted");
  CHECK(key_of({}, 0.0) == "dt_ms");
  CHECK(key_of({.tau_mem_min_ms = 0.0}, 1.0) == "tau_mem_min_ms");
  CHECK(key_of({.tau_mem_max_ms = 1.0}, 1.0) == "tau_mem_max_ms");
  CHECK(key_of({.tau_adapt_max_ms = std::numeric_limits<double>::infinity()}, 1.0) == "tau_adapt_max_ms");
  CHECK(key_of({.adaptation = -1.0}, 1.0) == "adaptation");
  CHECK(key_of({.v_th = 0.0}, 1.0) == "v_th");

  const auto nothing =
      run<float, std::uint8_t>(test::random_lif_input<float>({0, 2, 3}, 1, false), random_values(3), {});
  CHECK(nothing.gradients[3] == std::vector<float>(3, 0.0F));
  const auto some = test::random_lif_input<float>({2, 2, 3}, 1, false);
  CHECK_THROWS_AS((run<float, std::uint8_t>(some, random_values(4), {})), ShapeError);
}
