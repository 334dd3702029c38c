#include "network/spec.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/describe.hpp"
#include "network/network.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

/// What is wrong with a [network] table, or "" if nothing.
std::string problem(const std::string& toml) {
  try {
    test::spec_of(toml);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

/// What is wrong with a network of these layers on this input, or "".
std::string misfit(const std::string& layers, const Shape& input) {
  try {
    build<float>(test::spec_of(layers), input, 1);
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string layer(const std::string& keys) { return "[[network.layers]]\n" + keys + "\n"; }

}  // namespace

TEST_CASE("a network is read with the defaults of its types, and names and inputs that nobody gave") {
  const NetworkSpec spec = test::spec_of(R"(
    [network]
    dt_ms = 4
    lif = {tau_mem_ms = 16.0, surrogate = "triangular"}
    [[network.layers]]
    type = "linear"
    out_features = 8
    [[network.layers]]
    type = "lif"
    [[network.layers]]
    type = "linear"
    out_features = 3
    bias = false
    [[network.layers]]
    type = "lif"
    name = "readout"
    tau_mem_ms = 40.0
    reset = "soft"
    fires_at = "above_threshold"
    surrogate = "fast_sigmoid"
  )");

  REQUIRE(spec.nodes.size() == 4);
  CHECK(spec.dt_ms == 4.0);
  CHECK(spec.nodes[0].name == "linear1");
  CHECK(spec.nodes[0].inputs == std::vector<std::string>{"input"});
  CHECK(spec.nodes[2].name == "linear2");
  CHECK(spec.nodes[2].inputs == std::vector<std::string>{"lif1"});
  CHECK(std::get<LinearSpec>(spec.nodes[0].operation).bias);
  CHECK_FALSE(std::get<LinearSpec>(spec.nodes[2].operation).bias);
  const neurons::LifConfig hidden = std::get<LifSpec>(spec.nodes[1].operation).config;
  CHECK(hidden.tau_mem_ms == 16.0);
  CHECK(hidden.v_reset == 0.0);
  CHECK(hidden.fires_at == neurons::FiresAt::threshold);
  CHECK(hidden.surrogate.kind == neurons::SurrogateKind::triangular);
  CHECK(hidden.surrogate.alpha == 1.0);
  const neurons::LifConfig readout = std::get<LifSpec>(spec.nodes[3].operation).config;
  CHECK(readout.tau_mem_ms == 40.0);
  CHECK_FALSE(readout.v_reset.has_value());
  CHECK(readout.fires_at == neurons::FiresAt::above_threshold);
  CHECK(readout.surrogate.alpha == 25.0);
}

TEST_CASE("a configuration that makes no network says where and why") {
  const std::string fc = layer("type = \"linear\"\nout_features = 4");

  CHECK(says(problem("[network]\ndt_ms = 1.0"), "at least one [[network.layers]]"));
  CHECK(says(problem("[network]\ndt_ms = 0.0\n" + fc), "test.toml:2: network.dt_ms"));
  CHECK(says(problem(layer("type = \"convv2d\"")), "conv2d"));
  CHECK(says(problem(layer("type = \"conv2d\"")), "channels"));
  CHECK(says(problem(layer("type = \"conv2d\"\nchannels = 4\nkernal = 3")), "kernel"));
  CHECK(says(problem(layer("type = \"conv2d\"\nchannels = 4\npadding = 3")), "test.toml:4: network.layers"));
  CHECK(says(problem(layer("type = \"conv2d\"\nchannels = 4\npadding = 3")), "must be smaller than the kernel (3)"));
  CHECK(says(problem(layer("type = \"lif\"\ntau_mem_ms = 0.5")), "test.toml:3: "));
  CHECK(says(problem(layer("type = \"lif\"\ntau_mem_ms = 0.5")), "tau_mem_ms: must be at least one tick"));
  CHECK(says(problem("[network]\nlif = {tau_mem_ms = 0.5}\n" + layer("type = \"lif\"")), "test.toml:2: network.lif"));
  CHECK(says(problem(layer("type = \"lif\"\nv_th = 1.0\nv_reset = 2.0")), "v_th: must be above the reset level"));
  CHECK(says(problem(layer("type = \"lif\"\nreset = \"soft\"\nv_reset = 2.0")), "v_reset"));
  CHECK(says(problem(fc + layer("type = \"lif\"\nname = \"linear1\"")), "two layers named \"linear1\""));
  CHECK(says(problem(fc + layer("type = \"lif\"\nname = \"input\"")), "two layers named \"input\""));
  CHECK(says(problem(layer("type = \"lif\"\nname = \"a.b\"")), "letters, digits, _ and -"));
  CHECK(says(problem(fc + layer("type = \"lif\"\ninputs = [\"later\"]") + layer("type = \"lif\"\nname = \"later\"")),
             "reads \"later\""));
  CHECK(says(problem(fc + layer("type = \"lif\"\ninputs = [\"input\"]")), "no layer reads the output of \"linear1\""));
  CHECK(says(problem(layer("type = \"add\"")), "two inputs or more, got 1"));
  CHECK(says(problem(layer("type = \"lif\"\ninputs = [\"input\", \"input\"]")), "one input, got 2"));
  CHECK(says(problem(layer("type = \"lif\"\ninputs = []")), "one input, got 0"));
}

TEST_CASE("layers that do not fit each other are named when the network is built") {
  const std::string conv = layer("type = \"conv2d\"\nname = \"conv\"\nchannels = 4\nkernel = 5");
  const std::string flat = layer("type = \"flatten\"");

  CHECK(misfit(conv + flat, {5, 5, 1}).empty());
  CHECK(
      says(misfit(conv + flat, {4, 5, 1}), "[build] layer \"conv\": kernel 5 with padding 0 is larger than the image"));
  CHECK(says(misfit(conv + flat, {12}), "[build] layer \"conv\": conv2d needs an image [H, W, C], got [12]"));
  CHECK(
      says(misfit(conv, {6, 6, 1}), "[build] layer \"conv\": the last layer must give a vector [K], gives [2, 2, 4]"));
  CHECK(says(misfit(conv + layer("type = \"linear\"\nout_features = 2"), {5, 5, 1}), "a flatten in between"));
  CHECK(
      says(misfit(conv + layer("type = \"max_pool\"\nkernel = 4") + flat, {6, 6, 1}), "layer \"max_pool1\": a window"));
  CHECK(says(misfit(layer("type = \"vote\""), {12}), "12 channels do not divide into groups of 10"));
  CHECK(says(misfit(conv + layer("type = \"add\"\ninputs = [\"conv\", \"input\"]") + flat, {5, 5, 4}), "one shape"));
  CHECK(says(misfit(layer("type = \"linear\"\nout_features = 1000000"), {1'000'000}), "more than 2^32 elements"));
  CHECK(says(misfit(flat, {0, 3, 2}), "none of them 0"));
  CHECK(says(misfit(flat, {2, 3}), "[H, W, C] or [C]"));
}

TEST_CASE("initial parameters lie in +-1/sqrt(fan_in), differ between tensors and depend on the seed only") {
  const NetworkSpec spec = test::spec_of(test::kChain);
  const Network<float> net = build<float>(spec, test::kChainInput, 3);
  const Network<float> again = build<float>(spec, test::kChainInput, 3);
  const Network<double> wide = build<double>(spec, test::kChainInput, 3);
  const Network<float> other = build<float>(spec, test::kChainInput, 4);

  const double bound = 1.0 / std::sqrt(3.0 * 3.0 * 2.0);
  const Tensor<float>& weight = net.tensor("conv1.weight").value;
  double largest = 0.0, mean = 0.0;
  for (const float w : weight.span()) {
    largest = std::max(largest, static_cast<double>(std::abs(w)));
    mean += static_cast<double>(w) / static_cast<double>(weight.size());
  }
  CHECK(weight.shape() == Shape{3, 2, 3, 3});
  CHECK(largest <= bound);
  CHECK(largest > 0.8 * bound);
  // A uniform number in +-bound has the deviation bound / sqrt(3): four of those of the mean.
  CHECK(std::abs(mean) < 4.0 * bound / std::sqrt(3.0 * static_cast<double>(weight.size())));
  CHECK(net.tensor("norm1.gamma").value[2] == 1.0F);
  CHECK(net.tensor("norm1.running_var").value[0] == 1.0F);
  CHECK(net.tensor("norm1.running_mean").value[0] == 0.0F);
  CHECK_FALSE(net.tensor("norm1.running_mean").trained);
  CHECK(net.tensor("conv1.weight").kind == network::TensorKind::weight);
  CHECK(net.tensor("conv2.bias").kind == network::TensorKind::offset);
  CHECK(net.tensor("fc2.weight").value[0] != net.tensor("fc1.weight").value[0]);
  CHECK(weight[0] != other.tensor("conv1.weight").value[0]);
  for (std::ptrdiff_t i = 0; i < weight.size(); ++i) {
    CHECK(weight[i] == again.tensor("conv1.weight").value[i]);
    CHECK(weight[i] == static_cast<float>(wide.tensor("conv1.weight").value[i]));
  }
  CHECK_THROWS_AS(net.tensor("conv9.weight"), ShapeError);
}

TEST_CASE("a learned time constant starts at the configured one and is no synapse") {
  const Network<double> net = build<double>(test::spec_of(test::kLearnedTaus), test::kLearnedTausInput, 3);

  const NamedTensor<double>& first = net.tensor("first.leak_logit");
  CHECK(first.kind == TensorKind::neuron);
  CHECK(first.value[0] == doctest::Approx(-std::log(5.0 / 2.0 - 1.0)).epsilon(1e-14));
  CHECK(1.0 / (1.0 + std::exp(net.tensor("second.leak_logit").value[0])) ==
        doctest::Approx(std::exp(-2.0 / 5.0)).epsilon(1e-14));
}

TEST_CASE("an adaptive neuron learns within bounds, and what makes no sense is named") {
  const Network<float> net = build<float>(test::spec_of(test::kRowNeurons), test::kRowNeuronsInput, 3);
  const NamedTensor<float>& b = net.tensor("symplectic.b");
  CHECK(b.kind == TensorKind::neuron);
  CHECK(b.lowest == 0.0);
  CHECK(b.highest == 2.0);
  CHECK(net.tensor("forward.tau_adapt_share").highest == 1.0);
  CHECK(std::any_of(b.value.span().begin(), b.value.span().end(), [](float value) { return value > 1.0F; }));
  CHECK(std::all_of(b.value.span().begin(), b.value.span().end(), [](float v) { return v >= 0.0F && v <= 2.0F; }));

  CHECK(says(problem(layer("type = \"adlif\"\ntau_mem_max_ms = 4.0")), "test.toml:3: "));
  CHECK(says(problem(layer("type = \"adlif\"\ntau_mem_max_ms = 4.0")), "tau_mem_max_ms: must be at least"));
  CHECK(says(problem(layer("type = \"cuba_lif\"\ntau_syn_ms = 0.5")), "tau_syn_ms: must be at least one tick"));
}

TEST_CASE("a recurrent population has the tensors of its connections, then those of its neurons") {
  const Network<float> net = build<float>(test::spec_of(test::kRecurrentAdaptive), test::kRecurrentInput, 3);
  std::vector<std::string> names;
  for (const NamedTensor<float>& tensor : net.tensors) {
    if (tensor.name.starts_with("delayed.")) names.push_back(tensor.name.substr(8));
  }
  CHECK(names == std::vector<std::string>{"weight", "position", "width", "tau_mem_share", "tau_adapt_share", "a", "b"});
  CHECK(net.tensor("delayed.position").value.shape() == Shape{6, 6, 1});
  CHECK(net.tensor("delayed.position").highest == 1.0);
  CHECK(net.tensor("one_tick.weight").value.shape() == Shape{5, 5});

  CHECK(says(problem(layer("type = \"recurrent\"\nneuron = \"plif\"")), "neuron"));
  CHECK(says(problem(layer("type = \"recurrent\"\nneuron = \"lif\"\nadaptation = 1.0")), "adaptation"));
  CHECK(says(problem(layer("type = \"recurrent\"\ndelays = \"learned\"\nmax_delay_ticks = 3")), "must be even"));
  CHECK(says(misfit(layer("type = \"recurrent\""), {4, 4, 2}), "recurrent needs a vector"));
  CHECK(says(misfit(layer("type = \"recurrent\""), {5000}), "at most 4096 neurons"));
}

TEST_CASE("a description that was made by hand is checked as well") {
  NetworkSpec spec;
  CHECK_THROWS_AS(build<float>(spec, {3}, 1), ShapeError);
  spec.nodes.push_back({"a", {"b"}, LifSpec{}});
  CHECK_THROWS_AS(build<float>(spec, {3}, 1), ShapeError);
  spec.nodes[0].inputs = {};
  CHECK_THROWS_AS(build<float>(spec, {3}, 1), ShapeError);
}
