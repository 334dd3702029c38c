// Central finite differences in double of a whole network with smooth spikes, through time: the same code path as in
// training, with the surrogate's primitive instead of the step.
#include <algorithm>
#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "network/clocked_runtime.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

constexpr std::ptrdiff_t kTicks = 5, kBatch = 3;
constexpr StepKey kKey{77, 4};

/// L = sum c out, for a fixed random c: dL/d(out) = c.
struct Loss {
  double value = 0.0;
  double sum_abs = 0.0;
};

class Case {
 public:
  Case(const std::string& toml, const Shape& input)
      : net(build<double>(test::spec_of(toml), input, 5)),
        runtime(net),
        x(test::random_tensor<double>(test::over_time(input, kTicks, kBatch), 11, 0.0, 2.0)) {
    runtime.use_smooth_spikes(true);
    runtime.want_input_grad(true);
    // Away from 1 and 0, where some wrong gradients would be right.
    for (NamedTensor<double>& tensor : net.tensors) {
      if (tensor.name.ends_with("gamma"))
        tensor.value = test::random_tensor<double>(tensor.value.shape(), 21, 0.6, 1.4);
      if (tensor.name.ends_with("beta"))
        tensor.value = test::random_tensor<double>(tensor.value.shape(), 22, -0.3, 0.5);
    }
  }

  Loss loss() {
    const View<const double> out = runtime.forward(x.view(), Mode::train, kKey);
    weights = test::random_tensor<double>(out.shape, 31, -1.0, 1.0);
    Loss result;
    for (std::ptrdiff_t i = 0; i < out.size(); ++i) {
      result.value += weights[i] * out[i];
      result.sum_abs += std::abs(weights[i] * out[i]);
    }
    return result;
  }

  /// Compares `analytic` with the central difference over each of `values`.
  void check(const std::string& name, std::span<double> values, std::span<const double> analytic) {
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
      const double rounding = 1000.0 * test::unit_roundoff<double> * sum_abs / kStep;
      CHECK(std::abs(fd - analytic[i]) <= truncation + rounding);
      largest = std::max(largest, std::abs(analytic[i]));
    }
    CHECK(largest > 1e-4);  // a gradient of zero would agree with anything
  }

  void check_all() {
    loss();
    runtime.backward(weights.view());
    std::vector<std::vector<double>> gradients;
    for (const View<double>& gradient : runtime.gradients()) {
      gradients.emplace_back(gradient.span().begin(), gradient.span().end());
    }
    const auto input_span = runtime.input_grad().span();
    const std::vector<double> of_input(input_span.begin(), input_span.end());

    for (std::size_t k = 0; k < net.tensors.size(); ++k) {
      if (net.tensors[k].trained) check(net.tensors[k].name, net.tensors[k].value.span(), gradients[k]);
    }
    check("input", x.span(), of_input);
  }

  Network<double> net;
  ClockedRuntime<double> runtime;
  Tensor<double> x;
  Tensor<double> weights;
};

}  // namespace

TEST_CASE("gradients of a chain of every kind of node equal finite differences") {
  Case chain(test::kChain, test::kChainInput);
  chain.check_all();
}

TEST_CASE("the gradients of learned time constants equal finite differences, with and without decayed input") {
  Case learned(test::kLearnedTaus, test::kLearnedTausInput);
  learned.check_all();
}

TEST_CASE("gradients through current-based and adaptive neurons, and of what they learn, equal finite differences") {
  Case neurons(test::kRowNeurons, test::kRowNeuronsInput);
  neurons.check_all();
}

TEST_CASE(
    "gradients through populations that feed back, of their weights, delays and neurons, equal finite differences") {
  for (const std::string& toml : {test::kRecurrent, test::kRecurrentAdaptive}) {
    Case recurrent(toml, test::kRecurrentInput);
    recurrent.check_all();
  }
}

TEST_CASE("gradients of a graph with sums and shared outputs equal finite differences") {
  Case residual(test::kResidual, test::kResidualInput);
  residual.check_all();
}

TEST_CASE("gradients of a network of tokens, with gates, norms, tables and dropped paths, equal finite differences") {
  Case tokens(test::kTokens, test::kTokensInput);
  tokens.check_all();
}

TEST_CASE("gradients through attentions, in shifted windows and through time, equal finite differences") {
  Case attention(test::kAttention, test::kAttentionInput);
  attention.check_all();
}
