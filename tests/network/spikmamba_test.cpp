// The named network spikmamba: its size, one block by its worked numbers, its gradients, and what it refuses.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/clocked_runtime.hpp"
#include "network/summary.hpp"
#include "tests/network/gradient_case.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

std::string spikmamba(const std::string& keys) { return "[network]\nbuilder = \"spikmamba\"\n" + keys; }

/// What is wrong with it on images of this shape, or "".
std::string problem(const std::string& keys, const Shape& input = Shape{32, 32, 2}) {
  try {
    const NetworkSpec spec = test::spec_of(spikmamba(keys));
    summarize(spec, input);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::int64_t parameters(const std::string& keys, const Shape& input) {
  return summarize(test::spec_of(spikmamba(keys)), input).parameters;
}

const std::string kNoScan = "[network.scan]\nkind = \"none\"\n";

}  // namespace

TEST_CASE("the attention-only network of 16 frames has 2,012,939 parameters") {
  CHECK(parameters("patch = 4\nclasses = 11\ntime_ticks = 16\n" + kNoScan, Shape{128, 128, 2}) == 2'012'939);
}

TEST_CASE("the network of 8 frames with attention and scan has 2,807,563 parameters") {
  CHECK(parameters("classes = 11\ntime_ticks = 8\n", Shape{128, 128, 2}) == 2'807'563);
}

TEST_CASE("parameters of blocks of either profile follow their formulas, for any width") {
  for (const std::int64_t c : {16, 48}) {
    const std::string base = "patch = 4\nheads = 2\nclasses = 5\ntime_ticks = 7\nwidth = " + std::to_string(c) + "\n";
    const auto block = [&](const std::string& keys) {
      const Shape input{16, 16, 2};
      return parameters("blocks = 3\n" + base + keys, input) - parameters("blocks = 2\n" + base + keys, input);
    };
    CHECK(block(kNoScan) == 13 * c * c + 60 * c);
    CHECK(block("profile = \"spike\"\n" + kNoScan) == 13 * c * c + 53 * c);

    // With the scan: E channels inside, S states, rank R, two directions or one.
    const std::int64_t e = 2 * c, r = (c + 15) / 16, s = 16;
    const std::int64_t hybrid_direction = e * (7 + 2 * r + 3 * s), spike_direction = e * (8 + 2 * r + 3 * s);
    CHECK(block("") == 13 * c * c + 60 * c + 6 * c * c + 4 * e + 2 * hybrid_direction);
    CHECK(block("[network.scan]\naxis = \"time\"\n") == 13 * c * c + 60 * c + 6 * c * c + 4 * e + hybrid_direction);
    CHECK(block("profile = \"spike\"\n[network.scan]\naxis = \"frame\"\n") ==
          13 * c * c + 53 * c + 6 * c * c + 6 * e + 2 * c + 2 * spike_direction);
    CHECK(block("residual = \"separate\"\n") == block("") + 2 * c);
    // Without attention two norms, two filters and the layers of the hidden width are left.
    CHECK(block("[network.mixer]\nkind = \"none\"\n") == 8 * c * c + 29 * c + 6 * c * c + 4 * e + 2 * hybrid_direction);

    const std::int64_t around = c * 2 * 16 + 2 * c + c * (16 + 7) + 5 * (c + 1);
    const auto whole = [&](const std::string& keys) { return parameters("blocks = 1\n" + base + keys, {16, 16, 2}); };
    CHECK(whole(kNoScan) == 13 * c * c + 60 * c + around + 2 * c);
    CHECK(whole("profile = \"spike\"\n" + kNoScan) == 13 * c * c + 53 * c + around);
  }
}

TEST_CASE("settings of spikmamba that contradict each other name the key") {
  const std::string base = "patch = 8\nclasses = 3\ntime_ticks = 4\n";
  CHECK(problem(base + kNoScan).empty());
  CHECK(says(problem(base + "width = 100\n" + kNoScan), "network.heads: must divide the width 100, got 8"));
  CHECK(says(problem(base + "width = 18\nheads = 2\n" + kNoScan), "network.width: must be a multiple of 4"));
  CHECK(says(problem(base + "width = 12\nheads = 2\n" + kNoScan + "[network.mixer]\nrope = \"head\"\n"),
             "network.heads: with mixer.rope = \"head\""));
  CHECK(says(problem(base + kNoScan, Shape{36, 32, 2}), "layer \"patch\": windows of 8 at a distance of 8 leave out"));
  CHECK(
      says(problem(base + "[network.mixer]\nfeature = \"spike\"\nrope = \"model\"\n"), "network.mixer.rope: must be"));
  CHECK(says(problem(base + "profile = \"spike\"\n[network.mixer]\nfeature = \"shift\"\n"),
             "network.mixer.feature: network.profile = \"spike\" needs"));
  CHECK(says(problem(base + kNoScan + "[network.mixer]\ndecay = \"head\"\n"), "network.mixer.decay: \"head\" needs"));
  CHECK(says(problem(base + kNoScan + "[network.mixer]\ndecay = \"head\"\n[network.window]\ncausal = true\n"),
             "network.window.size: mixer.decay = \"head\" needs a window without limit in time (0), got 1"));
  CHECK(says(problem(base + kNoScan + "[network.window]\nsize = [1, 8]\n"), "network.window.size: must be [t, y, x]"));
  CHECK(says(problem(base + kNoScan + "[network.window]\nsize = [1, 8, 2.5]\n"), "network.window.size: must be whole"));
  CHECK(says(problem(base + "profile = \"spike\"\ncpe2 = false\n" + kNoScan), "cpe2"));
  CHECK(says(problem("patch = 8\nclasses = 3\n" + kNoScan), "time_ticks"));
  CHECK(says(problem("patch = 8\ntime_ticks = 3\n" + kNoScan), "classes"));
  CHECK(says(problem(base + "[[network.layers]]\ntype = \"lif\"\n"), "network.layers: a network is built by name or"));
}

namespace {

/// One attention block without what stands before and behind it: spikmamba's own nodes between its table of positions
/// and its head, reading the input. The head takes the mean over tokens.
NetworkSpec one_block(const std::string& keys) {
  NetworkSpec spec = test::spec_of(spikmamba("blocks = 1\npatch = 1\nclasses = 2\npos_time = false\n" + keys));
  const auto is_before = [](const NodeSpec& node) { return !node.name.starts_with("b1_") && node.name != "mean"; };
  std::string last;
  for (const NodeSpec& node : spec.nodes) {
    if (node.name.starts_with("b1_")) last = node.name;
  }
  std::erase_if(spec.nodes, is_before);
  for (NodeSpec& node : spec.nodes) {
    for (std::string& input : node.inputs) {
      if (input == "position") input = kInputName;
      if (node.name == "mean") input = last;
    }
  }
  return spec;
}

/// The sum of a node's spikes in the last pass.
using SpikeCounts = std::map<std::string, std::int64_t>;

template <class Scalar>
SpikeCounts count_spikes(ClockedRuntime<Scalar>& runtime, View<const Scalar> x) {
  SpikeCounts counts;
  runtime.watch_spikes([&](int node, View<const std::uint8_t> spikes) {
    for (const std::uint8_t s : spikes.span())
      counts[runtime.network().spec.nodes[static_cast<std::size_t>(node)].name] += s;
  });
  runtime.forward(x, Mode::eval, {});
  runtime.watch_spikes(nullptr);
  return counts;
}

/// Element k of tensor m is 0.5 sin(1 + k + 10 m); the batch norms amplify.
template <class Scalar>
void set_worked_parameters(Network<Scalar>& net) {
  static constexpr std::array kNames{"cpe1", "gate_map", "in",   "filter", "q_map", "k_map",
                                     "lepe", "out",      "cpe2", "mlp1",   "mlp2"};
  int m = 0;
  for (const char* name : kNames) {
    for (const char* part : {"weight", "bias"}) {
      Tensor<Scalar>& tensor = net.tensor(std::string("b1_") + name + "." + part).value;
      for (std::ptrdiff_t k = 0; k < tensor.size(); ++k) {
        tensor[k] = static_cast<Scalar>(0.5 * std::sin(1.0 + static_cast<double>(k) + 10.0 * m));
      }
      ++m;
    }
  }
  for (const char* name : {"q", "k", "o"}) {
    const std::string norm = std::string("b1_") + name + "_norm.";
    for (Scalar& value : net.tensor(norm + "gamma").value.span()) value = Scalar(4);
    for (Scalar& value : net.tensor(norm + "beta").value.span()) value = Scalar(0.5);
  }
}

/// The network up to a node, whose mean over tokens is its output.
NetworkSpec cut_after(NetworkSpec spec, const std::string& name) {
  const auto at = std::find_if(spec.nodes.begin(), spec.nodes.end(), [&](const NodeSpec& n) { return n.name == name; });
  REQUIRE(at != spec.nodes.end());
  spec.nodes.erase(at + 1, spec.nodes.end());
  spec.nodes.push_back({"flat", {name}, FlattenSpec{}});
  return spec;
}

/// What a node gives, [T, B, H, W, C].
template <class Scalar>
std::vector<Scalar> output_of(const NetworkSpec& block, const std::string& name, const Tensor<Scalar>& x) {
  Network<Scalar> net = build<Scalar>(cut_after(block, name), x.shape().drop_front(2), 1);
  Network<Scalar> whole = build<Scalar>(block, x.shape().drop_front(2), 1);
  set_worked_parameters(whole);
  for (NamedTensor<Scalar>& tensor : net.tensors) {
    const auto from = whole.tensor(tensor.name).value.span();
    std::copy(from.begin(), from.end(), tensor.value.data());
  }
  ClockedRuntime<Scalar> runtime(net);
  const View<const Scalar> flat = runtime.forward(x.view(), Mode::eval, {});
  // flatten puts channels first.
  const Shape image = x.shape().drop_front(2);
  const std::ptrdiff_t pixels = image[0] * image[1], channels = image[2], frame = image.size();
  std::vector<Scalar> result(static_cast<std::size_t>(flat.size()));
  for (std::ptrdiff_t i = 0; i < flat.size(); ++i) {
    const std::ptrdiff_t at = i % frame;
    result[static_cast<std::size_t>(i - at + at % pixels * channels + at / pixels)] = flat[i];
  }
  return result;
}

template <class Scalar>
Tensor<Scalar> worked_input() {
  Tensor<Scalar> x(Shape{3, 1, 4, 4, 8});
  for (std::ptrdiff_t k = 0; k < x.size(); ++k) x[k] = static_cast<Scalar>(std::sin(0.3 * static_cast<double>(k)));
  return x;
}

struct Worked {
  int window, shift;
  std::int64_t q, k, o;
  double sum_attention;
  std::array<double, 4> attention;
  double sum_x;
  std::array<double, 4> x;
};
/// From an implementation of the definition in numpy, float64.
const std::array<Worked, 3> kWorked = {Worked{4,
                                              0,
                                              110,
                                              110,
                                              139,
                                              47.523844,
                                              {0.1044000, 0.4702020, -0.0205795, -0.0920933},
                                              256.664198,
                                              {-1.5142575, 0.0608977, 1.5595237, 2.0213789}},
                                       Worked{2,
                                              0,
                                              110,
                                              110,
                                              139,
                                              73.467264,
                                              {0.2065010, 0.8201628, -0.0944478, -0.1269229},
                                              254.248498,
                                              {-1.5199543, 0.0493108, 1.5453136, 1.9687036}},
                                       Worked{2,
                                              1,
                                              110,
                                              110,
                                              143,
                                              75.457319,
                                              {0.6326752, -0.0920601, -0.1807992, 0.1062524},
                                              257.683783,
                                              {-1.5199543, 0.0493108, 1.5453136, 1.9687036}}};

NetworkSpec worked_block(const Worked& worked) {
  NetworkSpec spec = one_block("width = 8\nheads = 2\n" + kNoScan);
  for (NodeSpec& node : spec.nodes) {
    if (auto* attention = std::get_if<AttentionSpec>(&node.operation)) {
      attention->mixer.window_size = {1, worked.window, worked.window};
      attention->mixer.window_shift = {0, worked.shift, worked.shift};
    }
  }
  return spec;
}

template <class Scalar>
void check_worked(const Worked& worked, double tolerance) {
  const NetworkSpec block = worked_block(worked);
  const Tensor<Scalar> x = worked_input<Scalar>();
  Network<Scalar> net = build<Scalar>(block, x.shape().drop_front(2), 1);
  set_worked_parameters(net);
  ClockedRuntime<Scalar> runtime(net);
  SpikeCounts counts = count_spikes<Scalar>(runtime, x.view());
  CHECK(counts["b1_q"] == worked.q);
  CHECK(counts["b1_k"] == worked.k);
  CHECK(counts["b1_o"] == worked.o);

  const auto sum = [](const std::vector<Scalar>& values) {
    double total = 0.0;
    for (const Scalar value : values) total += static_cast<double>(value);
    return total;
  };
  const auto attention = output_of(block, "b1_attention", x);
  CHECK(std::abs(sum(attention) - worked.sum_attention) <= 384 * tolerance);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(std::abs(static_cast<double>(attention[i]) - worked.attention[i]) <= tolerance);
  }
  const auto out = output_of(block, "b1_x4", x);
  CHECK(std::abs(sum(out) - worked.sum_x) <= 384 * tolerance);
  // x[2, 0, 15, 0..3], tokens counted row by row.
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(std::abs(static_cast<double>(out[2 * 128 + 15 * 8 + i]) - worked.x[i]) <= tolerance);
  }
}

}  // namespace

