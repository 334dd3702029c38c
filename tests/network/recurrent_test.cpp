// Populations that feed back to themselves, with spikes of 0 and 1. Finite differences: gradient_test.cpp.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/parallel.hpp"
#include "network/clocked_runtime.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

// More neurons than a tile of taps, and no whole number of groups of samples.
constexpr std::ptrdiff_t kTicks = 12, kBatch = 11, kNeurons = 20;
constexpr double kDecay = 0.75, kThreshold = 0.6;

std::string recurrent(const std::string& keys, const std::string& neuron = "neuron = \"lif\"\ntau_mem_ms = 4.0\n") {
  return "[network]\n[[network.layers]]\ntype = \"recurrent\"\nname = \"r\"\nv_th = 0.6\n" + neuron + keys;
}

template <class Scalar>
struct Pass {
  std::vector<Scalar> spikes, grad_input;
  std::vector<std::vector<Scalar>> gradients;

  bool operator==(const Pass&) const = default;
};

template <class Scalar>
Network<Scalar> made(const std::string& toml) {
  return build<Scalar>(test::spec_of(toml), Shape{kNeurons}, 3);
}

template <class Scalar>
Tensor<Scalar> input() {
  return test::random_tensor<Scalar>({kTicks, kBatch, kNeurons}, 5, -1.0, 3.0);
}
template <class Scalar>
Tensor<Scalar> grad_spikes() {
  return test::random_tensor<Scalar>({kTicks, kBatch, kNeurons}, 6, -1.0, 1.0);
}

template <class Scalar>
std::vector<Scalar> copy_of(View<const Scalar> view) {
  return {view.span().begin(), view.span().end()};
}

template <class Scalar>
Pass<Scalar> run(Network<Scalar>& net) {
  ClockedRuntime<Scalar> runtime(net);
  runtime.want_input_grad(true);
  const Tensor<Scalar> x = input<Scalar>(), e = grad_spikes<Scalar>();
  Pass<Scalar> pass;
  pass.spikes = copy_of<Scalar>(runtime.forward(x.view(), Mode::train, {1, 1}));
  runtime.backward(e.view());
  pass.grad_input = copy_of<Scalar>(runtime.input_grad());
  for (const View<Scalar>& gradient : runtime.gradients()) pass.gradients.push_back(copy_of<Scalar>(gradient));
  return pass;
}

/// kernel[(i n + j) D + d]: what a spike of j gives to i, 1 + d ticks later.
struct Kernel {
  std::vector<double> values;
  std::ptrdiff_t depth;
};

struct Reference {
  std::vector<double> spikes, grad_input, grad_kernel;
};

