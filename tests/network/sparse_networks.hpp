#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/parallel.hpp"
#include "network/sparse/sparse_runtime.hpp"

namespace synfire::test {

using SparseSpikes = std::vector<std::pair<std::int64_t, std::int32_t>>;  // (tick, neuron)

inline SparseSpikes spikes_of(network::SparseRuntime& runtime, std::int64_t ticks) {
  SparseSpikes spikes;
  runtime.run(ticks, [&](std::int64_t tick, std::span<const std::int32_t> neurons) {
    for (const std::int32_t neuron : neurons) spikes.emplace_back(tick, neuron);
  });
  return spikes;
}

/// Back to the number of threads that was set before.
class ThreadCount {
 public:
  explicit ThreadCount(int count) : before_(num_threads()) { set_num_threads(count); }
  ~ThreadCount() { set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

/// Brunel's network [Brunel2000] with a tenth of its neurons as inputs; 0.1 mV a synapse, 1.5 ms, ticks of 0.1 ms.
inline network::SparseNetwork brunel_network(std::int32_t num_inhibitory, double g, double eta) {
  network::SparseNetwork net{.dt_ms = 0.1, .seed = 1};
  for (const std::int32_t size : {4 * num_inhibitory, num_inhibitory}) {
    network::SparsePopulation population{.name = size > num_inhibitory ? "excitatory" : "inhibitory", .size = size};
    // eta th / (J C_E tau) for each of C_E inputs, with th 20 mV, J 0.1 mV, tau 20 ms.
    population.drives = {{.rate_hz = eta * 1e4, .weight_mv = 0.1}};
    net.populations.push_back(population);
  }
  for (int source : {0, 1}) {
    for (int target : {0, 1}) {
      net.projections.push_back({.source = source,
                                 .target = target,
                                 .indegree = net.populations[static_cast<std::size_t>(source)].size / 10,
                                 .weight_mv = source == 0 ? 0.1 : -0.1 * g,
                                 .delay_ticks = 15,
                                 .max_delay_ticks = 15});
    }
  }
  return net;
}

}  // namespace synfire::test
