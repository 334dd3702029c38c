#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "neurons/leaky_integrator.hpp"
#include "neurons/lif.hpp"
#include "tests/neurons/lif_run.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;

namespace {

std::vector<float> spikes_for_constant_input(float x, std::ptrdiff_t num_ticks, const neurons::LifParams& params) {
  test::LifInput<float> input;
  input.shape = {num_ticks, 1, 1};
  input.y.assign(static_cast<std::size_t>(num_ticks), x);
  input.grad_spikes.assign(input.y.size(), 0.0F);
  return test::run_lif<float, std::uint8_t>(input, params).spikes;
}

float count(const std::vector<float>& spikes) {
  float sum = 0.0F;
  for (const float s : spikes) sum += s;
  return sum;
}

}  // namespace

TEST_CASE("without leak and with a soft reset, the rate is the input over the threshold") {
  neurons::LifParams params{.decay = 1.0, .gain = 1.0, .v_th = 1.0, .hard_reset = false};
  constexpr std::ptrdiff_t kTicks = 1000;
  for (const float x : {0.125F, 0.3F, 0.71F, 1.0F}) {
    // What is left on the membrane is below one threshold; the additions round by at most T u.
    CHECK(std::abs(count(spikes_for_constant_input(x, kTicks, params)) - x * kTicks) <= 1.0F + 1e-3F);
  }
}

TEST_CASE("a neuron with an endless time constant integrates") {
  const auto input = test::random_lif_input<float>({50, 2, 5}, 31, false);
  const neurons::LifConfig config{.tau_mem_ms = 1e30, .decay_input = false};
  const neurons::LifParams integrate_and_fire{.decay = 1.0, .gain = 1.0};

  const auto output = test::run_lif<float, std::uint8_t>(input, neurons::lif_params(config, 1.0));

  CHECK(output == test::run_lif<float, std::uint8_t>(input, integrate_and_fire));
  CHECK(count(output.spikes) > 0.0F);
}

TEST_CASE("a constant input whose fixed point x tau lies below the threshold never fires, one above does") {
  const neurons::LifConfig config{.tau_mem_ms = 5.0, .decay_input = false};
  const neurons::LifParams params = neurons::lif_params(config, 1.0);

  CHECK(count(spikes_for_constant_input(0.1999F, 2000, params)) == 0.0F);
  CHECK(count(spikes_for_constant_input(0.2001F, 2000, params)) > 0.0F);
}

TEST_CASE("no input, no spike") {
  const neurons::LifParams params = neurons::lif_params({}, 1.0);

  CHECK(count(spikes_for_constant_input(0.0F, 100, params)) == 0.0F);
}

TEST_CASE("later input gives later, otherwise equal output") {
  constexpr std::ptrdiff_t kTicks = 30, kDelay = 7, kNeurons = 6;
  const neurons::LifParams params = neurons::lif_params({.tau_mem_ms = 3.0}, 1.0);
  const auto input = test::random_lif_input<float>({kTicks, 1, kNeurons}, 37, false);
  auto later = input;
  later.shape = {kTicks + kDelay, 1, kNeurons};
  later.y.insert(later.y.begin(), kDelay * kNeurons, 0.0F);
  later.grad_spikes.insert(later.grad_spikes.begin(), kDelay * kNeurons, 0.0F);

  const auto now = test::run_lif<float, std::uint8_t>(input, params);
  auto then = test::run_lif<float, std::uint8_t>(later, params);

  then.spikes.erase(then.spikes.begin(), then.spikes.begin() + kDelay * kNeurons);
  then.grad_x.erase(then.grad_x.begin(), then.grad_x.begin() + kDelay * kNeurons);
  CHECK(then.spikes == now.spikes);
  CHECK(then.grad_x == now.grad_x);
}

TEST_CASE("time constants become factors per tick as the configuration says") {
  const neurons::LifParams euler = neurons::lif_params({.tau_mem_ms = 20.0}, 5.0);
  CHECK(euler.decay == 0.75);
  CHECK(euler.gain == 0.25);
  const neurons::LifParams exact = neurons::lif_params({.tau_mem_ms = 20.0, .decay = neurons::Decay::exact}, 5.0);
  CHECK(exact.decay == doctest::Approx(std::exp(-0.25)).epsilon(1e-15));
  CHECK(exact.decay + exact.gain == doctest::Approx(1.0).epsilon(1e-15));
  CHECK(neurons::lif_params({.decay_input = false}, 5.0).gain == 1.0);
}