TEST_CASE("an attention block gives the spikes, sums and values of the definition's worked example") {
  for (const Worked& worked : kWorked) {
    CAPTURE(worked.window);
    CAPTURE(worked.shift);
    check_worked<double>(worked, 6e-8);  // the digits that are printed
    check_worked<float>(worked, 1.3e-6);
  }
}

TEST_CASE("gradients of a block of either profile, with shifted windows and scans, equal finite differences") {
  for (const char* settings :
       {"hybrid\"\n[network.scan]\nkind = \"none\"\n", "spike\"\n[network.scan]\nkind = \"none\"\n",
        "hybrid\"\n[network.scan]\nstate = 3\n", "spike\"\n[network.scan]\nstate = 3\naxis = \"frame\"\n"}) {
    CAPTURE(settings);
    const std::string keys =
        std::string("width = 8\nheads = 2\nprofile = \"") + settings + "[network.neuron]\nsurrogate_alpha = 2.0\n";
    NetworkSpec spec = one_block(keys);
    for (NodeSpec& node : spec.nodes) {
      if (auto* lif = std::get_if<LifSpec>(&node.operation)) lif->config.detach_reset = false;
      if (auto* attention = std::get_if<AttentionSpec>(&node.operation)) {
        attention->mixer.window_size = {1, 2, 2};
        attention->mixer.window_shift = {0, 1, 1};
      }
    }
    test::GradientCase block(spec, Shape{4, 4, 8});
    block.check_all({"q_map.bias", "k_map.bias", "lepe.bias"});  // each in front of a batch norm
  }
}

