#include "network/clocked_runtime.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

template <class Scalar>
std::vector<Scalar> values(View<const Scalar> view) {
  return {view.span().begin(), view.span().end()};
}

/// Everything that a training step leaves: output, gradients, running averages.
template <class Scalar>
std::vector<std::vector<Scalar>> step(ClockedRuntime<Scalar>& runtime, const Tensor<Scalar>& x, const StepKey& key) {
  std::vector<std::vector<Scalar>> result;
  const View<const Scalar> out = runtime.forward(x.view(), Mode::train, key);
  result.push_back(values(out));
  const Tensor<Scalar> grad = test::random_tensor<Scalar>(out.shape, 3, -1.0, 1.0);
  runtime.backward(grad.view());
  for (const View<Scalar>& gradient : runtime.gradients()) result.push_back(values<Scalar>(gradient));
  for (const NamedTensor<Scalar>& tensor : runtime.network().tensors) {
    if (!tensor.trained) result.push_back(values(tensor.value.view()));
  }
  return result;
}

/// Steps of plain gradient descent; the parameters at the end.
std::vector<std::vector<float>> train(const std::string& toml, const Shape& input, int num_steps) {
  Network<float> net = build<float>(test::spec_of(toml), input, 9);
  ClockedRuntime<float> runtime(net);
  for (int k = 0; k < num_steps; ++k) {
    const auto x =
        test::random_tensor<float>(test::over_time(input, 4, 5), 40 + static_cast<std::uint64_t>(k), 0.0, 2.0);
    step(runtime, x, StepKey{1, static_cast<std::uint32_t>(k)});
    for (std::size_t i = 0; i < net.tensors.size(); ++i) {
      const View<float>& gradient = runtime.gradients()[i];
      for (std::ptrdiff_t j = 0; j < gradient.size(); ++j) net.tensors[i].value[j] -= 0.05F * gradient[j];
    }
  }
  std::vector<std::vector<float>> result;
  for (const NamedTensor<float>& tensor : net.tensors) result.push_back(values(tensor.value.view()));
  return result;
}

struct ThreadsReset {
  ~ThreadsReset() { set_num_threads(0); }
};

/// `toml` with a dropout of probability 0 before the layer named `name`: the same function, but a batch norm before it
/// can no longer hand out its affine map.
std::string with_wall_before(std::string toml, const std::string& name) {
  const std::size_t at = toml.rfind("[[network.layers]]", toml.find("name = \"" + name + "\""));
  return toml.insert(at, "[[network.layers]]\ntype = \"dropout\"\nname = \"wall\"\np = 0.0\n");
}

}  // namespace

TEST_CASE("training gives the same bits for 1, 2 and 3 threads") {
  const ThreadsReset reset;
  for (const auto& [toml, input] :
       {std::pair(test::kChain, test::kChainInput), {test::kResidual, test::kResidualInput}}) {
    set_num_threads(1);
    const auto one = train(toml, input, 3);
    CHECK(one == train(toml, input, 3));
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      CHECK(one == train(toml, input, 3));
    }
  }
}

TEST_CASE("a batch norm whose map the neuron applies gives what a batch norm with values of its own gives") {
  const std::string walled = with_wall_before(test::kChain, "lif1");
  Network<double> fused = build<double>(test::spec_of(test::kChain), test::kChainInput, 5);
  Network<double> separate = build<double>(test::spec_of(walled), test::kChainInput, 5);
  ClockedRuntime<double> fused_runtime(fused), separate_runtime(separate);
  const auto x = test::random_tensor<double>(test::over_time(test::kChainInput, 4, 3), 8, 0.0, 2.0);
  // The dropout of the chain draws by its place in the network, which the wall moves: without it.
  for (NetworkSpec* spec : {&fused.spec, &separate.spec}) {
    for (NodeSpec& node : spec->nodes) {
      if (auto* dropout = std::get_if<DropoutSpec>(&node.operation)) dropout->p = 0.0;
    }
  }

  const auto a = step(fused_runtime, x, {});
  const auto b = step(separate_runtime, x, {});

  REQUIRE(a.size() == b.size());
  CHECK(fused_runtime.planned_bytes(4, 3, Mode::train) < separate_runtime.planned_bytes(4, 3, Mode::train));
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    REQUIRE(a[i].size() == b[i].size());
    double scale = 0.0;
    for (const double value : a[i]) scale = std::max(scale, std::abs(value));
    // The same numbers, once rounded more on the way: sums of fewer than 1000 terms.
    const double tolerance = test::dot_error_bound<double>(1000, scale);
    for (std::size_t j = 0; j < a[i].size(); ++j) CHECK(std::abs(a[i][j] - b[i][j]) <= tolerance);
  }
}

