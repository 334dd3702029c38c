// Nodes along sequences of tokens: what they are made of, what they count, and that they are PyTorch's.
#include <algorithm>
#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/clocked_runtime.hpp"
#include "network/event_program.hpp"
#include "network/op_count.hpp"
#include "network/summary.hpp"
#include "synapses/flatten.hpp"
#include "tests/network/golden_file.hpp"
#include "tests/network/scan_networks.hpp"
#include "tests/network/small_networks.hpp"
#include "tests/reference/sequence_rows.hpp"
#include "tests/support/sequence_orders.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

std::string order_keys(SequenceOrder order) {
  const std::string text = test::order_text(order);
  const std::size_t slash = text.find('/');
  return "axis = \"" + text.substr(0, slash) + "\"\ndirection = \"" + text.substr(slash + 1) + "\"\n";
}

/// A network of one node on images, with the parameters of a case of the file.
template <class Scalar>
Network<Scalar> network_of_node(const std::string& node, const Shape& input, const Hdf5File& file,
                                const std::vector<std::pair<std::string, std::string>>& parameters) {
  const std::string toml =
      "[network]\n[[network.layers]]\nname = \"node\"\n" + node + "[[network.layers]]\ntype = \"flatten\"\n";
  Network<Scalar> net = build<Scalar>(test::spec_of(toml), input, 1);
  for (const auto& [ours, theirs] : parameters) {
    net.tensor("node." + ours).value = test::read_golden<Scalar>(file, theirs);
  }
  return net;
}

/// As the network gives it: [T, B, C H W].
template <class Scalar>
Tensor<Scalar> flattened(const Tensor<Scalar>& x) {
  Tensor<Scalar> result({x.shape()[0], x.shape()[1], x.shape().size_from(2)});
  synapses::flatten_forward<Scalar>(x.view(), result.view());
  return result;
}

/// Runs it both ways and compares with what the file has.
template <class Scalar>
void check_node(Network<Scalar> net, const Hdf5File& file, const std::string& name, const std::string& x_key,
                const std::string& y_key, const std::vector<std::pair<std::string, std::string>>& parameters) {
  ClockedRuntime<Scalar> runtime(net);
  runtime.want_input_grad(true);
  const Tensor<Scalar> x = test::read_golden<Scalar>(file, name + x_key);
  const auto check = [&](const std::string& key, View<const Scalar> ours) {
    CAPTURE(key);
    auto theirs = test::read_golden<double>(file, name + key);
    if (key == y_key) theirs = flattened(theirs);
    const auto [largest, error] = test::difference<Scalar>(theirs, ours);
    CHECK(error <= 1e-5 * largest);
  };

  const View<const Scalar> y = runtime.forward(x.view(), Mode::train, {});
  check(y_key, y);
  const std::string grad_key = y_key == "y" ? "grad_y" : "grad/" + y_key;
  runtime.backward(flattened(test::read_golden<Scalar>(file, name + grad_key)).view());
  check("grad/" + x_key, runtime.input_grad());
  for (const auto& [ours, theirs] : parameters) {
    for (std::size_t i = 0; i < net.tensors.size(); ++i) {
      if (net.tensors[i].name == "node." + ours) check("grad/" + theirs, runtime.gradients()[i]);
    }
  }
}