TEST_CASE("the logits of a clip do not depend on its batch, bit for bit, in either profile") {
  for (const char* profile : {"hybrid", "spike"}) {
    const Shape tick{16, 16, 2};
    Network<float> net =
        build<float>(test::spec_of(spikmamba(std::string("profile = \"") + profile +
                                             "\"\npatch = 4\nwidth = 24\nheads = 3\nclasses = 5\ntime_ticks = 3\n" +
                                             "[network.mixer]\nrope = \"none\"\n[network.window]\nsize = [1, 3, 3]\n")),
                     tick, 3);
    constexpr std::ptrdiff_t kTicks = 3, kBatch = 5;
    const auto all = test::random_counts(test::over_time(tick, kTicks, kBatch), 0.4, 4, 3);
    ClockedRuntime<float> runtime(net);
    const View<const float> logits = runtime.forward(all.view(), Mode::eval, {});
    const std::vector<float> together(logits.span().begin(), logits.span().end());

    for (std::ptrdiff_t b = 0; b < kBatch; ++b) {
      Tensor<float> one(test::over_time(tick, kTicks, 1));
      for (std::ptrdiff_t t = 0; t < kTicks; ++t) {
        std::copy_n(all.data() + (t * kBatch + b) * tick.size(), tick.size(), one.data() + t * tick.size());
      }
      const View<const float> alone = runtime.forward(one.view(), Mode::eval, {});
      for (std::ptrdiff_t i = 0; i < kTicks * 5; ++i) {
        CHECK(alone[i] == together[static_cast<std::size_t>((i / 5 * kBatch + b) * 5 + i % 5)]);
      }
    }
  }
}
