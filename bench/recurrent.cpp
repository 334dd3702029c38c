#include <benchmark/benchmark.h>

#include "core/config.hpp"
#include "core/random.hpp"
#include "network/clocked_runtime.hpp"

// What does it cost that a population of a hidden layer for spoken digits, [T = 100, B = 256, 256], feeds back to
// itself? Training passes of a node alone, at some 9 % of spikes; `plain` has no connections.

using namespace synfire;

namespace {

const Shape kShape{100, 256, 256};

const char* const kNodes[] = {"type = \"lif\"\n",
                              "type = \"recurrent\"\n",
                              "type = \"recurrent\"\nlearn_tau = true\n",
                              "type = \"recurrent\"\ndelays = \"learned\"\nmax_delay_ticks = 24\n",
                              "type = \"recurrent\"\ndelays = \"learned\"\nmax_delay_ticks = 24\nwidth = 12.0\n",
                              "type = \"recurrent\"\ndelays = \"fixed\"\nmax_delay_ticks = 24\n"};

struct Pass {
  explicit Pass(const char* node)
      : net(network::build<float>(
            network::read_network_spec(
                Config::parse(std::string("[network]\n[[network.layers]]\ntau_mem_ms = 4.0\n") + node, "bench")
                    .root()
                    .table("network")),
            kShape.drop_front(2), 1)),
        runtime(net),
        x(kShape),
        grad(kShape) {
    const RandomStream random(1, 0, 0), of_grad(1, 1, 0);
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
      const auto element = static_cast<std::uint64_t>(i);
      x[i] = static_cast<float>(0.6 + 1.2 * random.normal(element));
      grad[i] = static_cast<float>(1e-3 * of_grad.normal(element));
    }
  }
  network::Network<float> net;
  network::ClockedRuntime<float> runtime;
  Tensor<float> x, grad;
};

void report(benchmark::State& state, const Pass& pass) {
  state.counters["rate"] = pass.runtime.firing_rates().front();
  state.counters["MiB"] =
      static_cast<double>(pass.runtime.planned_bytes(kShape[0], kShape[1], network::Mode::train)) / 0x1p20;
}

void forward(benchmark::State& state) {
  Pass pass(kNodes[state.range(0)]);
  const Tensor<float>& x = pass.x;
  for (auto _ : state) pass.runtime.forward(x.view(), network::Mode::train, {1, 1});
  report(state, pass);
}

void backward(benchmark::State& state) {
  Pass pass(kNodes[state.range(0)]);
  const Tensor<float>&x = pass.x, &grad = pass.grad;
  pass.runtime.want_input_grad(true);
  for (auto _ : state) {
    state.PauseTiming();
    pass.runtime.forward(x.view(), network::Mode::train, {1, 1});
    state.ResumeTiming();
    pass.runtime.backward(grad.view());
  }
  report(state, pass);
}

void settings(benchmark::internal::Benchmark* bench) {
  bench->ArgName("node")->DenseRange(0, 5)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
}
BENCHMARK(forward)->Apply(settings);
BENCHMARK(backward)->Apply(settings);

}  // namespace
