#include "synapses/delayed_linear.hpp"

#include <vector>

#include "core/error.hpp"
#include "tests/reference/delayed_linear_reference.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

using synapses::DelayBump;
using synapses::DelayConfig;
using synapses::DelayPer;

template <class Scalar>
struct Layer {
  DelayConfig config;
  Tensor<Scalar> weight, position, width, mask;
  bool rounded = false;

  synapses::DelayParameters<Scalar> parameters() const {
    return {weight.view(), position.view(), width.view(), mask.view(), rounded};
  }
  std::vector<std::byte> scratch(const Shape& x) const {
    return std::vector<std::byte>(synapses::delayed_linear_scratch_bytes<Scalar>(
        config, synapses::delay_reach(config, parameters()), x, weight.shape()[0]));
  }
  Tensor<Scalar> forward(const Signal<Scalar>& x) const {
    auto y = test::filled<Scalar>(Shape{x.shape[0] + config.extra_ticks, x.shape[1], weight.shape()[0]});
    std::vector<std::byte> memory = scratch(x.shape);
    synapses::delayed_linear_forward<Scalar>(x, config, parameters(), y.view(), memory);
    return y;
  }
  struct Gradients {
    Tensor<Scalar> weight, position, width, x;
  };
  Gradients backward(const Signal<Scalar>& x, const Tensor<Scalar>& grad_y) const {
    Gradients g{test::filled<Scalar>(weight.shape()), test::filled<Scalar>(position.shape()),
                test::filled<Scalar>(width.shape()), test::filled<Scalar>(x.shape)};
    std::vector<std::byte> memory = scratch(x.shape);
    synapses::delayed_linear_backward<Scalar>(x, config, parameters(), grad_y.view(),
                                              {g.weight.view(), g.position.view(), g.width.view()}, g.x.view(), memory);
    return g;
  }
};

/// The example of two inputs and one output that the PyPI package dcls 0.1.1 was run on, in double.
Layer<double> example(DelayBump bump, double width) {
  Layer<double> layer{{.max_delay = 4, .extra_ticks = 2, .bump = bump},
                      Tensor<double>(Shape{1, 2, 1}),
                      Tensor<double>(Shape{1, 2, 1}),
                      test::filled<double>(Shape{1, 2, 1}, width),
                      {},
                      false};
  layer.weight[0] = 0.8;
  layer.weight[1] = -0.5;
  layer.position[0] = 0.3;
  layer.position[1] = -1.6;
  return layer;
}

Tensor<double> example_input() {
  Tensor<double> x(Shape{6, 1, 2});
  x[0] = x[6] = x[3] = 1.0;  // input 0 at ticks 0 and 3, input 1 at tick 1
  return x;
}

/// dL/dy of L = sum_t 0.1 (t + 1) y[t]
Tensor<double> example_grad() {
  Tensor<double> grad(Shape{8, 1, 1});
  for (std::ptrdiff_t t = 0; t < 8; ++t) grad[t] = 0.1 * static_cast<double>(t + 1);
  return grad;
}

void check_near(const Tensor<double>& got, const std::vector<double>& expected, double tolerance) {
  REQUIRE(got.size() == static_cast<std::ptrdiff_t>(expected.size()));
  for (std::size_t k = 0; k < expected.size(); ++k) {
    INFO(k);
    CHECK(std::abs(got[static_cast<std::ptrdiff_t>(k)] - expected[k]) <= tolerance);
  }
}

/// The smallest share that is used: what is left out of a sum of a few such numbers.
constexpr double kLeftOut = 3e-6;

struct Case {
  std::ptrdiff_t ticks, batch, in, out;
  int kernels, max_delay, extra;
  DelayBump bump;
  double width;
  DelayPer per;
  double density;
  bool pruned, rounded;
  bool even = false;  ///< all bumps equally wide: wide ones are then held in a basis
};

