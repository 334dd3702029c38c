#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <utility>
#include <vector>

#include "bench/brunel_loop.hpp"
#include <fmt/format.h>

#include "core/parallel.hpp"
#include "network/sparse/sparse_runtime.hpp"

// Brunel's network of 10,000 neurons with 1,000 inputs each, by the engine and by the plain loop in turns. Prints one
// JSON object a measurement: the median of `repetitions`, by processor time.
//
//     bench_brunel [threads 1] [repetitions 5] [milliseconds of model time 1000]

namespace {

using namespace synfire;

network::SparseNetwork brunel(double g, double eta) {
  network::SparseNetwork net{.dt_ms = 0.1, .seed = 1};
  for (const auto& [name, size] : {std::pair("excitatory", 8000), std::pair("inhibitory", 2000)}) {
    network::SparsePopulation population{.name = name, .size = size};
    population.drives = {{.rate_hz = eta * 1e4, .weight_mv = 0.1}};
    net.populations.push_back(population);
  }
  for (int source : {0, 1}) {
    for (int target : {0, 1}) {
      net.projections.push_back({.source = source,
                                 .target = target,
                                 .indegree = source == 0 ? 800 : 200,
                                 .weight_mv = source == 0 ? 0.1 : -0.1 * g,
                                 .delay_ticks = 15,
                                 .max_delay_ticks = 15});
    }
  }
  return net;
}

struct Timed {
  std::vector<double> wall, cpu, events, spikes;
};

template <class Run>
void measure(Timed& timed, const Run& run) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  const auto [spikes, events] = run();
  timed.cpu.push_back(static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
  timed.wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  timed.spikes.push_back(spikes);
  timed.events.push_back(events);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const char* name, int threads, double seconds, double build_s, const Timed& t) {
  fmt::print(
      "{{\"name\": \"{}\", \"threads\": {}, \"model_s\": {}, \"build_cpu_s\": {:.3f}, \"wall_s\": {:.4f}, \"cpu_s\": "
      "{:.4f}, "
      "\"min_cpu_s\": {:.4f}, \"rate_hz\": {:.2f}, \"synaptic_events\": {:.0f}, \"events_per_cpu_s\": {:.4e}, "
      "\"events_per_s\": {:.4e}}}\n",
      name, threads, seconds, build_s, median(t.wall), median(t.cpu), *std::min_element(t.cpu.begin(), t.cpu.end()),
      median(t.spikes) / 1e4 / seconds, median(t.events), median(t.events) / median(t.cpu),
      median(t.events) / median(t.wall));
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int at, int fallback) { return argc > at ? std::atoi(argv[at]) : fallback; };
  const int threads = argument(1, 1), repetitions = argument(2, 5), milliseconds = argument(3, 1000);
  set_num_threads(threads);
  const int ticks = milliseconds * 10;

  std::clock_t start = std::clock();
  network::SparseRuntime engine(brunel(5.0, 2.0));
  const double engine_build_s = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  start = std::clock();
  bench::BrunelLoop loop(2000);
  const double loop_build_s = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;

  const auto run_engine = [&] {
    const network::SparseCounts before = engine.counts();
    engine.run(ticks, [](std::int64_t, std::span<const std::int32_t>) {});
    const network::SparseCounts after = engine.counts();
    return std::pair(static_cast<double>(after.spikes - before.spikes),
                     static_cast<double>(after.synaptic_events - before.synaptic_events));
  };
  const auto run_loop = [&] {
    std::uint64_t events = 0;
    const std::uint64_t spikes = loop.run(ticks, events);
    return std::pair(static_cast<double>(spikes), static_cast<double>(events));
  };
  Timed warm_up, by_engine, by_loop;
  measure(warm_up, run_engine);
  measure(warm_up, run_loop);
  for (int i = 0; i < repetitions; ++i) {
    measure(by_engine, run_engine);
    measure(by_loop, run_loop);
  }
  print("engine", threads, milliseconds * 1e-3, engine_build_s, by_engine);
  print("plain loop", 1, milliseconds * 1e-3, loop_build_s, by_loop);
}
