#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/parallel.hpp"
#include "core/random.hpp"
#include "network/event_runtime.hpp"
#include "tests/network/small_networks.hpp"

/// What the tests of the event engine run, and how.
namespace synfire::test {

struct Pass {
  std::vector<std::vector<network::EventSpike>> spikes;
  std::vector<float> output;
  std::vector<network::EventCounts> counts;
};

inline Pass run(const network::Network<float>& net, const Tensor<float>& input, network::EventMode mode,
                network::EventArithmetic arithmetic = network::EventArithmetic::stepped) {
  network::EventRuntime runtime(network::make_event_program(net));
  runtime.use_mode(mode);
  runtime.use_arithmetic(arithmetic);
  runtime.record_spikes(true);
  const View<const float> out = runtime.forward(input.view());
  return {runtime.spikes(), {out.data, out.data + out.size()}, runtime.counts()};
}

/// [T, B, ...] with the last sample first.
inline Tensor<float> reversed_batch(const Tensor<float>& input) {
  Tensor<float> reversed(input.shape());
  const std::ptrdiff_t batch = input.shape()[1], frame = input.size() / (input.shape()[0] * batch);
  for (std::ptrdiff_t k = 0; k < input.shape()[0] * batch; ++k) {
    const std::ptrdiff_t other = k / batch * batch + batch - 1 - k % batch;
    std::copy_n(input.data() + k * frame, frame, reversed.data() + other * frame);
  }
  return reversed;
}

/// The spikes, the output and the counts are those of one thread for any number of threads, and the spikes and counts
/// for the samples in any order.
inline void check_threads_and_order(const network::Network<float>& net, const Tensor<float>& input) {
  const int before = num_threads();
  const Tensor<float> reversed = reversed_batch(input);
  set_num_threads(1);
  const Pass one = run(net, input, network::EventMode::events);
  for (const int threads : {2, 8}) {
    set_num_threads(threads);
    const Pass more = run(net, input, network::EventMode::events);
    CHECK(one.spikes == more.spikes);
    CHECK(one.output == more.output);
    CHECK(one.counts == more.counts);
    Pass other = run(net, reversed, network::EventMode::events);
    std::reverse(other.spikes.begin(), other.spikes.end());
    CHECK(one.spikes == other.spikes);
    CHECK(one.counts == other.counts);
  }
  set_num_threads(before);
}

inline std::size_t num_spikes(const Pass& pass) {
  std::size_t sum = 0;
  for (const auto& sample : pass.spikes) sum += sample.size();
  return sum;
}

/// Batch norms as after some training: scales, shifts and statistics of any size.
inline void shake(network::Network<float>& net, std::uint64_t seed) {
  std::uint32_t stream = 0;
  for (auto& tensor : net.tensors) {
    const RandomStream random(seed, 100 + stream++, 0);
    const bool is_var = tensor.name.find("running_var") != std::string::npos;
    const bool is_norm = is_var || tensor.name.find("gamma") != std::string::npos ||
                         tensor.name.find("beta") != std::string::npos ||
                         tensor.name.find("running_mean") != std::string::npos;
    if (!is_norm) continue;
    for (std::ptrdiff_t i = 0; i < tensor.value.size(); ++i) {
      const double u = random.uniform(static_cast<std::uint64_t>(i));
      tensor.value[i] = static_cast<float>(is_var ? 0.05 + u : 1.6 * u - 0.5);
    }
  }
}

/// A layered network of any size: delays, resets of both kinds, biases, and drives that lie exactly at the threshold.
inline std::string random_layers(std::uint64_t seed) {
  const RandomStream random(seed, 55, 0);
  std::uint64_t draws = 0;
  const auto below = [&](std::uint64_t n) { return random.below(draws++, n); };
  std::string layers;
  const std::uint64_t depth = 1 + below(3);
  for (std::uint64_t k = 0; k < depth; ++k) {
    const std::uint64_t out = 4 + below(20);
    if (below(2) == 0) {
      layers += fmt::format("[[network.layers]]\ntype = \"delayed_linear\"\nout_features = {}\nmax_delay_ticks = {}\n",
                            out, 2 * (1 + below(4)));
    } else {
      layers += fmt::format("[[network.layers]]\ntype = \"linear\"\nout_features = {}\n", out);
    }
    if (below(2) == 0) layers += "[[network.layers]]\ntype = \"batch_norm\"\n";
    const double tau = std::vector{1.0, 1.25, 2.0, 10.0, 40.0}[below(5)];
    layers += fmt::format("[[network.layers]]\ntype = \"lif\"\ntau_mem_ms = {:.2f}\nreset = \"{}\"\ndecay_input = {}\n",
                          tau, below(2) == 0 ? "soft" : "hard", below(2) == 0 ? "true" : "false");
  }
  return layers + "[[network.layers]]\ntype = \"linear\"\nout_features = 3\n";
}

/// A third of the biases become the drive at which a membrane settles at its threshold, to the bit if it can.
inline void set_drives_at_threshold(network::Network<float>& net, std::uint64_t seed) {
  const RandomStream random(seed, 56, 0);
  for (std::size_t i = 0; i + 1 < net.spec.nodes.size(); ++i) {
    const auto* lif = std::get_if<network::LifSpec>(&net.spec.nodes[i + 1].operation);
    const auto* linear = std::get_if<network::LinearSpec>(&net.spec.nodes[i].operation);
    if (lif == nullptr || linear == nullptr) continue;
    const neurons::LifParams params = neurons::lif_params(lif->config, net.spec.dt_ms);
    Tensor<float>& bias = net.tensor(net.spec.nodes[i].name + ".bias").value;
    for (std::ptrdiff_t n = 0; n < bias.size(); ++n) {
      const double u = random.uniform(static_cast<std::uint64_t>(n) + 1000 * i);
      if (u < 0.33) bias[n] = static_cast<float>(params.v_th * (1.0 - params.decay) / params.gain);
      if (u > 0.9) bias[n] = static_cast<float>(1.5 * params.v_th * (1.0 - params.decay) / params.gain);
    }
  }
}

}  // namespace synfire::test