const std::vector<Case> kCases = {
    {1, 1, 1, 1, 1, 0, 0, DelayBump::gauss, 0.23, DelayPer::synapse, 1.0, false, false},
    {7, 2, 3, 5, 1, 4, 2, DelayBump::gauss, 0.23, DelayPer::synapse, 0.3, false, false},
    {20, 3, 19, 33, 1, 24, 12, DelayBump::gauss, 0.23, DelayPer::synapse, 0.1, false, false},
    {20, 3, 19, 33, 1, 24, 12, DelayBump::gauss, 0.23, DelayPer::synapse, 1.0, false, false},
    {33, 2, 17, 16, 1, 24, 12, DelayBump::gauss, 12.0, DelayPer::synapse, 0.2, false, false},
    {33, 2, 17, 20, 1, 24, 0, DelayBump::gauss, 12.0, DelayPer::synapse, 1.0, false, false},
    {33, 9, 17, 20, 1, 24, 12, DelayBump::gauss, 12.0, DelayPer::synapse, 1.0, false, false, true},
    {21, 3, 19, 5, 2, 24, 12, DelayBump::gauss, 8.0, DelayPer::synapse, 1.0, true, false, true},
    {40, 2, 6, 7, 1, 120, 30, DelayBump::gauss, 60.0, DelayPer::synapse, 0.3, false, false, true},
    {33, 2, 5, 40, 3, 24, 12, DelayBump::gauss, 1.0, DelayPer::synapse, 0.2, true, false},
    {140, 1, 4, 6, 1, 60, 30, DelayBump::gauss, 3.0, DelayPer::synapse, 0.2, false, false},
    {40, 9, 6, 7, 2, 200, 100, DelayBump::gauss, 12.0, DelayPer::synapse, 0.1, false, false},
    {25, 4, 18, 9, 1, 10, 5, DelayBump::triangle, 0.0, DelayPer::synapse, 0.3, false, false},
    {25, 4, 18, 9, 2, 10, 5, DelayBump::triangle, 2.5, DelayPer::synapse, 1.0, true, false},
    {25, 4, 18, 9, 1, 10, 5, DelayBump::gauss, 0.23, DelayPer::input, 0.3, false, false},
    {25, 4, 18, 9, 2, 10, 5, DelayBump::gauss, 0.5, DelayPer::output, 0.3, true, false},
    {25, 20, 18, 35, 1, 24, 12, DelayBump::gauss, 0.23, DelayPer::synapse, 0.05, true, true},
    {25, 20, 18, 35, 2, 24, 12, DelayBump::gauss, 0.23, DelayPer::synapse, 1.0, false, true},
};

template <class Scalar>
struct Problem {
  explicit Problem(const Case& c)
      : layer{{c.kernels, c.max_delay, c.extra, c.bump, c.per}, {}, {}, {}, {}, c.rounded},
        x(test::random_tensor<Scalar>(Shape{c.ticks, c.batch, c.in}, 1, c.density)),
        grad_y(test::random_tensor<Scalar>(Shape{c.ticks + c.extra, c.batch, c.out}, 2)) {
    const Shape shared{c.per == DelayPer::input ? 1 : c.out, c.per == DelayPer::output ? 1 : c.in, c.kernels};
    layer.weight = test::random_tensor<Scalar>(Shape{c.out, c.in, c.kernels}, 3);
    layer.position = test::random_tensor<Scalar>(shared, 4);
    layer.width = test::random_tensor<Scalar>(shared, 5);
    for (std::ptrdiff_t k = 0; k < layer.position.size(); ++k) {
      layer.position[k] *= static_cast<Scalar>(c.max_delay / 2);
      layer.width[k] = static_cast<Scalar>(c.width) * (Scalar(1) + Scalar(c.even ? 0.0 : 0.1) * layer.width[k]);
    }
    if (c.pruned) {
      layer.mask = Tensor<Scalar>(Shape{c.out, c.in});
      const Tensor<std::uint8_t> there = test::random_spikes(Shape{c.out, c.in}, 6, 0.6);
      for (std::ptrdiff_t k = 0; k < there.size(); ++k) layer.mask[k] = static_cast<Scalar>(there[k]);
    }
  }
  test::DelayedLinearReference reference() const {
    return {layer.config,
            test::convert<double>(x),
            test::convert<double>(layer.weight),
            test::convert<double>(layer.position),
            test::convert<double>(layer.width),
            layer.mask.size() > 0 ? test::convert<double>(layer.mask) : Tensor<double>(),
            layer.rounded};
  }

  Layer<Scalar> layer;
  Tensor<Scalar> x, grad_y;
};

double largest(const Tensor<double>& values) {
  double result = 0.0;
  for (std::ptrdiff_t k = 0; k < values.size(); ++k) result = std::max(result, std::abs(values[k]));
  return result;
}

/// The largest difference, relative to the largest expected number.
template <class Scalar>
double relative_error(const Tensor<Scalar>& got, const Tensor<double>& expected) {
  return test::worst_error(got, expected, test::filled<double>(expected.shape(), std::max(largest(expected), 1e-300)));
}

}  // namespace

