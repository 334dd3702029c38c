#include "learning/optimizers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "learning/schedules.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using learning::OptimizerConfig;
using learning::OptimizerKind;

namespace {

constexpr double kOwnMomentum = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::array<double, 3>, 4> kGradients{
    {{0.1, -0.2, 0.3}, {-0.4, 0.05, 0.2}, {0.25, 0.15, -0.35}, {0.02, -0.6, 0.1}}};

template <class Scalar>
network::Network<Scalar> network_of(const std::vector<Scalar>& values, bool weight_decay = true) {
  network::Network<Scalar> network;
  Tensor<Scalar> tensor(Shape{static_cast<std::ptrdiff_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.data());
  network.tensors.push_back(
      {"fc.weight", std::move(tensor), true, weight_decay ? network::TensorKind::weight : network::TensorKind::offset});
  return network;
}

/// The weights after two and after all four steps.
struct Path {
  std::array<double, 3> second, last;
};

template <class Scalar>
Path walk(const OptimizerConfig& config, double learning_rate, bool weight_decay = true) {
  auto network = network_of<Scalar>({Scalar(0.5), Scalar(-1), Scalar(2)}, weight_decay);
  learning::Optimizer<Scalar> optimizer(config, network);
  Path path{};
  for (std::size_t step = 0; step < kGradients.size(); ++step) {
    std::vector<Scalar> gradient(kGradients[step].begin(), kGradients[step].end());
    optimizer.step({{gradient.data(), Shape{3}}}, learning_rate, kOwnMomentum);
    if (step == 1) std::copy_n(network.tensors[0].value.data(), 3, path.second.begin());
  }
  std::copy_n(network.tensors[0].value.data(), 3, path.last.begin());
  return path;
}

}  // namespace

TEST_CASE("SGD, Adam and AdamW walk PyTorch's paths") {
  struct Row {
    OptimizerConfig config;
    double learning_rate;
    Path expected;
  };
  // PyTorch 2.15.0, float64, gradients kGradients from (0.5, -1, 2).
  const Row rows[] = {
      {{.kind = OptimizerKind::sgd, .weight_decay = 0.0}, 0.1, {{0.53, -0.985, 1.95}, {0.503, -0.94, 1.975}}},
      {{.kind = OptimizerKind::sgd, .weight_decay = 0.05},
       0.1,
       {{0.5250625, -0.975125, 1.9302}, {0.492950001562500, -0.920323128125000, 1.935771255}}},
      {{.kind = OptimizerKind::sgd, .weight_decay = 0.05, .momentum = 0.9},
       0.1,
       {{0.5138125, -0.952625, 1.8942}, {0.501876032812500, -0.869100190625000, 1.810884555}}},
      {{.kind = OptimizerKind::sgd, .weight_decay = 0.05, .momentum = 0.9, .nesterov = true},
       0.1,
       {{0.537600625, -0.93270125, 1.835322}, {0.494537297768906, -0.803575234912813, 1.767917481610500}}},
      {{.kind = OptimizerKind::adam, .weight_decay = 0.05},
       0.01,
       {{0.494945376656107, -0.983314321804486, 1.980175798314326},
        {0.493491479814249, -0.974792434923913, 1.971289215828469}}},
      {{.kind = OptimizerKind::adamw, .weight_decay = 0.05},
       0.01,
       {{0.495100160748013, -0.984310569109795, 1.978301979432844},
        {0.495062863296465, -0.979068880795842, 1.973515053763453}}},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.config.kind));
    CAPTURE(row.config.momentum);
    const Path exact = walk<double>(row.config, row.learning_rate);
    const Path single = walk<float>(row.config, row.learning_rate);
    for (std::size_t i = 0; i < 3; ++i) {
      // Fifteen digits are given. In float, four steps of some ten roundings of numbers below 2.
      CHECK(std::abs(exact.second[i] - row.expected.second[i]) <= 1e-15);
      CHECK(std::abs(exact.last[i] - row.expected.last[i]) <= 1e-15);
      CHECK(std::abs(single.last[i] - row.expected.last[i]) <= 2.0 * 40.0 * test::unit_roundoff<float>);
    }
  }
}

