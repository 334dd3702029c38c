#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "neurons/lif.hpp"
#include "tests/neurons/lif_run.hpp"
#include "tests/neurons/slopes.hpp"
#include "tests/reference/lif_reference.hpp"

using namespace synfire;

namespace {

const Shape kShape{20, 1, 3};

using Evaluate = std::function<double(const test::LifInput<double>&, const neurons::LifParams&)>;

void check_all_slopes(test::LifInput<double> input, const neurons::LifParams& params,
                      const test::LifOutput<double>& gradient, const Evaluate& evaluate) {
  const auto evaluate_here = [&] { return evaluate(input, params); };
  double sum_abs = 0.0;
  for (std::size_t i = 0; i < input.y.size(); ++i) {
    const std::size_t c = i % input.scale.size();
    test::check_slope(input.y[i], gradient.grad_x[i] * input.scale[c], evaluate_here);
    sum_abs += std::abs(gradient.grad_x[i]);
  }
  for (std::size_t c = 0; c < input.scale.size(); ++c) {
    test::check_slope(input.scale[c], gradient.grad_scale[c], evaluate_here);
    test::check_slope(input.shift[c], gradient.grad_shift[c], evaluate_here);
  }
  double decay = params.decay, gain = params.gain;
  const auto evaluate_constants = [&] {
    neurons::LifParams moved = params;
    moved.decay = decay;
    moved.gain = gain;
    return evaluate(input, moved);
  };
  test::check_slope(decay, gradient.grad_constants[0], evaluate_constants);
  test::check_slope(gain, gradient.grad_constants[1], evaluate_constants);
  CHECK(std::abs(gradient.grad_constants[0]) + std::abs(gradient.grad_constants[1]) > 0.01);
  CHECK(sum_abs > 0.1);  // a zero gradient would agree with a flat loss
}

}  // namespace

TEST_CASE("lif_backward is the derivative of lif_forward with smooth spikes") {
  for (const neurons::LifParams& params : test::all_lif_params()) {
    if (params.detach_reset) continue;
    CAPTURE(static_cast<int>(params.surrogate.kind));
    CAPTURE(params.hard_reset);
    const auto input = test::random_lif_input<double>(kShape, 23);

    check_all_slopes(input, params, test::run_lif<double, double>(input, params),
                     [&](const test::LifInput<double>& moved, const neurons::LifParams& with) {
                       return test::weighted_sum(test::run_lif<double, double>(moved, with).spikes, moved.grad_spikes);
                     });
  }
}

TEST_CASE("with a detached reset, lif_backward is the derivative while the recorded reset spikes are held fixed") {
  for (const neurons::LifParams& params : test::all_lif_params()) {
    if (!params.detach_reset) continue;
    CAPTURE(static_cast<int>(params.surrogate.kind));
    CAPTURE(params.hard_reset);
    const auto input = test::random_lif_input<double>(kShape, 29);
    const std::vector<double> resets = test::lif_reference(input, params, true).s;

    check_all_slopes(input, params, test::run_lif<double, double>(input, params),
                     [&](const test::LifInput<double>& moved, const neurons::LifParams& with) {
                       return test::weighted_sum(test::lif_reference(moved, with, true, &resets).s, moved.grad_spikes);
                     });
  }
}
