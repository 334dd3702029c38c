// Counts against those of NeuroBench itself, on layers that it counts right: tests/data/neurobench.
#include <fstream>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "network/clocked_runtime.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;
using nlohmann::json;

namespace {

json golden() {
  std::ifstream file(std::string(SYNFIRE_SOURCE_DIR) + "/tests/data/neurobench/neurobench.json");
  return json::parse(file);
}

/// The case's layers as nodes "layer0", "layer1", ...; linear layers read a flattened image.
NetworkSpec spec_of_case(const json& layers, bool image) {
  std::string toml = "[network]\n";
  bool flat = !image;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const json& layer = layers[i];
    const auto type = layer.at("type").get<std::string>();
    const std::string head = fmt::format("[[network.layers]]\nname = \"layer{}\"\n", i);
    if (type == "Linear") {
      if (!flat) toml += "[[network.layers]]\ntype = \"flatten\"\n";
      flat = true;
      toml += fmt::format("{}type = \"linear\"\nout_features = {}\nbias = {}\n", head,
                          layer.at("weight_shape")[0].get<int>(), layer.at("bias").get<bool>());
    } else if (type == "Conv2d") {
      toml += fmt::format("{}type = \"conv2d\"\nchannels = {}\nkernel = {}\nstride = {}\npadding = {}\nbias = {}\n",
                          head, layer.at("weight_shape")[0].get<int>(), layer.at("kernel_size").get<int>(),
                          layer.at("stride").get<int>(), layer.at("padding").get<int>(), layer.at("bias").get<bool>());
    } else {
      toml += fmt::format("{}type = \"{}\"\nkernel = {}\n", head, type == "MaxPool2d" ? "max_pool" : "avg_pool",
                          layer.at("kernel_size").get<int>());
    }
  }
  if (!flat) toml += "[[network.layers]]\ntype = \"flatten\"\n";
  return test::spec_of(toml);
}

/// Samples [first, first + count) of [N, T, C, H, W] or [N, T, C], as the runtime reads them.
Tensor<float> batch_of(const json& of_case, std::ptrdiff_t first, std::ptrdiff_t count) {
  const auto shape = of_case.at("input_shape").get<std::vector<std::ptrdiff_t>>();
  const auto values = of_case.at("input").get<std::vector<float>>();
  const bool image = shape.size() == 5;
  const std::ptrdiff_t ticks = shape[1], channels = shape[2], h = image ? shape[3] : 1, w = image ? shape[4] : 1;
  Tensor<float> batch(image ? Shape{ticks, count, h, w, channels} : Shape{ticks, count, channels});
  std::ptrdiff_t at = 0;
  for (std::ptrdiff_t t = 0; t < ticks; ++t) {
    for (std::ptrdiff_t b = 0; b < count; ++b) {
      for (std::ptrdiff_t pixel = 0; pixel < h * w; ++pixel) {
        for (std::ptrdiff_t c = 0; c < channels; ++c) {
          const std::ptrdiff_t from = (((first + b) * ticks + t) * channels + c) * h * w + pixel;
          batch[at++] = values[static_cast<std::size_t>(from)];
        }
      }
    }
  }
  return batch;
}

}  // namespace

TEST_CASE("synaptic operations equal NeuroBench's, in batches of 1 and of 8") {
  const json file = golden();
  std::uint64_t macs = 0;
  for (const json& of_case : file.at("cases")) {
    CAPTURE(of_case.at("name").get<std::string>());
    const auto shape = of_case.at("input_shape").get<std::vector<std::ptrdiff_t>>();
    const Shape tick = shape.size() == 5 ? Shape{shape[3], shape[4], shape[2]} : Shape{shape[2]};
    const json& layers = of_case.at("layers");
    Network<float> net = build<float>(spec_of_case(layers, shape.size() == 5), tick, 1);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (!layers[i].contains("weight")) continue;
      const auto weight = layers[i].at("weight").get<std::vector<float>>();
      const std::span<float> ours = net.tensor(fmt::format("layer{}.weight", i)).value.span();
      REQUIRE(ours.size() == weight.size());
      std::copy(weight.begin(), weight.end(), ours.begin());
    }

    for (const json& run : of_case.at("runs")) {
      const auto batch = run.at("batch").get<std::ptrdiff_t>();
      CAPTURE(batch);
      ClockedRuntime<float> runtime(net);
      OpLedger ledger;
      runtime.count_into(&ledger);
      for (std::ptrdiff_t first = 0; first < shape[0]; first += batch) {
        runtime.forward(batch_of(of_case, first, batch).view(), Mode::eval, {});
      }

      // Its sums of float32 are exact below 2^24, and a mean over 8 samples is exact, too.
      const NeuroBenchNumbers nb = neurobench_numbers(ledger);
      CHECK(nb.effective_acs == run.at("Effective_ACs").get<double>());
      CHECK(nb.effective_macs == run.at("Effective_MACs").get<double>());
      CHECK(nb.dense == run.at("Dense").get<double>());
      CHECK(nb.connection_sparsity == doctest::Approx(run.at("ConnectionSparsity").get<double>()).epsilon(1e-12));
      CHECK(nb.parameter_count == run.at("ParameterCount").get<std::uint64_t>());
      macs += ledger.total().nb_macs;
    }
  }
  CHECK(macs > 0);
}
