#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "network/clocked_runtime.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/tolerance.hpp"

namespace synfire::test {

/// A network whose gradients of L = sum c out, for a fixed random c, are compared with central finite differences in
/// double. Spikes are smooth: the same code path as in training, with the surrogate's primitive instead of the step.
class GradientCase {
 public:
  GradientCase(const std::string& toml, const Shape& input) : GradientCase(spec_of(toml), input) {}
  GradientCase(const network::NetworkSpec& spec, const Shape& input)
      : net(network::build<double>(spec, input, 5)),
        runtime(net),
        x(random_tensor<double>(over_time(input, kTicks, kBatch), 11, 0.0, 2.0)) {
    runtime.use_smooth_spikes(true);
    runtime.want_input_grad(true);
    // Away from 1 and 0, where some wrong gradients would be right.
    for (network::NamedTensor<double>& tensor : net.tensors) {
      if (tensor.name.ends_with("gamma")) tensor.value = random_tensor<double>(tensor.value.shape(), 21, 0.6, 1.4);
      if (tensor.name.ends_with("beta")) tensor.value = random_tensor<double>(tensor.value.shape(), 22, -0.3, 0.5);
      // Steps of a token and maps that tell tokens apart, so that the rates of a scan matter.
      if (tensor.name.ends_with("dt_proj.bias")) {
        tensor.value = random_tensor<double>(tensor.value.shape(), 23, -0.5, 0.5);
      }
      if (tensor.name.ends_with("x_proj.weight")) {
        tensor.value = random_tensor<double>(tensor.value.shape(), 24, -2.0, 2.0);
      }
    }
  }

  /// \param without_effect  ends of the names of tensors whose gradient is 0: a bias before a batch norm
  void check_all(const std::vector<std::string>& without_effect = {}) {
    loss();
    runtime.backward(weights.view());
    std::vector<std::vector<double>> gradients;
    for (const View<double>& gradient : runtime.gradients()) {
      gradients.emplace_back(gradient.span().begin(), gradient.span().end());
    }
    const auto input_span = runtime.input_grad().span();
    const std::vector<double> of_input(input_span.begin(), input_span.end());

    for (std::size_t k = 0; k < net.tensors.size(); ++k) {
      const network::NamedTensor<double>& tensor = net.tensors[k];
      const bool has_effect = std::none_of(without_effect.begin(), without_effect.end(),
                                           [&](const std::string& end) { return tensor.name.ends_with(end); });
      if (tensor.trained) check(tensor.name, net.tensors[k].value.span(), gradients[k], has_effect);
    }
    check("input", x.span(), of_input, true);
  }

 private:
  static constexpr std::ptrdiff_t kTicks = 5, kBatch = 3;
  static constexpr network::StepKey kKey{77, 4};

  struct Loss {
    double value = 0.0;
    double sum_abs = 0.0;
  };

  Loss loss() {
    const View<const double> out = runtime.forward(x.view(), network::Mode::train, kKey);
    weights = random_tensor<double>(out.shape, 31, -1.0, 1.0);
    Loss result;
    for (std::ptrdiff_t i = 0; i < out.size(); ++i) {
      result.value += weights[i] * out[i];
      result.sum_abs += std::abs(weights[i] * out[i]);
    }
    return result;
  }

  /// Compares `analytic` with the central difference over each of `values`.
  void check(const std::string& name, std::span<double> values, std::span<const double> analytic, bool has_effect) {
    CAPTURE(name);
    REQUIRE(values.size() == analytic.size());
    double largest = 0.0;
    const std::size_t stride = std::max<std::size_t>(1, values.size() / 60);
    for (std::size_t i = 0; i < values.size(); i += stride) {
      CAPTURE(i);
      double sum_abs = 0.0;
      const auto difference = [&](double h) {
        const double kept = values[i];
        values[i] = kept + h;
        const Loss above = loss();
        values[i] = kept - h;
        const Loss below = loss();
        values[i] = kept;
        sum_abs = std::max(above.sum_abs, below.sum_abs);
        return (above.value - below.value) / (2.0 * h);
      };
      // The error of a central difference is c h^2 + rounding, so that of step h is a third of the difference between
      // those of steps 2h and h. Rounding: each loss carries the error of its sums and of the layers below, taken as a
      // thousand roundings of its largest terms, over 2h.
      constexpr double kStep = 2e-5;
      const double fd = difference(kStep);
      const double truncation = std::abs(difference(2.0 * kStep) - fd);
      const double rounding = 1000.0 * unit_roundoff<double> * sum_abs / kStep;
      CHECK(std::abs(fd - analytic[i]) <= truncation + rounding);
      largest = std::max(largest, std::abs(analytic[i]));
    }
    if (has_effect) CHECK(largest > 1e-5);  // a gradient of zero would agree with anything
  }

  network::Network<double> net;
  network::ClockedRuntime<double> runtime;
  Tensor<double> x;
  Tensor<double> weights;
};

}  // namespace synfire::test
