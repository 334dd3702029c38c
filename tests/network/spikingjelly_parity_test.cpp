// One training pass against PyTorch + SpikingJelly: tests/data/network_spikingjelly has the numbers and the script.
#include <algorithm>

#include "network/clocked_runtime.hpp"
#include "tests/network/golden_file.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

/// The network of make.py; dt is 1 ms, so time constants in ms are time constants in ticks.
const std::string kNetwork = R"(
[[network.layers]]
type = "conv2d"
name = "conv1"
channels = 4
padding = 1
[[network.layers]]
type = "batch_norm"
name = "norm1"
[[network.layers]]
type = "lif"
tau_mem_ms = 2.0
[[network.layers]]
type = "max_pool"
[[network.layers]]
type = "conv2d"
name = "conv2"
channels = 5
padding = 1
stride = 2
bias = true
[[network.layers]]
type = "batch_norm"
name = "norm2"
[[network.layers]]
type = "lif"
tau_mem_ms = 3.0
v_th = 0.8
reset = "soft"
surrogate = "sigmoid"
detach_reset = false
decay_input = false
[[network.layers]]
type = "avg_pool"
[[network.layers]]
type = "flatten"
[[network.layers]]
type = "linear"
name = "fc1"
out_features = 12
[[network.layers]]
type = "lif"
tau_mem_ms = 2.5
v_th = 0.7
v_reset = 0.1
detach_reset = false
[[network.layers]]
type = "linear"
name = "fc2"
out_features = 6
[[network.layers]]
type = "vote"
group = 2
)";

template <class Scalar>
void compare(const Hdf5File& file, const std::string& path, View<const Scalar> ours, double tolerance) {
  CAPTURE(path);
  const auto [largest, error] = test::difference(test::read_golden<double>(file, path), ours);
  // The bias before a batch norm has no effect: what both call its gradient is rounding, of sums of size 1.
  if (path != "grad/conv2.bias") CHECK(largest > 1e-4);
  CHECK(error <= tolerance * (path == "grad/conv2.bias" ? 1.0 : largest));
}

/// Output, every gradient and the moved averages, relative to the largest of each tensor.
template <class Scalar>
void compare_pass(double tolerance) {
  const Hdf5File file = test::open_golden("network_spikingjelly/network.h5");
  const Tensor<Scalar> x = test::read_golden<Scalar>(file, "input");
  Network<Scalar> net = build<Scalar>(test::spec_of(kNetwork), x.shape().drop_front(2), 1);
  for (NamedTensor<Scalar>& tensor : net.tensors)
    tensor.value = test::read_golden<Scalar>(file, "weights/" + tensor.name);
  ClockedRuntime<Scalar> runtime(net);
  runtime.want_input_grad(true);

  const View<const Scalar> out = runtime.forward(x.view(), Mode::train, {});
  compare(file, "output", out, tolerance);
  runtime.backward(test::read_golden<Scalar>(file, "grad_output").view());

  compare(file, "grad/input", runtime.input_grad(), tolerance);
  for (std::size_t i = 0; i < net.tensors.size(); ++i) {
    const NamedTensor<Scalar>& tensor = net.tensors[i];
    if (tensor.trained) {
      compare<Scalar>(file, "grad/" + tensor.name, runtime.gradients()[i], tolerance);
    } else {
      compare(file, "after/" + tensor.name, tensor.value.view(), tolerance);
    }
  }
}

}  // namespace

TEST_CASE("a network gives the outputs and gradients of PyTorch and SpikingJelly") {
  // No membrane is nearer than 4e-4 to its threshold (README.md there), far outside the rounding of both: the spikes
  // are the same, and what differs is the order of sums of at most 6 3 8 8 = 1152 terms in each of a dozen operations.
  const auto tolerance = [](double unit) { return 12.0 * 1152.0 * unit; };
  compare_pass<double>(tolerance(test::unit_roundoff<double>));
  compare_pass<float>(std::min(1e-5, tolerance(test::unit_roundoff<float>)));
}