TEST_CASE("settings that make no sense are named") {
  const auto key_of = [](const neurons::LifConfig& config, double dt_ms) -> std::string {
    try {
      neurons::lif_params(config, dt_ms);
    } catch (const ConfigError& error) {
      return error.key;
    }
    return "accepted";
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();

  CHECK(key_of({}, 1.0) == "accepted");
  CHECK(key_of({.tau_mem_ms = 0.5}, 1.0) == "tau_mem_ms");
  CHECK(key_of({.tau_mem_ms = 0.5, .decay = neurons::Decay::exact}, 1.0) == "accepted");
  CHECK(key_of({.tau_mem_ms = -1.0, .decay = neurons::Decay::exact}, 1.0) == "tau_mem_ms");
  CHECK(key_of({.tau_mem_ms = nan}, 1.0) == "tau_mem_ms");
  CHECK(key_of({.tau_mem_ms = 1.0, .learn_tau = true}, 1.0) == "tau_mem_ms");
  CHECK(key_of({}, 0.0) == "dt_ms");
  CHECK(key_of({.v_th = 0.0}, 1.0) == "v_th");
  CHECK(key_of({.v_th = 0.5, .v_reset = 0.5}, 1.0) == "v_th");
  CHECK(key_of({.v_th = nan, .v_reset = {}}, 1.0) == "v_th");
  CHECK(key_of({.v_reset = nan}, 1.0) == "v_reset");
  CHECK(key_of({.surrogate = {.alpha = 0.0}}, 1.0) == "alpha");
}

TEST_CASE("lif refuses shapes that do not fit") {
  Tensor<float> y({4, 2, 3}), other({4, 2, 4}), channels({3}), flat({4});
  Tensor<std::uint8_t> spikes({4, 2, 3}), wrong({4, 3, 2}), flat_spikes({4});
  std::vector<std::byte> too_small(8);
  const neurons::LifParams params;
  const neurons::ChannelAffine<float> none;
  const Tensor<float>& in = y;
  const auto forward = [&](View<const float> from, const neurons::ChannelAffine<float>& affine, View<std::uint8_t> to) {
    neurons::lif_forward(from, affine, params, to);
  };
  const auto backward = [&](View<float> grad_x, View<float> grad_scale) {
    neurons::lif_backward<float, std::uint8_t>(in.view(), none, params, in.view(), grad_x, {grad_scale, {}}, {},
                                               too_small);
  };

  CHECK_THROWS_AS(forward(in.view(), none, wrong.view()), ShapeError);
  CHECK_THROWS_AS(forward(flat.view(), none, flat_spikes.view()), ShapeError);
  CHECK_THROWS_AS(forward(in.view(), {channels.view(), {}}, spikes.view()), ShapeError);
  CHECK_THROWS_AS(forward(in.view(), {flat.view(), channels.view()}, spikes.view()), ShapeError);
  CHECK_THROWS_AS(forward({nullptr, {4, 2, 3}, Device::cpu}, none, spikes.view()), ShapeError);
  CHECK_THROWS_AS(backward(other.view(), {}), ShapeError);
  CHECK_THROWS_AS(backward(y.view(), flat.view()), ShapeError);
  CHECK_THROWS_WITH_AS(backward(y.view(), channels.view()), doctest::Contains("scratch"), ShapeError);
}

TEST_CASE("a leaky integrator is the linear filter of its input, and a lif neuron that cannot fire") {
  constexpr std::ptrdiff_t kTicks = 12, kNeurons = 300;
  constexpr double kDecay = 0.8, kGain = 0.3;
  const auto input = test::random_lif_input<double>({kTicks, 1, kNeurons}, 41, false);
  const Tensor<double> x = test::make_tensor(input.y, input.shape, Device::cpu);
  Tensor<double> v(input.shape);

  neurons::leaky_integrator_forward(x.view(), kDecay, kGain, v.view());

  for (std::ptrdiff_t n = 0; n < kNeurons; ++n) {
    for (std::ptrdiff_t t = 0; t < kTicks; ++t) {
      double expected = 0.0;
      for (std::ptrdiff_t k = 0; k <= t; ++k) expected += kGain * std::pow(kDecay, t - k) * x[k * kNeurons + n];
      // pow, product and sum of at most 12 terms below 5.
      CHECK(std::abs(v[t * kNeurons + n] - expected) <=
            5.0 * test::dot_error_bound<double>(2 * kTicks, kTicks * kGain));
    }
  }
}

TEST_CASE("leaky_integrator_backward is the transpose of the forward filter") {
  // <w, F x> = <F^T w, x> for a linear map F.
  const Shape shape{9, 2, 35};
  const auto input = test::random_lif_input<double>(shape, 43, false);
  Tensor<double> x = test::make_tensor(input.y, shape, Device::cpu);
  const Tensor<double> w = test::make_tensor(input.grad_spikes, shape, Device::cpu);
  Tensor<double> v(shape), grad_x(shape);
  const Tensor<double>& const_x = x;

  neurons::leaky_integrator_forward(const_x.view(), 0.9, 0.25, v.view());
  neurons::leaky_integrator_backward(w.view(), 0.9, 0.25, grad_x.view());

  double forward = 0.0, backward = 0.0, sum_abs = 0.0;
  for (std::ptrdiff_t i = 0; i < shape.size(); ++i) {
    forward += w[i] * v[i];
    backward += grad_x[i] * x[i];
    sum_abs += std::abs(w[i] * v[i]) + std::abs(grad_x[i] * x[i]);
  }
  CHECK(sum_abs > 1.0);
  CHECK(std::abs(forward - backward) <= test::dot_error_bound<double>(shape.size() + 20, 10.0 * sum_abs));

  neurons::leaky_integrator_forward(const_x.view(), 0.9, 0.25, x.view());
  CHECK(std::equal(x.span().begin(), x.span().end(), v.span().begin()));
}
