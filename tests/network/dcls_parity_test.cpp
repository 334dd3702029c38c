// A network with learned delays against PyTorch + SpikingJelly + DCLS, over widths from 12 ticks to 0.23 and rounded:
// tests/data/delays_dcls has the numbers and the script.
#include <algorithm>
#include <limits>
#include <numeric>

#include "learning/losses.hpp"
#include "learning/optimizers.hpp"
#include "network/clocked_runtime.hpp"
#include "network/delays.hpp"
#include "tests/network/golden_file.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

// Shares below 1e-6 are left out (synapses/delayed_linear.hpp): that changes sums by a few 1e-6, and through the
// factors u/s^2 and u^2/s^3 gradients of positions by ten and of widths by sixty times as much. What float rounds in
// sums of some hundred terms is no more than that.
constexpr double kForwardTolerance = 2e-6, kGradientTolerance = 1e-5, kBumpTolerance = 1e-4;

constexpr double kTickMs = 1.0, kWeightDecay = 0.1, kWeightRate = 1e-3, kPositionRate = 0.1, kAdamEpsilon = 1e-8;

struct Case {
  std::string name;
  double width = 0.0;
  synapses::DelayBump bump = synapses::DelayBump::gauss;
  bool rounded = false;
  Mode mode = Mode::train;
};

const std::vector<Case> kCases = {
    {"gauss12", 12.0},
    {"gauss3", 3.0},
    {"gauss1", 1.0},
    {"gauss0.5", 0.5},
    {"gauss0.23", 0.23},
    {"triangle0.5", 0.5, synapses::DelayBump::triangle},
    {"triangle0", 0.0, synapses::DelayBump::triangle},
    {"rounded", 0.0, synapses::DelayBump::gauss, true},
    {"deployed", 0.0, synapses::DelayBump::gauss, true, Mode::eval},
};

/// The network of make.py as far as the node `last`.
NetworkSpec spec_until(const std::string& last, const Case& c) {
  synapses::DelayConfig delay;
  delay.bump = c.bump;
  const auto delayed = [&](int out) {
    return DelayedLinearSpec{.out_features = out, .delay = delay, .width = c.width, .learn_width = true};
  };
  neurons::LifConfig lif;
  lif.tau_mem_ms = 1.005 * kTickMs;
  lif.decay_input = false;
  lif.surrogate = {neurons::SurrogateKind::atan, 5.0F};
  const LeakyIntegratorSpec leaky{.tau_mem_ms = lif.tau_mem_ms, .decay_input = false};
  NetworkSpec spec;
  spec.dt_ms = kTickMs;
  for (const auto& [name, operation] : std::vector<std::pair<std::string, Operation>>{{"delay1", delayed(20)},
                                                                                      {"norm1", BatchNormSpec{}},
                                                                                      {"lif1", LifSpec{lif}},
                                                                                      {"delay2", delayed(18)},
                                                                                      {"norm2", BatchNormSpec{}},
                                                                                      {"lif2", LifSpec{lif}},
                                                                                      {"delay3", delayed(5)},
                                                                                      {"out", leaky}}) {
    spec.nodes.push_back({name, {spec.nodes.empty() ? kInputName : spec.nodes.back().name}, operation});
    if (name == last) break;
  }
  return spec;
}

template <class Scalar>
Network<Scalar> network_until(const std::string& last, const Case& c, const Hdf5File& file, const Shape& input) {
  Network<Scalar> net = build<Scalar>(spec_until(last, c), input.drop_front(2), 1);
  for (NamedTensor<Scalar>& tensor : net.tensors) {
    if (tensor.kind != TensorKind::width) tensor.value = test::read_golden<Scalar>(file, "parameters/" + tensor.name);
  }
  return net;
}

template <class Scalar>
Tensor<Scalar> output_of(const std::string& last, const Case& c, const Hdf5File& file, const Tensor<Scalar>& x) {
  Network<Scalar> net = network_until<Scalar>(last, c, file, x.shape());
  ClockedRuntime<Scalar> runtime(net);
  runtime.use_rounded_delays(c.rounded);
  const View<const Scalar> out = runtime.forward(x.view(), c.mode, {});
  Tensor<Scalar> copy(out.shape);
  std::copy(out.data, out.data + out.size(), copy.data());
  return copy;
}

