#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "neurons/lif.hpp"
#include "neurons/parametric_lif.hpp"
#include "tests/neurons/lif_run.hpp"

using namespace synfire;

namespace {

/// Six ticks of one neuron with tau = 2 ticks, v_th = 1 and ATan of alpha 2, computed with SpikingJelly 2.0.0 in
/// float64.
struct Row {
  const char* name;
  std::optional<double> v_reset;
  bool detach;
  std::vector<double> grad_x;  ///< without decay_input; with it, half
  double grad_w;               ///< of the logit of the leak, without decay_input
  double grad_w_decayed;       ///< and with it
};

const std::vector<double> kInput{.6, .8, .2, 1.5, .3, .9};
const std::vector<double> kGradSpikes{1.0, -.5, .25, 2.0, -1.0, .5};
const std::vector<double> kSpikes{0, 1, 0, 1, 0, 1};

const std::vector<Row> kRows{{"hard",
                              0.0,
                              false,
                              {.1665107523, -.5765604830, .2426631305, .4287068419, .0600913278, .4879600679},
                              .0284517253,
                              .4221729319},
                             {"hard, detached",
                              0.0,
                              true,
                              {.1601841773, -.4550849188, .2538017520, .4392652548, .0726329109, .4879600679},
                              .0097024700,
                              .4610298392},
                             {"soft",
                              {},
                              false,
                              {.2506441400, -.4477820037, .1625938302, .2936993171, -.2977695185, .3521514329},
                              .0373495466,
                              .2837665750},
                             {"soft, detached",
                              {},
                              true,
                              {.2070369810, -.3613793115, .1874112146, .2985058051, -.2268279643, .3521514329},
                              .0123836848,
                              .2970074799},
                             {"hard to .2",
                              0.2,
                              false,
                              {.6254745265, -.3210884960, .1932726818, .2894432878, -.1471567071, .3092432291},
                              .0104978678,
                              .4232005084},
                             {"hard to .2, detached",
                              0.2,
                              true,
                              {.5845600870, -.2647934267, .1915846553, .2733529970, -.1337788246, .3092432291},
                              .0028581220,
                              .4155746201}};

template <class Scalar>
void check_row(const Row& row, bool decay_input, double tolerance) {
  CAPTURE(row.name);
  CAPTURE(decay_input);
  neurons::LifConfig config;
  config.tau_mem_ms = 2.0;
  config.v_reset = row.v_reset;
  config.detach_reset = row.detach;
  config.decay_input = decay_input;
  const double input_factor = decay_input ? 2.0 : 1.0;
  test::LifInput<Scalar> input;
  input.shape = {6, 1, 1};
  for (const double x : kInput) input.y.push_back(static_cast<Scalar>(input_factor * x));
  for (const double e : kGradSpikes) input.grad_spikes.push_back(static_cast<Scalar>(e));

  const neurons::LifParams params = neurons::lif_params(config, 1.0);
  const auto output = test::run_lif<Scalar, std::uint8_t>(input, params);

  const double grad_w =
      neurons::leak_logit_gradient(params, decay_input, output.grad_constants[0], output.grad_constants[1]);
  CHECK(std::abs(grad_w - (decay_input ? row.grad_w_decayed : row.grad_w)) <= tolerance);
  for (std::size_t t = 0; t < 6; ++t) {
    CAPTURE(t);
    CHECK(static_cast<double>(output.spikes[t]) == kSpikes[t]);
    const double expected = row.grad_x[t] / input_factor;
    CHECK(std::abs(static_cast<double>(output.grad_x[t]) - expected) <= tolerance);
  }
}

}  // namespace

TEST_CASE("six ticks of one neuron give the spikes and gradients of SpikingJelly") {
  // The ten decimals of the table are rounded to 5e-11; float carries some twenty roundings of values below 2.
  constexpr double kDoubleTolerance = 1e-9;
  constexpr double kFloatTolerance = 20 * 2 * 0x1p-24;
  for (const Row& row : kRows) {
    for (const bool decay_input : {false, true}) {
      check_row<double>(row, decay_input, kDoubleTolerance);
      check_row<float>(row, decay_input, kFloatTolerance);
    }
  }
}

TEST_CASE("the logit of the leak is that of SpikingJelly's parametric neuron, and gives its constants back") {
  // w = -ln(tau - 1); SpikingJelly 2.0.0, ten digits.
  for (const auto& [tau, w] : {std::pair{2.0, 0.0}, {4.0, -1.0986123}, {10.0, -2.1972246}, {1.005, 5.2983174}}) {
    const neurons::LifParams params = neurons::lif_params({.tau_mem_ms = tau, .learn_tau = true}, 1.0);
    const neurons::LifParams again = neurons::with_leak_logit(params, true, neurons::leak_logit(params));
    CHECK(std::abs(neurons::leak_logit(params) - w) <= 5e-8);
    CHECK(std::abs(again.decay - params.decay) <= 1e-14);
    CHECK(std::abs(again.gain - params.gain) <= 1e-14);
    CHECK(neurons::with_leak_logit(params, false, 0.3).gain == 1.0);
  }
}

TEST_CASE("a neuron that reaches its threshold exactly fires") {
  neurons::LifConfig config;
  config.tau_mem_ms = 2.0;
  config.decay_input = false;
  test::LifInput<float> input;
  input.shape = {1, 1, 2};
  input.y = {1.0F, std::nextafter(1.0F, 0.0F)};
  input.grad_spikes = {0.0F, 0.0F};

  const auto output = test::run_lif<float, std::uint8_t>(input, neurons::lif_params(config, 1.0));

  CHECK(output.spikes == std::vector<float>{1.0F, 0.0F});
}

TEST_CASE("a neuron that fires above its threshold does not at it") {
  neurons::LifConfig config;
  config.tau_mem_ms = 2.0;
  config.decay_input = false;
  config.fires_at = neurons::FiresAt::above_threshold;
  const auto check = [&]<class Scalar>(Scalar one) {
    test::LifInput<Scalar> input;
    input.shape = {1, 1, 2};
    input.y = {one, std::nextafter(one, Scalar(2))};
    input.grad_spikes = {Scalar(1), Scalar(1)};

    const auto output = test::run_lif<Scalar, std::uint8_t>(input, neurons::lif_params(config, 1.0));

    CHECK(output.spikes == std::vector<Scalar>{Scalar(0), Scalar(1)});
    CHECK(output.grad_x[0] == one);  // the surrogate is still centred on the threshold
  };
  check(1.0F);
  check(1.0);
}

TEST_CASE("decay_input scales the input by the leak, and nothing else") {
  // tau = 4 ticks: the leak is a power of two, so that both sides are the same numbers.
  neurons::LifConfig with;
  with.tau_mem_ms = 4.0;
  neurons::LifConfig without = with;
  without.decay_input = false;
  test::LifInput<float> input = test::random_lif_input<float>({20, 3, 5}, 1, false);
  test::LifInput<float> scaled = input;
  for (float& x : scaled.y) x *= 4.0F;

  const auto expected = test::run_lif<float, std::uint8_t>(input, neurons::lif_params(without, 1.0));
  const auto output = test::run_lif<float, std::uint8_t>(scaled, neurons::lif_params(with, 1.0));

  CHECK(output.spikes == expected.spikes);
  for (std::size_t i = 0; i < input.y.size(); ++i) CHECK(output.grad_x[i] == 0.25F * expected.grad_x[i]);
}