TEST_CASE("a smaller batch after a larger one gives what it gives alone") {
  const NetworkSpec spec = test::spec_of(test::kChain);
  const auto large = test::random_tensor<float>(test::over_time(test::kChainInput, 5, 4), 1, 0.0, 2.0);
  const auto small = test::random_tensor<float>(test::over_time(test::kChainInput, 3, 2), 2, 0.0, 2.0);
  Network<float> net = build<float>(spec, test::kChainInput, 5);
  Network<float> fresh = build<float>(spec, test::kChainInput, 5);
  ClockedRuntime<float> runtime(net), fresh_runtime(fresh);

  step(runtime, large, {1, 0});
  for (NamedTensor<float>& tensor : net.tensors) {  // the running averages have moved
    if (!tensor.trained)
      copy_bytes(fresh.tensor(tensor.name).value.data(), Device::cpu, tensor.value.data(), Device::cpu,
                 tensor.value.span().size_bytes());
  }
  const auto after_large = step(runtime, small, {1, 1});
  const auto alone = step(fresh_runtime, small, {1, 1});

  CHECK(after_large == alone);
}

TEST_CASE("evaluation uses the running averages, drops nothing and repeats itself") {
  Network<float> net = build<float>(test::spec_of(test::kChain), test::kChainInput, 5);
  ClockedRuntime<float> runtime(net);
  const auto x = test::random_tensor<float>(test::over_time(test::kChainInput, 4, 3), 8, 0.0, 2.0);
  step(runtime, x, {});
  std::vector<std::vector<float>> before;
  for (const NamedTensor<float>& tensor : net.tensors) before.push_back(values(tensor.value.view()));

  const std::vector<float> all = values(runtime.forward(x.view(), Mode::eval, {1, 1}));
  const std::vector<float> again = values(runtime.forward(x.view(), Mode::eval, {2, 5}));
  // One sample alone: with running averages a sample does not depend on its batch.
  Tensor<float> first(test::over_time(test::kChainInput, 4, 1));
  const std::ptrdiff_t sample = test::kChainInput.size();
  for (std::ptrdiff_t t = 0; t < 4; ++t) std::copy_n(x.data() + t * 3 * sample, sample, first.data() + t * sample);
  const std::vector<float> alone = values(runtime.forward(first.view(), Mode::eval, {}));

  CHECK(all == again);
  const std::size_t classes = alone.size() / 4;
  for (std::size_t t = 0; t < 4; ++t) {
    for (std::size_t k = 0; k < classes; ++k) CHECK(alone[t * classes + k] == all[t * 3 * classes + k]);
  }
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(before[i] == values<float>(net.tensors[i].value.view()));
  CHECK(runtime.planned_bytes(4, 3, Mode::eval) < runtime.planned_bytes(4, 3, Mode::train));
}

TEST_CASE("evaluation with the statistics of a batch gives what training gave for it") {
  for (const auto& [toml, input] :
       {std::pair(test::kChain, test::kChainInput), {test::kResidual, test::kResidualInput}}) {
    Network<double> net = build<double>(test::spec_of(toml), input, 5);
    for (NodeSpec& node : net.spec.nodes) {
      if (auto* dropout = std::get_if<DropoutSpec>(&node.operation)) dropout->p = 0.0;
      if (auto* norm = std::get_if<BatchNormSpec>(&node.operation)) norm->config.momentum = 1.0;
    }
    ClockedRuntime<double> runtime(net);
    const auto x = test::random_tensor<double>(test::over_time(input, 4, 3), 8, 0.0, 2.0);

    const std::vector<double> trained = values(runtime.forward(x.view(), Mode::train, {}));
    // The running variance is the unbiased one of n values.
    for (std::size_t i = 0; i < net.spec.nodes.size(); ++i) {
      if (!std::holds_alternative<BatchNormSpec>(net.spec.nodes[i].operation)) continue;
      Tensor<double>& variance = net.tensor(net.spec.nodes[i].name + ".running_var").value;
      const double n = 4.0 * 3.0 * static_cast<double>(net.node_shapes[i].size() / variance.size());
      for (double& value : variance.span()) value *= (n - 1.0) / n;
    }
    const std::vector<double> evaluated = values(runtime.forward(x.view(), Mode::eval, {}));

    // Scale and shift have gone through a few roundings more; rates and membranes are of size 1.
    for (std::size_t i = 0; i < trained.size(); ++i) {
      CHECK(std::abs(trained[i] - evaluated[i]) <= test::dot_error_bound<double>(1000, 1.0));
    }
    CHECK(std::any_of(trained.begin(), trained.end(), [](double value) { return value != 0.0; }));
  }
}