/// The kernel of the first layer, [outputs, inputs, taps], from its answer to one spike of each input: tap k is the
/// delay max_delay - k.
template <class Scalar>
Tensor<Scalar> kernel_of(const Case& c, const Hdf5File& file, std::ptrdiff_t outputs, std::ptrdiff_t inputs) {
  Network<Scalar> net = network_until<Scalar>("delay1", c, file, Shape{1, 1, inputs});
  auto& delay = std::get<DelayedLinearSpec>(net.spec.nodes.front().operation).delay;
  delay.extra_ticks = delay.max_delay;
  Tensor<Scalar> one_each(Shape{1, inputs, inputs});
  for (std::ptrdiff_t i = 0; i < inputs; ++i) one_each[i * inputs + i] = Scalar(1);
  ClockedRuntime<Scalar> runtime(net);
  runtime.use_rounded_delays(c.rounded);
  const View<const Scalar> answer = runtime.forward(one_each.view(), Mode::eval, {});
  const std::ptrdiff_t taps = answer.shape[0], all_outputs = answer.shape[2];
  Tensor<Scalar> kernel(Shape{outputs, inputs, taps});
  for (std::ptrdiff_t o = 0; o < outputs; ++o) {
    for (std::ptrdiff_t i = 0; i < inputs; ++i) {
      for (std::ptrdiff_t k = 0; k < taps; ++k) {
        kernel[(o * inputs + i) * taps + k] = answer[((taps - 1 - k) * inputs + i) * all_outputs + o];
      }
    }
  }
  return kernel;
}

/// The first sample of [T, B, N].
template <class Scalar>
Tensor<Scalar> first_sample(const Tensor<Scalar>& all) {
  const std::ptrdiff_t n = all.shape()[2], frame = all.shape().size_from(1);
  Tensor<Scalar> one(Shape{all.shape()[0], 1, n});
  for (std::ptrdiff_t t = 0; t < all.shape()[0]; ++t) std::copy_n(all.data() + t * frame, n, one.data() + t * n);
  return one;
}

template <class Scalar>
void compare(const Hdf5File& file, const std::string& path, View<const Scalar> ours, double tolerance) {
  CAPTURE(path);
  const auto [largest, error] = test::difference(test::read_golden<double>(file, path), ours);
  CHECK(largest > 1e-4);
  CHECK(error <= tolerance * largest);
}

/// What one step of Adam, its first, changes: - rate g / (|g| + epsilon), which an error of g can turn round where g is
/// near 0. Such elements are left out, and must be few. `moved` are the tensors after the step.
template <class Scalar>
void compare_step(const Hdf5File& file, const std::string& folder, const NamedTensor<Scalar>& moved, double tolerance) {
  CAPTURE(moved.name);
  const bool position = moved.kind == TensorKind::position;
  const double rate = position ? kPositionRate : kWeightRate;
  const double decay = moved.kind == TensorKind::weight ? kWeightDecay : 0.0;
  const auto before = test::read_golden<double>(file, "parameters/" + moved.name);
  const auto gradient = test::read_golden<double>(file, folder + "/grad/" + moved.name);
  const auto step = test::read_golden<double>(file, folder + "/step/" + moved.name);
  REQUIRE(moved.value.shape() == step.shape());
  double largest = 0.0;
  for (const double g : gradient.span()) largest = std::max(largest, std::abs(g));
  const double doubt = tolerance * largest;
  std::ptrdiff_t undecided = 0;
  double error = 0.0;
  for (std::ptrdiff_t i = 0; i < step.size(); ++i) {
    const double g = std::abs(gradient[i] + decay * before[i]) - doubt;
    if (g <= 0.0 || kAdamEpsilon * doubt / (g * g) > 0.1 * tolerance) {
      ++undecided;
      continue;
    }
    // A step is small beside what it is added to: the sum rounds once here and once in their float.
    const double rounding = 2.0 * test::unit_roundoff<Scalar> * (std::abs(before[i]) + rate);
    error = std::max(error, std::abs(static_cast<double>(moved.value[i]) - before[i] - step[i]) - rounding);
  }
  CHECK(error <= tolerance * rate);
  CHECK(undecided <= step.size() / 10 + 1);
}