/// Slow loops: LIF with decayed input, hard reset to 0, detached, ATan of alpha 2.
Reference reference(const Kernel& kernel) {
  const Tensor<double> x = input<double>(), e = grad_spikes<double>();
  Reference r;
  const auto size = static_cast<std::size_t>(x.size());
  r.spikes.resize(size), r.grad_input.resize(size), r.grad_kernel.resize(kernel.values.size());
  std::vector<double> h(size);
  const auto at = [](std::ptrdiff_t t, std::ptrdiff_t b, std::ptrdiff_t i) {
    return static_cast<std::size_t>((t * kBatch + b) * kNeurons + i);
  };
  const auto k = [&](std::ptrdiff_t i, std::ptrdiff_t j, std::ptrdiff_t d) {
    return static_cast<std::size_t>((i * kNeurons + j) * kernel.depth + d);
  };
  for (std::ptrdiff_t b = 0; b < kBatch; ++b) {
    for (std::ptrdiff_t t = 0; t < kTicks; ++t) {
      for (std::ptrdiff_t i = 0; i < kNeurons; ++i) {
        double current = x[static_cast<std::ptrdiff_t>(at(t, b, i))];
        for (std::ptrdiff_t d = 0; d < kernel.depth && d < t; ++d) {
          for (std::ptrdiff_t j = 0; j < kNeurons; ++j) {
            current += kernel.values[k(i, j, d)] * r.spikes[at(t - 1 - d, b, j)];
          }
        }
        const double v = t == 0 ? 0.0 : (1.0 - r.spikes[at(t - 1, b, i)]) * h[at(t - 1, b, i)];
        h[at(t, b, i)] = kDecay * v + (1.0 - kDecay) * current;
        r.spikes[at(t, b, i)] = h[at(t, b, i)] >= kThreshold ? 1.0 : 0.0;
      }
    }
    std::vector<double> later(kNeurons);  // lam of the tick after
    for (std::ptrdiff_t t = kTicks - 1; t >= 0; --t) {
      for (std::ptrdiff_t j = 0; j < kNeurons; ++j) {
        const std::size_t here = at(t, b, j);
        double of_spike = e[static_cast<std::ptrdiff_t>(here)];
        for (std::ptrdiff_t d = 0; d < kernel.depth && t + 1 + d < kTicks; ++d) {
          for (std::ptrdiff_t i = 0; i < kNeurons; ++i) {
            of_spike += kernel.values[k(i, j, d)] * r.grad_input[at(t + 1 + d, b, i)];
            r.grad_kernel[k(i, j, d)] += r.grad_input[at(t + 1 + d, b, i)] * r.spikes[here];
          }
        }
        const double z = std::acos(-1.0) * (h[here] - kThreshold);
        later[static_cast<std::size_t>(j)] =
            kDecay * later[static_cast<std::size_t>(j)] * (1.0 - r.spikes[here]) + of_spike / (1.0 + z * z);
        r.grad_input[here] = (1.0 - kDecay) * later[static_cast<std::size_t>(j)];
      }
    }
  }
  return r;
}

/// Largest difference relative to the largest value.
double relative_error(const std::vector<double>& ours, const std::vector<double>& theirs) {
  REQUIRE(ours.size() == theirs.size());
  double largest = 0.0, difference = 0.0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    largest = std::max(largest, std::abs(theirs[i]));
    difference = std::max(difference, std::abs(ours[i] - theirs[i]));
  }
  CHECK(largest > 0.01);
  return difference / largest;
}

// Sums of a few hundred terms over twelve ticks, which the recursion enlarges by its weights: rows of norm 1.
const double kTolerance = 1e4 * test::unit_roundoff<double>;
// The bumps leave out taps below 1e-6 of the peak.
constexpr double kBumpTolerance = 1e-5;

}  // namespace

TEST_CASE("a recurrent population agrees with slow loops, with and without self-connections") {
  for (const bool self : {true, false}) {
    Network<double> net = made<double>(recurrent(self ? "" : "self_connections = false\n"));
    const Tensor<double>& weight = net.tensor("r.weight").value;
    Kernel kernel{{weight.span().begin(), weight.span().end()}, 1};
    for (std::size_t n = 0; !self && n < kNeurons; ++n) kernel.values[n * (kNeurons + 1)] = 0.0;
    Reference expected = reference(kernel);
    for (std::size_t n = 0; !self && n < kNeurons; ++n) expected.grad_kernel[n * (kNeurons + 1)] = 0.0;

    const Pass<double> pass = run(net);

    CHECK(pass.spikes == expected.spikes);
    CHECK(relative_error(pass.grad_input, expected.grad_input) <= kTolerance);
    CHECK(relative_error(pass.gradients[0], expected.grad_kernel) <= kTolerance);
  }
}

