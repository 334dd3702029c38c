#include "network/summary.hpp"

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/clocked_runtime.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;

TEST_CASE("a summary counts parameters and multiply-accumulates of each layer") {
  const Summary summary = summarize(test::spec_of(test::kChain), test::kChainInput);

  REQUIRE(summary.nodes.size() == 15);
  const NodeSummary& conv1 = summary.nodes[0];
  CHECK(conv1.name == "conv1");
  CHECK(conv1.type == "conv2d");
  CHECK(conv1.detail == "3x3, stride 1, padding 1");
  CHECK(conv1.output == Shape{7, 6, 3});
  CHECK(conv1.parameters == 3 * 2 * 3 * 3);
  CHECK(conv1.macs_per_tick == 7 * 6 * 3 * (2 * 3 * 3));
  CHECK(summary.nodes[1].parameters == 2 * 3);  // the running averages are not trained
  CHECK(summary.nodes[4].output == Shape{2, 2, 4});
  CHECK(summary.nodes[4].parameters == 4 * 3 * 2 * 2 + 4);
  CHECK(summary.nodes[12].macs_per_tick == 6 * 6);
  CHECK(summary.parameters == 54 + 6 + 52 + 8 + 6 * 4 + 6 * 6 + 6);
  CHECK(summary.macs_per_tick == 7 * 6 * 3 * 18 + 2 * 2 * 4 * 12 + 4 * 6 + 6 * 6);
  CHECK_THROWS_AS(summarize(test::spec_of(test::kChain), {1, 1, 2}), ShapeError);
}

TEST_CASE("kept bytes are those of currents, spikes and the inputs of synapses") {
  Network<float> net = build<float>(test::spec_of(test::kChain), test::kChainInput, 1);
  const ClockedRuntime<float> runtime(net);

  constexpr std::ptrdiff_t kFrames = 4 * 16;
  const std::vector<std::size_t> kept = runtime.kept_bytes(4, 16);

  CHECK(kept[0] == 4 * kFrames * 7 * 6 * 3);  // conv1: the current of lif1, before its batch norm
  CHECK(kept[1] == 6 * 4 * 3);                // norm1: rows of 3 channels
  CHECK(kept[2] == kFrames * 7 * 6 * 3);      // lif1: bytes, for the pool
  CHECK(kept[3] == kFrames * 3 * 3 * 3);      // max_pool: bytes, for conv2
  CHECK(kept[7] == 0);                        // avg_pool: flatten does not look back
  CHECK(kept[9] == 4 * kFrames * 4);          // dropout: the input of fc1
  CHECK(kept[10] == 4 * kFrames * 6);         // fc1: the current of lif3
  CHECK(kept[14] == 4 * kFrames * 3);         // the output of the network
}

TEST_CASE("a training step of the DVS128 Gesture network needs 1.3 GiB in one block, most of it its first layer") {
  std::string toml = "[network]\n";
  for (int i = 0; i < 5; ++i) {
    toml +=
        "[[network.layers]]\ntype = \"conv2d\"\nchannels = 32\npadding = 1\n[[network.layers]]\ntype = "
        "\"batch_norm\"\n";
    toml += "[[network.layers]]\ntype = \"lif\"\n[[network.layers]]\ntype = \"max_pool\"\n";
  }
  toml += "[[network.layers]]\ntype = \"flatten\"\n[[network.layers]]\ntype = \"linear\"\nout_features = 11\n";
  Network<float> net = build<float>(test::spec_of(toml), {128, 128, 2}, 1);
  const ClockedRuntime<float> runtime(net);

  const std::size_t bytes = runtime.planned_bytes(16, 16, Mode::train);

  // When the gradient of the first spikes is made: the current, those spikes, their gradient, and that of the pool.
  const double first = 256.0 * 128 * 128 * 32 * (4 + 1 + 4 + 1);
  CHECK(static_cast<double>(bytes) >= first);
  CHECK(static_cast<double>(bytes) <= 1.05 * first);
  CHECK(runtime.planned_bytes(16, 16, Mode::eval) < bytes * 11 / 20);
}