/// One training step of a case: output, loss, every gradient, the moved averages, and the parameters after the step.
template <class Scalar>
void compare_pass(const Case& c, const Hdf5File& file, const Tensor<Scalar>& x) {
  Network<Scalar> net = network_until<Scalar>("out", c, file, x.shape());
  ClockedRuntime<Scalar> runtime(net);
  runtime.use_rounded_delays(c.rounded);
  learning::Optimizer<Scalar> weights({.kind = learning::OptimizerKind::adam, .weight_decay = kWeightDecay}, net,
                                      {TensorKind::weight, TensorKind::offset});
  learning::Optimizer<Scalar> positions({.kind = learning::OptimizerKind::adam, .weight_decay = 0.0}, net,
                                        {TensorKind::position});
  const View<const Scalar> out = runtime.forward(x.view(), c.mode, {});
  compare(file, c.name + "/output", out, kForwardTolerance);

  const std::vector<std::int32_t> label = file.read<std::int32_t>("label");
  std::vector<double> scores(label.size() * static_cast<std::size_t>(out.shape[2]));
  Tensor<Scalar> grad(out.shape);
  Tensor<double> loss(Shape{1});
  loss[0] = learning::loss<Scalar>({.kind = learning::LossKind::softmax_sum_cross_entropy}, out, {.label = label},
                                   scores, grad.view());
  compare<double>(file, c.name + "/loss", loss.view(), kForwardTolerance);
  if (c.mode == Mode::eval) return;

  runtime.backward(grad.view());
  constexpr double kUnchanged = std::numeric_limits<double>::quiet_NaN();
  weights.step(runtime.gradients(), kWeightRate, kUnchanged);
  if (!c.rounded) positions.step(runtime.gradients(), kPositionRate, kUnchanged);
  bring_within_bounds(net);
  for (std::size_t i = 0; i < net.tensors.size(); ++i) {
    const NamedTensor<Scalar>& tensor = net.tensors[i];
    const bool of_bump = tensor.kind == TensorKind::position || tensor.kind == TensorKind::width;
    const double tolerance = of_bump ? kBumpTolerance : kGradientTolerance;
    if (file.has(c.name + "/grad/" + tensor.name)) {
      compare<Scalar>(file, c.name + "/grad/" + tensor.name, runtime.gradients()[i], tolerance);
      if (tensor.kind != TensorKind::width) compare_step(file, c.name, tensor, tolerance);
    } else if (tensor.kind == TensorKind::state) {
      Tensor<double> after = test::read_golden<double>(file, c.name + "/step/" + tensor.name);
      const auto before = test::read_golden<double>(file, "parameters/" + tensor.name);
      for (std::ptrdiff_t k = 0; k < after.size(); ++k) after[k] += before[k];
      const auto [largest, error] = test::difference<Scalar>(after, tensor.value.view());
      CHECK(error <= kForwardTolerance * largest);
    } else {
      CHECK((c.rounded || tensor.name.find("width") != std::string::npos));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("a network with delays is that of PyTorch, SpikingJelly and DCLS at every width", Scalar, float,
                   double) {
  const Hdf5File file = test::open_golden("delays_dcls/delays.h5");
  const Tensor<Scalar> x = test::read_golden<Scalar>(file, "input");

  for (const Case& c : kCases) {
    CAPTURE(c.name);
    const Shape kernel = file.shape(c.name + "/kernel");
    compare<Scalar>(file, c.name + "/kernel", kernel_of<Scalar>(c, file, kernel[0], kernel[1]).view(),
                    kForwardTolerance);
    compare<Scalar>(file, c.name + "/current1", first_sample(output_of("norm1", c, file, x)).view(), kForwardTolerance);
    for (const std::string layer : {"1", "2"}) {
      const Tensor<Scalar> spikes = output_of("lif" + layer, c, file, x);
      const Tensor<double> theirs = test::read_golden<double>(file, c.name + "/spikes" + layer);
      CHECK(std::accumulate(theirs.span().begin(), theirs.span().end(), 0.0) >
            0.1 * static_cast<double>(theirs.size()));
      // No membrane is nearer than 4e-5 to its threshold (README.md there).
      CHECK(test::difference<Scalar>(theirs, spikes.view()).error == 0.0);
    }
    compare_pass(c, file, x);
  }
}
