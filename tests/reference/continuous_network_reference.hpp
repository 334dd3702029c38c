#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "network/continuous_network.hpp"

namespace synfire::test {

/// A network in continuous time without a queue of predictions: after every event it asks each neuron anew when it
/// would fire, by stepping from unit to unit of the clock until the membrane, as the textbook writes it, is at its
/// threshold.
inline std::vector<network::ContinuousSpike> continuous_network_reference(
    const network::ContinuousNetworkSpec& spec, const std::vector<network::ContinuousSpike>& input, std::int64_t end) {
  struct Neuron {
    double v = 0.0, i = 0.0;
    std::int64_t at = 0, ready = 0;
  };
  const auto unit_ms = 1.0 / static_cast<double>(spec.units_per_ms);
  std::vector<Neuron> neurons(spec.neurons.size());
  for (std::size_t n = 0; n < neurons.size(); ++n) neurons[n].v = spec.neurons[n].v_rest;
  std::map<std::int64_t, std::vector<std::pair<std::uint32_t, double>>> arrivals;  // by time: target, weight
  const auto send = [&](const std::vector<network::ContinuousSynapse>& synapses, std::uint32_t source,
                        std::int64_t now) {
    for (const auto& synapse : synapses) {
      if (synapse.source == source) arrivals[now + synapse.delay].emplace_back(synapse.target, synapse.weight);
    }
  };
  for (const auto& spike : input) send(spec.input_synapses, spike.neuron, spike.time);

  std::vector<network::ContinuousSpike> spikes;
  for (std::int64_t now = 0; now <= end; ++now) {
    std::vector<double> sum(neurons.size(), 0.0);
    for (const auto& [target, weight] : arrivals[now]) sum[target] += weight;
    arrivals.erase(now);
    for (std::uint32_t n = 0; n < neurons.size(); ++n) {
      const neurons::ExactLifConfig& c = spec.neurons[n];
      Neuron& neuron = neurons[n];
      // From the last event of this neuron, in one go; what lies between is only looked at.
      const bool refractory = now < neuron.ready;
      const std::int64_t from = std::max(neuron.at, neuron.ready);
      const double dt = std::max<double>(0.0, static_cast<double>(now - from)) * unit_ms;
      const double before = static_cast<double>(std::min(now, from) - neuron.at) * unit_ms;
      const double i0 = c.tau_syn_ms > 0.0 ? neuron.i * std::exp(-before / c.tau_syn_ms) : 0.0;
      const double v_inf = c.v_rest + c.drive * c.tau_mem_ms / c.capacitance;
      double v = v_inf + (neuron.v - v_inf) * std::exp(-dt / c.tau_mem_ms), i = 0.0;
      if (c.tau_syn_ms > 0.0) {
        i = i0 * std::exp(-dt / c.tau_syn_ms);
        const double factor = c.tau_mem_ms * c.tau_syn_ms / (c.tau_mem_ms - c.tau_syn_ms) / c.capacitance;
        v += c.tau_mem_ms == c.tau_syn_ms ? i0 * dt / c.capacitance * std::exp(-dt / c.tau_mem_ms)
                                          : i0 * factor * (std::exp(-dt / c.tau_mem_ms) - std::exp(-dt / c.tau_syn_ms));
        i += sum[n];
      } else if (!refractory) {
        v += sum[n];
      }
      const bool fires = !refractory && v >= c.v_th;
      if (fires || sum[n] != 0.0) neuron = {v, i, now, neuron.ready};
      if (fires) {
        spikes.push_back({now, n});
        neuron.v = c.v_reset;
        neuron.ready = now + std::llround(c.t_ref_ms * static_cast<double>(spec.units_per_ms));
        send(spec.synapses, n, now);
      }
    }
  }
  return spikes;
}

}  // namespace synfire::test