/// The convolution's products one by one: with taps and inputs that are not 0, and all.
struct Products {
  std::uint64_t dense = 0, effective = 0;
};
Products products_of(const Tensor<float>& x, const Tensor<float>& w, SequenceOrder order) {
  Products result;
  const std::ptrdiff_t channels = w.shape()[0], taps = w.shape()[1];
  for (const auto& rows : test::sequence_rows(x.shape(), order)) {
    for (std::size_t l = 0; l < rows.size(); ++l) {
      for (std::size_t back = 0; back < static_cast<std::size_t>(taps) && back <= l; ++back) {
        for (std::ptrdiff_t e = 0; e < channels; ++e) {
          const float tap = w[e * taps + taps - 1 - static_cast<std::ptrdiff_t>(back)];
          ++result.dense;
          if (tap != 0.0F && x[rows[l - back] * channels + e] != 0.0F) ++result.effective;
        }
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("the nodes of a Mamba block and their gradients are those of PyTorch", Scalar, float, double) {
  const Hdf5File file = test::open_golden("selective_scan_torch/scan.h5");
  for (const std::string size : {"odd", "one_tick", "one_token", "long_clip", "long_time"}) {
    for (const SequenceOrder order : test::all_orders()) {
      const std::string name = size + "/" + test::order_text(order) + "/";
      if (!file.has(name + "e")) continue;
      CAPTURE(name);
      const Shape input = file.shape(name + "e").drop_front(2);
      const Shape projection = file.shape(name + "x_proj"), steps = file.shape(name + "dt_proj");
      const auto of_case = [&](std::vector<std::pair<std::string, std::string>> parameters) {
        for (auto& [ours, theirs] : parameters) theirs = name + theirs;
        return parameters;
      };
      const std::vector<std::pair<std::string, std::string>> of_conv{{"weight", "conv.weight"}, {"bias", "conv.bias"}};
      check_node(
          network_of_node<Scalar>("type = \"causal_conv1d\"\n" + order_keys(order), input, file, of_case(of_conv)),
          file, name, "e", "conv", of_conv);
      const std::vector<std::pair<std::string, std::string>> of_scan{{"x_proj.weight", "x_proj"},
                                                                     {"dt_proj.weight", "dt_proj"},
                                                                     {"dt_proj.bias", "dt_bias"},
                                                                     {"A_log", "a_log"},
                                                                     {"D", "d"}};
      const std::string keys =
          "state = " + std::to_string((projection[0] - steps[1]) / 2) + "\nrank = " + std::to_string(steps[1]) + "\n";
      check_node(network_of_node<Scalar>("type = \"selective_scan\"\n" + order_keys(order) + keys, input, file,
                                         of_case(of_scan)),
                 file, name, "u", "y", of_scan);
    }
  }
}

TEST_CASE("a selective scan starts with the rates 1 to N and steps from .001 to .1, and decays neither") {
  const Network<float> net = test::network_of(R"(
[[network.layers]]
type = "selective_scan"
name = "scan"
[[network.layers]]
type = "mean_tokens"
)",
                                              {2, 2, 500});
  const Tensor<float>& bias = net.tensor("scan.dt_proj.bias").value;
  double sum = 0.0;
  for (const float value : bias.span()) {
    const double step = std::log1p(std::exp(static_cast<double>(value)));
    CHECK(step >= 1e-3 * (1.0 - 1e-5));
    CHECK(step <= 1e-1 * (1.0 + 1e-5));
    sum += std::log10(step);
  }
  // Uniform on [-3, -1]: standard deviation 2 / sqrt(12); five standard errors.
  CHECK(std::abs(sum / 500.0 + 2.0) <= 5.0 * 2.0 / std::sqrt(12.0 * 500.0));
  const Tensor<float>& a_log = net.tensor("scan.A_log").value;
  CHECK(a_log.shape() == Shape{500, 16});
  for (std::ptrdiff_t i = 0; i < a_log.size(); ++i) {
    CHECK(a_log[i] == static_cast<float>(std::log(static_cast<double>(i % 16 + 1))));
  }
  for (const std::string name : {"scan.A_log", "scan.D", "scan.dt_proj.bias"}) {
    CHECK(net.tensor(name).kind == TensorKind::offset);
  }
  CHECK(net.tensor("scan.x_proj.weight").value.shape() == Shape{16 + 32, 500});
}

TEST_CASE("parameters of both directions are those of the formula of SpikMamba") {
  // C = 256, E = 512, S = 16, R = 16: 2 E (7 + 2 R + 3 S), the convolution included.
  std::string layers;
  for (const std::string direction : {"forward", "backward"}) {
    layers += "[[network.layers]]\ntype = \"causal_conv1d\"\ninputs = [\"input\"]\ndirection = \"" + direction +
              "\"\n[[network.layers]]\ntype = \"selective_scan\"\nname = \"" + direction + "\"\ndirection = \"" +
              direction + "\"\n";
  }
  layers += "[[network.layers]]\ntype = \"add\"\ninputs = [\"forward\", \"backward\"]\n";
  layers += "[[network.layers]]\ntype = \"mean_tokens\"\n";
  const Summary summary = summarize(test::spec_of("[network]\n" + layers), {16, 16, 512});

  CHECK(summary.parameters == 2 * 512 * (7 + 2 * 16 + 3 * 16));
  // 256 tokens: both directions (4 N E + N E (R + 2 S) + N R E + 3 N E S + N E).
  CHECK(summary.macs_per_tick == 2.0 * 256.0 * 512.0 * (4 + (16 + 32) + 16 + 48 + 1));
}

TEST_CASE("the convolution along a sequence counts the products within it") {
  for (const Shape& shape : {Shape{3, 2, 2, 3, 4}, Shape{5, 1, 1, 1, 2}, Shape{1, 2, 3, 3, 3}}) {
    for (const SequenceOrder order : test::all_orders()) {
      CAPTURE(test::order_text(order));
      const Tensor<float> x = test::random_counts(shape, 0.5, 3);
      Tensor<float> w = test::random_tensor<float>({shape.channels(), 4}, 5, -1.0, 1.0);
      w[1] = w[4] = 0.0F;
      const Products expected = products_of(x, w, order);
      LayerLedger record;

      count_causal_conv1d<float>({x.shape(), x.data(), nullptr, Device::cpu}, order, w.view(), true, record);

      CHECK(record.dense_synops == expected.dense);
      CHECK(record.eff_unit == expected.effective);
      CHECK(record.nb_acs == expected.effective);
      CHECK(record.exec_macs == expected.dense);
      CHECK(record.sizes.zero_weights == 2);
    }
  }
}

TEST_CASE("a scan counts an exponential for every state and step") {
  Network<float> net = build<float>(test::spec_of(test::scan_network("time")), test::kScanInput, 5);
  ClockedRuntime<float> runtime(net);
  OpLedger ledger;
  runtime.count_into(&ledger);
  const auto x = test::random_tensor<float>(test::over_time(test::kScanInput, 4, 3), 8, 0.0, 2.0);

  runtime.forward(x.view(), Mode::eval, {});

  const auto layer =
      std::find_if(ledger.layers.begin(), ledger.layers.end(), [](const LayerLedger& l) { return l.name == "back"; });
  constexpr std::uint64_t kElements = 4 * 3 * (3 * 2) * 5;  // T B tokens E
  CHECK(layer->exp == kElements * (3 + 1));
  CHECK(layer->log == kElements);
  CHECK(layer->mul == kElements * (4 * 3 + 2));
  CHECK(layer->state_rd == kElements * 3 * sizeof(float));
  CHECK(layer->sizes.state_bytes == 6 * 5 * 3 * sizeof(float));
  // W_p: 2 + 6 rows of 5, W_dt: 5 rows of 2.
  CHECK(layer->dense_synops == 4 * 3 * 6 * (8 * 5 + 5 * 2));
  CHECK(layer->sizes.weights == 8 * 5 + 5 * 2);
}

TEST_CASE("a clip's logits do not depend on its batch, bit for bit, with scans on every axis") {
  for (const std::string axis : {"tokens", "frame", "time"}) {
    CAPTURE(axis);
    Network<float> net = build<float>(test::spec_of(test::scan_network(axis)), test::kScanInput, 3);
    constexpr std::ptrdiff_t kTicks = 5, kBatch = 3;
    const auto all = test::random_tensor<float>(test::over_time(test::kScanInput, kTicks, kBatch), 4, 0.0, 2.0);
    ClockedRuntime<float> runtime(net);
    const View<const float> logits = runtime.forward(all.view(), Mode::eval, {});
    const std::vector<float> together(logits.span().begin(), logits.span().end());

    const std::ptrdiff_t frame = test::kScanInput.size(), classes = net.node_shapes.back().size();
    for (std::ptrdiff_t b = 0; b < kBatch; ++b) {
      Tensor<float> one(test::over_time(test::kScanInput, kTicks, 1));
      for (std::ptrdiff_t t = 0; t < kTicks; ++t) {
        std::copy_n(all.data() + (t * kBatch + b) * frame, frame, one.data() + t * frame);
      }
      const View<const float> alone = runtime.forward(one.view(), Mode::eval, {});
      for (std::ptrdiff_t t = 0; t < kTicks; ++t) {
        CHECK(std::equal(alone.data + t * classes, alone.data + (t + 1) * classes,
                         together.data() + (t * kBatch + b) * classes));
      }
    }
  }
}

TEST_CASE("wrong keys of the nodes along sequences are named") {
  const auto problem = [](const std::string& keys) -> std::string {
    try {
      test::network_of("[[network.layers]]\n" + keys + "\n[[network.layers]]\ntype = \"mean_tokens\"\n", {2, 2, 3});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto names = [&](const std::string& keys, const std::string& key) {
    return problem(keys).find(key) != std::string::npos;
  };
  CHECK(problem("type = \"selective_scan\"").empty());
  CHECK(names("type = \"selective_scan\"\naxis = \"rows\"", "axis"));
  CHECK(names("type = \"selective_scan\"\nstate = 0", "state"));
  CHECK(names("type = \"selective_scan\"\nstate = 1000", "state"));
  CHECK(names("type = \"causal_conv1d\"\nkernel = 100", "kernel"));
  CHECK(names("type = \"causal_conv1d\"\ndirection = \"up\"", "direction"));
  const Network<float> net = build<float>(test::spec_of(test::scan_network("time")), test::kScanInput, 1);
  CHECK_THROWS_AS(make_event_program(net), ShapeError);
}