TEST_CASE("masks of dropout follow the step") {
  Network<float> net = build<float>(test::spec_of(test::kChain), test::kChainInput, 5);
  ClockedRuntime<float> runtime(net);
  const auto x = test::random_tensor<float>(test::over_time(test::kChainInput, 4, 3), 8, 0.0, 2.0);

  const auto mask_trace = [&](const StepKey& key) {
    step(runtime, x, key);
    return values<float>(runtime.gradients()[11]);
  };
  REQUIRE(net.tensors[11].name == "fc1.weight");
  const auto a = mask_trace({1, 0});
  CHECK(a == mask_trace({1, 0}));
  CHECK(a != mask_trace({1, 1}));
  CHECK(a != mask_trace({2, 0}));
}

TEST_CASE("firing rates are those of the spikes, and only neurons have one") {
  const NetworkSpec spec = test::spec_of("[[network.layers]]\ntype = \"lif\"\ntau_mem_ms = 2.0\ndecay_input = false\n");
  Network<float> net = build<float>(spec, {2}, 1);
  ClockedRuntime<float> runtime(net);
  // decay 1/2: the first neuron gets its threshold at every tick, the second fires at h = 0.75 + 0.25 only.
  Tensor<float> x({4, 1, 2});
  const float input[] = {1.0F, 0.5F, 1.0F, 0.75F, 1.0F, 0.0F, 1.0F, 0.0F};
  std::copy(std::begin(input), std::end(input), x.data());

  const std::vector<float> out = values(runtime.forward(x.view(), Mode::eval, {}));

  CHECK(out == std::vector<float>{1, 0, 1, 1, 1, 0, 1, 0});
  CHECK(runtime.firing_rates() == std::vector<double>{5.0 / 8.0});
  Network<float> chain = build<float>(test::spec_of(test::kChain), test::kChainInput, 5);
  ClockedRuntime<float> chain_runtime(chain);
  CHECK(std::isnan(chain_runtime.firing_rates()[2]));
  step(chain_runtime, test::random_tensor<float>(test::over_time(test::kChainInput, 4, 3), 8, 0.0, 2.0), {});
  CHECK(std::isnan(chain_runtime.firing_rates()[0]));
  CHECK(chain_runtime.firing_rates()[2] > 0.0);
}

TEST_CASE("calls that make no sense are refused") {
  Network<float> net = build<float>(test::spec_of(test::kChain), test::kChainInput, 5);
  ClockedRuntime<float> runtime(net);
  const Tensor<float> wrong({4, 3, 7, 6, 3}), flat({4, 3, 84}), none({0, 3, 7, 6, 2}), x({4, 3, 7, 6, 2});
  const Tensor<float> grad({4, 3, 3}), wrong_grad({4, 3, 2});

  CHECK_THROWS_AS(runtime.backward(grad.view()), Error);
  CHECK_THROWS_AS(runtime.forward(wrong.view(), Mode::eval, {}), ShapeError);
  CHECK_THROWS_AS(runtime.forward(flat.view(), Mode::eval, {}), ShapeError);
  CHECK_THROWS_AS(runtime.forward(none.view(), Mode::eval, {}), ShapeError);
  const std::string one_value = "[[network.layers]]\ntype = \"batch_norm\"\nname = \"norm\"\n";
  Network<float> lone = build<float>(test::spec_of(one_value), {3}, 1);
  ClockedRuntime<float> lone_runtime(lone);
  const Tensor<float> lone_x({1, 1, 3});
  CHECK_THROWS_WITH_AS(lone_runtime.forward(lone_x.view(), Mode::train, {}),
                       doctest::Contains("layer \"norm\": [batch_norm_train]"), ShapeError);
  runtime.forward(x.view(), Mode::eval, {});
  CHECK_THROWS_AS(runtime.backward(grad.view()), Error);
  runtime.forward(x.view(), Mode::train, {});
  CHECK_THROWS_AS(runtime.backward(wrong_grad.view()), ShapeError);
  runtime.backward(grad.view());
  CHECK_THROWS_AS(runtime.backward(grad.view()), Error);
}

TEST_CASE("a reset that is a constant for the gradient changes the gradient, not the output") {
  const std::string detached = [] {
    std::string toml = test::kChain;
    const std::string off = "detach_reset = false";
    return toml.replace(toml.find(off), off.size(), "detach_reset = true");
  }();
  Network<double> a = build<double>(test::spec_of(test::kChain), test::kChainInput, 5);
  Network<double> b = build<double>(test::spec_of(detached), test::kChainInput, 5);
  ClockedRuntime<double> runtime_a(a), runtime_b(b);
  const auto x = test::random_tensor<double>(test::over_time(test::kChainInput, 4, 3), 8, 0.0, 2.0);

  const auto of_a = step(runtime_a, x, {});
  const auto of_b = step(runtime_b, x, {});

  CHECK(of_a[0] == of_b[0]);
  CHECK(of_a[1] != of_b[1]);
}
