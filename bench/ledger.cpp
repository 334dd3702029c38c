/// What it costs to count: an evaluation pass with and without a ledger, by the share of inputs that are not 0 (per
/// mille). The network is that of DVS128 Gesture with 32 channels, 64x64 pixels, T = 16, batch 4.
#include <benchmark/benchmark.h>

#include "core/config.hpp"
#include "core/op_ledger.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "network/clocked_runtime.hpp"

namespace synfire {

namespace {

network::NetworkSpec gesture_network() {
  std::string toml =
      "[network]\ndt_ms = 10.0\n[network.conv2d]\nchannels = 32\npadding = 1\n[network.lif]\nv_th = 0.5\n";
  for (int block = 0; block < 4; ++block) {
    for (const char* type : {"conv2d", "batch_norm", "lif", "max_pool"}) {
      toml += std::string("[[network.layers]]\ntype = \"") + type + "\"\n";
    }
  }
  toml += R"([[network.layers]]
type = "flatten"
[[network.layers]]
type = "linear"
out_features = 512
[[network.layers]]
type = "lif"
[[network.layers]]
type = "linear"
out_features = 110
[[network.layers]]
type = "lif"
[[network.layers]]
type = "vote"
)";
  const Config config = Config::parse(toml, "bench.toml");
  return network::read_network_spec(config.root().table("network"));
}

void evaluate(benchmark::State& state) {
  set_num_threads(1);
  network::Network<float> net = network::build<float>(gesture_network(), Shape{64, 64, 2}, 1);
  Tensor<float> input(Shape{16, 4, 64, 64, 2});
  const RandomStream random(1, 0, 0);
  for (std::ptrdiff_t i = 0; i < input.size(); ++i) {
    input[i] =
        random.uniform(static_cast<std::uint64_t>(i)) < static_cast<double>(state.range(0)) / 1000.0 ? 1.0F : 0.0F;
  }
  network::ClockedRuntime<float> runtime(net);
  OpLedger ledger;
  if (state.range(1) != 0) runtime.count_into(&ledger);
  for ([[maybe_unused]] auto _ : state) runtime.forward(input.view(), network::Mode::eval, {});
}
BENCHMARK(evaluate)
    ->ArgNames({"per_mille", "count"})
    ->ArgsProduct({{10, 50, 200}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace synfire