TEST_CASE("the numbers of dcls 0.1.1: a gauss of width 0.23") {
  const Layer<double> layer = example(DelayBump::gauss, 0.23);
  const Tensor<double> x = example_input();
  check_near(layer.forward(test::signal_of(x)),
             {.0019803536, .2406335913, .5355393550, .0213586978, .0409777511, .2376640793, .0218297869, 1.62978e-5},
             kLeftOut);
  const auto g = layer.backward(test::signal_of(x), example_grad());
  check_near(g.weight, {.8443169489, .5590846153}, kLeftOut);
  check_near(g.position, {-.1667504813, .0503118510}, 1e-5);
  check_near(g.width, {-.0546496202, .0263713409}, 1e-5);
  check_near(g.x,
             {.2177267892, -.2295423118, .2977267828, -.2795423077, .3777267763, -.3295423036, .4577267699,
              -.3795422995, .5377120955, -.1614540511, .5980636511, -.0019615400},
             kLeftOut);
}

TEST_CASE("the numbers of dcls 0.1.1: a gauss of width 2") {
  const Layer<double> layer = example(DelayBump::gauss, 2.0);
  const Tensor<double> x = example_input();
  check_near(layer.forward(test::signal_of(x)),
             {.1457155153, .1436910353, .1177744036, .1990504477, .1627286392, .0518870294, .1637098219, .1154430832},
             1e-9);
  const auto g = layer.backward(test::signal_of(x), example_grad());
  check_near(g.weight, {.8798096595, .4522751795}, 1e-9);
  check_near(g.position, {-.0537218842, .0153632077}, 1e-9);
  check_near(g.width, {.0121162975, .0184889763}, 1e-9);
}

TEST_CASE("the numbers of dcls 0.1.1: triangles") {
  const Tensor<double> x = example_input();
  const Layer<double> linear = example(DelayBump::triangle, 0.0);
  check_near(linear.forward(test::signal_of(x)), {0, .239999976, .559999944, 0, .039999996, .259999974, 0, 0}, 1e-9);
  const auto g = linear.backward(test::signal_of(x), example_grad());
  check_near(g.weight, {.839999916, .559999944}, 1e-9);
  check_near(g.position, {-.159999984, .049999995}, 1e-9);

  const Layer<double> wide = example(DelayBump::triangle, 0.5);
  check_near(wide.forward(test::signal_of(x)),
             {0, .2909090777, .4363636165, .0727272694, .0659090889, .1613636303, .0727272694, 0}, 1e-9);
  const auto h = wide.backward(test::signal_of(x), example_grad());
  check_near(h.weight, {.8454545070, .5549999723}, 1e-9);
  check_near(h.position, {-.1652892627, .0249999987}, 1e-9);
  check_near(h.width, {.0595041715, .0024999860}, 1e-9);
}

TEST_CASE("rounded delays: the taps of the example stand at delays 2 and 4, without their 1e-7") {
  Layer<double> layer = example(DelayBump::gauss, 0.23);
  layer.rounded = true;
  const Tensor<double> x = example_input();
  check_near(layer.forward(test::signal_of(x)), {0, 0, .8, 0, 0, .3, 0, 0}, 1.1e-7);
  const auto g = layer.backward(test::signal_of(x), example_grad());
  check_near(g.position, {0, 0}, 0.0);
  check_near(g.width, {0, 0}, 0.0);
}

TEST_CASE("positions are rounded half to even") {
  Layer<double> layer = example(DelayBump::gauss, 0.23);
  layer.rounded = true;
  layer.config.extra_ticks = 0;
  Tensor<double> x(Shape{6, 1, 2});
  x[0] = 1.0;
  for (const auto& [position, delay] : std::vector<std::pair<double, int>>{{0.5, 2}, {1.5, 0}, {-0.5, 2}, {-1.5, 4}}) {
    layer.position[0] = position;
    const Tensor<double> y = layer.forward(test::signal_of(x));
    INFO(position);
    for (std::ptrdiff_t t = 0; t < 6; ++t) CHECK((y[t] != 0.0) == (t == delay));
  }
}

TEST_CASE_TEMPLATE("both passes equal the definition, whatever the width, sharing, pruning and density", Scalar, float,
                   double) {
  // Shares below 1e-6 are left out: they change a sum by a few 1e-6, position and width through the factors u/s^2 and
  // u^2/s^3 by ten and sixty times as much. float adds rounding of sums of a few hundred terms.
  for (std::size_t number = 0; number < kCases.size(); ++number) {
    CAPTURE(number);
    const Problem<Scalar> problem(kCases[number]);
    const test::DelayedLinearReference reference = problem.reference();
    CHECK(relative_error(problem.layer.forward(test::signal_of(problem.x)), reference.forward()) < 1e-5);
    const auto got = problem.layer.backward(test::signal_of(problem.x), problem.grad_y);
    const auto expected = reference.backward(test::convert<double>(problem.grad_y));
    CHECK(relative_error(got.weight, expected.weight) < 1e-5);
    CHECK(relative_error(got.x, expected.x) < 1e-5);
    CHECK(relative_error(got.position, expected.position) < 3e-5);
    CHECK(relative_error(got.width, expected.width) < 2e-4);
  }
}

