#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/brunel_loop.hpp"
#include <fmt/format.h>

#include "core/parallel.hpp"
#include "network/sparse/sparse_runtime.hpp"

// Networks that simulators of neuroscience are measured by. Prints one JSON object a measurement: medians over
// repetitions of a second of the network.
//
//     bench_brunel [NETWORK brunel] [THREADS 1] [REPETITIONS 5]
//
// brunel: that of configs/brunel.toml, by the engine and by the plain loop in turns. ff5, ff20, ff100:
// 784-1000-1000-10, all to all, driven at so many Hz.

namespace {

using namespace synfire;
using network::SparseNetwork;
using network::SparsePopulation;
using network::SparseProjection;

SparseNetwork brunel() {
  SparseNetwork net{.dt_ms = 0.1, .seed = 1};
  for (const std::int32_t size : {8000, 2000}) {
    net.populations.push_back({.name = "n", .size = size});
    net.populations.back().drives = {{.rate_hz = 2e4, .weight_mv = 0.1}};
  }
  for (int source : {0, 1}) {
    for (int target : {0, 1}) {
      net.projections.push_back({.source = source,
                                 .target = target,
                                 .indegree = source == 0 ? 800 : 200,
                                 .weight_mv = source == 0 ? 0.1 : -0.5,
                                 .delay_ticks = 15,
                                 .max_delay_ticks = 15});
    }
  }
  return net;
}

/// As compare_brunel.py has it: weights are normal with a mean that keeps the layers near the rate of the input.
SparseNetwork feed_forward(double rate_hz) {
  const double gain = rate_hz < 10.0 ? 1.0 : rate_hz < 50.0 ? 1.1 : 3.0;
  SparseNetwork net{.dt_ms = 1.0, .seed = 1};
  net.populations = {{.name = "in", .size = 784, .kind = SparsePopulation::Kind::poisson, .rate_hz = rate_hz}};
  for (const std::int32_t size : {1000, 1000, 10}) {
    const SparsePopulation& source = net.populations.back();
    const double mean = gain * source.v_th_mv / (source.size * rate_hz * 1e-3 * source.tau_mem_ms);
    const int layer = static_cast<int>(net.populations.size());
    net.projections.push_back({.source = layer - 1,
                               .target = layer,
                               .rule = SparseProjection::Rule::all_to_all,
                               .weight_mv = mean,
                               .weight_std_mv = mean});
    net.populations.push_back({.name = "layer", .size = size});
  }
  return net;
}

struct Measured {
  std::vector<double> wall, cpu, events, spikes;

  /// \param run  gives spikes and synaptic events
  template <class Run>
  void add(const Run& run) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    const auto [num_spikes, num_events] = run();
    cpu.push_back(static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
    wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    spikes.push_back(static_cast<double>(num_spikes));
    events.push_back(static_cast<double>(num_events));
  }

  void print(const char* name, int threads, std::int64_t neurons) const {
    const auto median = [](std::vector<double> values) {
      std::sort(values.begin(), values.end());
      return values[values.size() / 2];
    };
    fmt::print(
        "{{\"name\": \"{}\", \"threads\": {}, \"cpu_s\": {:.4f}, \"wall_s\": {:.4f}, \"rate_hz\": {:.2f}, "
        "\"synaptic_events\": {:.0f}, \"events_per_cpu_s\": {:.0f}, \"events_per_s\": {:.0f}}}\n",
        name, threads, median(cpu), median(wall), median(spikes) / static_cast<double>(neurons), median(events),
        median(events) / median(cpu), median(events) / median(wall));
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "brunel";
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1, repetitions = argc > 3 ? std::atoi(argv[3]) : 5;
  const bool is_brunel = name == "brunel";
  set_num_threads(threads);
  const SparseNetwork net = is_brunel ? brunel() : feed_forward(std::atof(name.c_str() + 2));
  network::SparseRuntime engine(net);
  const auto ticks = static_cast<int>(1000.0 / net.dt_ms);
  const auto run_engine = [&] {
    const network::SparseCounts before = engine.counts();
    engine.run(ticks, [](std::int64_t, std::span<const std::int32_t>) {});
    const network::SparseCounts after = engine.counts();
    return std::pair(after.spikes - before.spikes, after.synaptic_events - before.synaptic_events);
  };
  std::optional<bench::BrunelLoop> loop;
  if (is_brunel) loop.emplace(2000);
  const auto run_loop = [&] {
    std::uint64_t events = 0;
    const std::uint64_t spikes = loop->run(ticks, events);
    return std::pair(spikes, events);
  };
  run_engine();
  if (is_brunel) run_loop();
  Measured by_engine, by_loop;
  for (int i = 0; i < repetitions; ++i) {
    by_engine.add(run_engine);
    if (is_brunel) by_loop.add(run_loop);
  }
  by_engine.print("Synfire", threads, net.num_neurons());
  if (is_brunel) by_loop.print("plain loop", 1, net.num_neurons());
}
