#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/simulate/engine.hpp"
#include "core/tensor.hpp"

namespace synfire::apps {

/// A neuron whose membrane is wanted.
struct TracedNeuron {
  std::size_t layer = 0;
  std::ptrdiff_t neuron = 0;
};

/// "LAYER:INDEX", each. \throws UsageError for a layer or neuron that is not there or has no membrane to trace
std::vector<TracedNeuron> parse_traced_neurons(const std::vector<std::string>& texts,
                                               const std::vector<SimulatedLayer>& layers);

/// One sample that was simulated, to be looked at.
struct ShownSample {
  Tensor<float> input;                        ///< [T, 1, ...]
  std::vector<network::EventSpike> of_input;  ///< its spikes
  std::vector<network::EventSpike> of_layers;
};

/// raster.png: all layers that fire, with their rates. \return its name
std::filesystem::path write_raster(const std::filesystem::path& folder, const ShownSample& sample,
                                   const std::vector<SimulatedLayer>& layers, double dt_ms);

/// traces.csv (tick, time_ms, layer, neuron, v, spike) and traces.png. \return their names
std::vector<std::filesystem::path> write_traces(const std::filesystem::path& folder, const ShownSample& sample,
                                                SimulationEngine& engine, const std::vector<TracedNeuron>& neurons,
                                                double dt_ms);

}  // namespace synfire::apps