TEST_CASE("what is not a weight moves as if the decay were 0") {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw}) {
    const Path spared = walk<double>({.kind = kind, .weight_decay = 0.05}, 0.01, false);
    const Path plain = walk<double>({.kind = kind, .weight_decay = 0.0}, 0.01);
    const Path decayed = walk<double>({.kind = kind, .weight_decay = 0.05}, 0.01);
    CHECK(spared.last == plain.last);
    CHECK(decayed.last != plain.last);
  }
}

TEST_CASE("each of two optimisers moves its own kinds, decay included") {
  const std::vector<double> start{0.5, -1.0, 2.0};
  auto network = network_of<double>(start);
  network.tensors.push_back(std::move(network_of<double>(start).tensors[0]));
  network.tensors[1].kind = network::TensorKind::position;
  const OptimizerConfig adam{.kind = OptimizerKind::adam, .weight_decay = 0.05};
  learning::Optimizer<double> weights(adam, network, {network::TensorKind::weight, network::TensorKind::offset});
  learning::Optimizer<double> positions(adam, network, {network::TensorKind::position, network::TensorKind::width});
  for (const auto& values : kGradients) {
    std::vector<double> gradient(values.begin(), values.end());
    const View<double> view{gradient.data(), Shape{3}};
    weights.step({view, {}}, 0.01, kOwnMomentum);
    positions.step({{}, view}, 0.1, kOwnMomentum);
  }

  CHECK(weights.state().size() == 2);
  const Path slow = walk<double>(adam, 0.01), fast = walk<double>(adam, 0.1);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(network.tensors[0].value[i] == slow.last[i]);
    CHECK(network.tensors[1].value[i] == fast.last[i]);
  }
}

TEST_CASE("AdamW under one_cycle moves beta1 too, as in PyTorch") {
  auto network = network_of<double>({0.5, -1.0, 2.0});
  learning::Optimizer<double> optimizer({.kind = OptimizerKind::adamw, .weight_decay = 0.05}, network);
  const learning::ScheduleConfig schedule{.kind = learning::ScheduleKind::one_cycle, .learning_rate = 0.01};

  for (std::int64_t step = 0; step < 4; ++step) {
    std::array<double, 3> gradient = kGradients[static_cast<std::size_t>(step)];
    const auto at = learning::schedule_at(schedule, {step, 4, 1});
    optimizer.step({{gradient.data(), Shape{3}}}, at.learning_rate, at.momentum);
  }

  // PyTorch 2.15.0: OneCycleLR(AdamW(lr=.01, weight_decay=.05), .01, total_steps=4), fifteen digits.
  const double expected[] = {0.505941577818114, -0.999416167355878, 1.992970713618575};
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(network.tensors[0].value[i] - expected[i]) <= 1e-15);
}

TEST_CASE("a state that is copied into a new optimiser continues with the same bits") {
  const OptimizerConfig config{.kind = OptimizerKind::adamw};
  auto network = network_of<float>({0.5F, -1.0F, 2.0F}), other = network_of<float>({0.0F, 0.0F, 0.0F});
  learning::Optimizer<float> optimizer(config, network), resumed(config, other);
  std::vector<float> gradient{0.3F, -0.1F, 0.2F};
  const std::vector<View<float>> gradients{{gradient.data(), Shape{3}}};
  for (int step = 0; step < 3; ++step) optimizer.step(gradients, 0.01, kOwnMomentum);

  copy_bytes(network.tensors[0].value.data(), Device::cpu, other.tensors[0].value.data(), Device::cpu, 12);
  auto from = optimizer.state(), to = resumed.state();
  REQUIRE(from.size() == 2);
  CHECK(from[0].name == "fc.weight/first_moment");
  CHECK(from[1].name == "fc.weight/second_moment");
  for (std::size_t i = 0; i < from.size(); ++i) std::copy_n(from[i].value.data, 3, to[i].value.data);
  resumed.set_num_steps(optimizer.num_steps());
  for (int step = 0; step < 3; ++step) {
    optimizer.step(gradients, 0.01, kOwnMomentum);
    resumed.step(gradients, 0.01, kOwnMomentum);
  }

  CHECK(std::memcmp(network.tensors[0].value.data(), other.tensors[0].value.data(), 12) == 0);
}