TEST_CASE("delays of a recurrent population begin with one tick and agree with slow loops") {
  struct Row {
    bool learned;
    int max_delay;
    double width;
    bool self;
  };
  // Few taps in reach, many, and one.
  for (const Row& row : {Row{true, 6, 0.6, true}, Row{true, 6, 0.6, false}, Row{true, 24, 12.0, true},
                         Row{true, 10, 0.0, true}, Row{false, 6, 0.0, true}}) {
    CAPTURE(row.max_delay);
    CAPTURE(row.width);
    std::string keys = fmt::format("delays = \"{}\"\nmax_delay_ticks = {}\nself_connections = {}\n",
                                   row.learned ? "learned" : "fixed", row.max_delay, row.self);
    if (row.learned) keys += fmt::format("width = {}\n", row.width);
    Network<double> net = made<double>(recurrent(keys));
    const Tensor<double>&weight = net.tensor("r.weight").value, &position = net.tensor("r.position").value;
    const std::ptrdiff_t depth = row.max_delay + 1;
    Kernel kernel{{}, depth};
    std::vector<double> share;
    for (std::ptrdiff_t synapse = 0; synapse < weight.size(); ++synapse) {
      double sum = 1e-7;
      std::vector<double> bump;
      for (int d = 0; d < depth; ++d) {
        const double u = d - (row.max_delay / 2 - position[synapse]);
        const double s = row.width + 0.27;
        bump.push_back(row.learned ? std::exp(-0.5 * u * u / (s * s)) : std::max(0.0, 1.0 - std::abs(u)));
        sum += bump.back();
      }
      const bool there = row.self || synapse % (kNeurons + 1) != 0;
      for (const double x : bump) {
        share.push_back(there ? x / sum : 0.0);
        kernel.values.push_back(weight[synapse] * share.back());
      }
    }
    const Reference expected = reference(kernel);
    std::vector<double> grad_weight(static_cast<std::size_t>(weight.size()));
    for (std::size_t i = 0; i < share.size(); ++i) {
      grad_weight[i / static_cast<std::size_t>(depth)] += share[i] * expected.grad_kernel[i];
    }

    const Pass<double> pass = run(net);

    CHECK(pass.spikes == expected.spikes);
    CHECK(relative_error(pass.grad_input, expected.grad_input) <= kBumpTolerance);
    CHECK(relative_error(pass.gradients[0], grad_weight) <= kBumpTolerance);
  }
}

TEST_CASE("with weights of zero a recurrent population is the plain one, to the bit") {
  Network<float> net = made<float>(recurrent(""));
  for (float& weight : net.tensor("r.weight").value.span()) weight = 0.0F;
  Network<float> plain = made<float>("[network]\n[[network.layers]]\ntype = \"lif\"\ntau_mem_ms = 4.0\nv_th = 0.6\n");

  const Pass<float> pass = run(net), expected = run(plain);

  CHECK(pass.spikes == expected.spikes);
  CHECK(pass.grad_input == expected.grad_input);
}

TEST_CASE("a recurrent population gives the same bits for any number of threads") {
  const int before = num_threads();
  for (const std::string& toml : {recurrent("", "neuron = \"adlif\"\n"), recurrent("delays = \"learned\"\n"),
                                  recurrent("delays = \"fixed\"\nlearn_tau = true\n")}) {
    Network<float> net = made<float>(toml);
    set_num_threads(1);
    const Pass<float> one = run(net);
    for (const int count : {2, 8}) {
      set_num_threads(count);
      CHECK(one == run(net));
    }
  }
  set_num_threads(before);
}

TEST_CASE("the weights of a recurrent population start orthogonal") {
  const Network<double> net = made<double>(recurrent("delays = \"learned\"\n"));
  const Tensor<double>& weight = net.tensor("r.weight").value;
  for (std::ptrdiff_t a = 0; a < kNeurons; ++a) {
    for (std::ptrdiff_t b = 0; b <= a; ++b) {
      double product = 0.0;
      for (std::ptrdiff_t k = 0; k < kNeurons; ++k) product += weight[a * kNeurons + k] * weight[b * kNeurons + k];
      CHECK(std::abs(product - (a == b ? 1.0 : 0.0)) <= 4.0 * kNeurons * test::unit_roundoff<double>);
    }
  }
}

TEST_CASE("one tick of a recurrent population has no connections to learn") {
  Network<float> net = made<float>(recurrent(""));
  ClockedRuntime<float> runtime(net);
  const Tensor<float> x = test::random_tensor<float>({1, 2, kNeurons}, 5, 0.0, 5.0);

  runtime.forward(x.view(), Mode::train, {1, 1});
  runtime.backward(x.view());

  for (const float g : runtime.gradients()[0].span()) CHECK(g == 0.0F);
}