TEST_CASE("spikes as bytes give the same bits as spikes as numbers") {
  const Problem<float> problem(kCases[2]);
  const Tensor<std::uint8_t> spikes = test::random_spikes(problem.x.shape(), 9, 0.2);
  const Tensor<float> numbers = test::convert<float>(spikes);
  const auto& layer = problem.layer;
  CHECK(test::same_bits(layer.forward(test::signal_of_spikes<float>(spikes)), layer.forward(test::signal_of(numbers))));
  const auto a = layer.backward(test::signal_of_spikes<float>(spikes), problem.grad_y);
  const auto b = layer.backward(test::signal_of(numbers), problem.grad_y);
  CHECK(test::same_bits(a.weight, b.weight));
  CHECK(test::same_bits(a.position, b.position));
}

TEST_CASE("the same bits for any number of threads") {
  for (const std::size_t number : {std::size_t{3}, std::size_t{4}, std::size_t{6}, std::size_t{14}, std::size_t{16}}) {
    CAPTURE(number);
    const Problem<float> problem(kCases[number]);
    const Signal<float> x = test::signal_of(problem.x);
    CHECK(test::same_bits_for_any_threads([&] { return problem.layer.forward(x); }));
    CHECK(test::same_bits_for_any_threads([&] { return problem.layer.backward(x, problem.grad_y).weight; }));
    CHECK(test::same_bits_for_any_threads([&] { return problem.layer.backward(x, problem.grad_y).position; }));
    CHECK(test::same_bits_for_any_threads([&] { return problem.layer.backward(x, problem.grad_y).x; }));
  }
}

TEST_CASE("a layer is causal: a change of the input at tick t leaves the output before t as it was") {
  Problem<float> problem(kCases[4]);
  const Tensor<float> before = problem.layer.forward(test::signal_of(problem.x));
  constexpr std::ptrdiff_t kTick = 17;
  const std::ptrdiff_t frame = problem.x.shape().size_from(1);
  for (std::ptrdiff_t k = kTick * frame; k < (kTick + 1) * frame; ++k) problem.x[k] += 1.0F;
  const Tensor<float> after = problem.layer.forward(test::signal_of(problem.x));
  const std::ptrdiff_t cut = kTick * before.shape().size_from(1);
  for (std::ptrdiff_t k = 0; k < cut; ++k) CHECK(before[k] == after[k]);
  CHECK(before[cut] != after[cut]);
}

TEST_CASE("the reach does not grow with the longest delay, and scratch shrinks with the reach") {
  const auto layer_of = [](int max_delay, float width) {
    return Layer<float>{{.max_delay = max_delay, .extra_ticks = 0},
                        Tensor<float>(Shape{8, 8, 1}),
                        Tensor<float>(Shape{8, 8, 1}),
                        test::filled<float>(Shape{8, 8, 1}, width),
                        {},
                        false};
  };
  for (const int max_delay : {24, 64, 256, 1024}) {
    const Layer<float> layer = layer_of(max_delay, 0.23F);
    CHECK(synapses::delay_reach(layer.config, layer.parameters()) == 6);
    std::size_t before = 0;
    for (const float width : {0.0F, 0.23F, 0.5F, 1.0F, 3.0F, 12.0F}) {
      const std::size_t bytes = layer_of(max_delay, width).scratch(Shape{24, 64, 8}).size();
      CHECK(bytes >= before);
      before = bytes;
    }
  }
}

TEST_CASE("shapes that do not fit are told") {
  const Problem<float> problem(kCases[1]);
  auto wrong = [&](auto change) {
    Problem<float> broken(kCases[1]);
    change(broken.layer);
    return broken;
  };
  const auto run = [](const Problem<float>& p) { p.layer.forward(test::signal_of(p.x)); };
  CHECK_THROWS_AS(run(wrong([](auto& layer) { layer.position = Tensor<float>(Shape{5, 2, 1}); })), ShapeError);
  CHECK_THROWS_AS(run(wrong([](auto& layer) { layer.mask = Tensor<float>(Shape{3, 5}); })), ShapeError);
  CHECK_THROWS_AS(run(wrong([](auto& layer) { layer.weight = Tensor<float>(Shape{5, 4, 1}); })), ShapeError);
}

}  // namespace synfire