TEST_CASE("tensors that are not trained stay as they are and need no gradient") {
  auto network = network_of<float>({1.0F});
  Tensor<float> mean(Shape{2});
  mean[0] = 3.0F;
  network.tensors.push_back({"bn.running_mean", std::move(mean), false, network::TensorKind::state});
  learning::Optimizer<float> optimizer({}, network);
  float gradient = 1.0F;

  optimizer.step({{&gradient, Shape{1}}, {}}, 0.1, kOwnMomentum);

  CHECK(network.tensors[0].value[0] < 1.0F);
  CHECK(network.tensors[1].value[0] == 3.0F);
  CHECK(optimizer.state().size() == 2);
  CHECK_THROWS_AS(optimizer.step({{&gradient, Shape{1}}}, 0.1, kOwnMomentum), ShapeError);
  CHECK_THROWS_AS(optimizer.step({{}, {}}, 0.1, kOwnMomentum), ShapeError);
}

TEST_CASE("clipping scales all gradients to one global norm, as in PyTorch") {
  std::vector<double> a{3.0, 0.0, 4.0}, b{0.0, 12.0};
  const std::vector<View<double>> gradients{{a.data(), Shape{3}}, {}, {b.data(), Shape{2}}};

  const double norm = learning::global_norm(gradients);
  CHECK(norm == 13.0);
  learning::clip_to_norm(gradients, norm, 20.0);
  CHECK(b[1] == 12.0);
  learning::clip_to_norm(gradients, norm, 2.0);

  // PyTorch 2.15.0, clip_grad_norm_(..., 2.0), fifteen digits.
  CHECK(std::abs(a[0] - 0.461538426035506) <= 1e-15);
  CHECK(std::abs(a[2] - 0.615384568047341) <= 1e-15);
  CHECK(std::abs(b[1] - 1.846153704142023) <= 1e-15);
}

TEST_CASE("a step and the norm have the same bits for 1, 2 and 5 threads") {
  const std::size_t n = 100'003;
  const RandomStream random(3, 0, 0);
  std::vector<float> start(n), gradient(n);
  for (std::size_t i = 0; i < n; ++i) {
    start[i] = static_cast<float>(random.normal(i));
    gradient[i] = static_cast<float>(random.normal(n + i));
  }
  std::vector<float> first;
  double first_norm = 0.0;
  const int threads_before = num_threads();
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    auto network = network_of(start);
    learning::Optimizer<float> optimizer({}, network);
    std::vector<float> clipped = gradient;
    const std::vector<View<float>> gradients{{clipped.data(), Shape{static_cast<std::ptrdiff_t>(n)}}};

    const double norm = learning::global_norm(gradients);
    learning::clip_to_norm(gradients, norm, 1.0);
    optimizer.step(gradients, 0.01, kOwnMomentum);

    const auto values = network.tensors[0].value.span();
    if (threads == 1) {
      first.assign(values.begin(), values.end());
      first_norm = norm;
    }
    CHECK(norm == first_norm);
    CHECK(std::equal(values.begin(), values.end(), first.begin()));
  }
  set_num_threads(threads_before);
  // The sum of the squares in double: relative error below n u.
  double sum = 0.0;
  for (const float g : gradient) sum += static_cast<double>(g) * static_cast<double>(g);
  CHECK(std::abs(first_norm - std::sqrt(sum)) <= static_cast<double>(n) * test::unit_roundoff<double> * std::sqrt(sum));
}
