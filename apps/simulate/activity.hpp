#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/simulate/engine.hpp"
#include "core/batch.hpp"
#include "learning/losses.hpp"

namespace synfire::apps {

/// What a layer did, over all samples.
struct LayerActivity {
  std::uint64_t spikes = 0;
  std::vector<std::uint64_t> of_neuron;
  double neuron_ticks = 0.0;  ///< neurons times ticks: what a clocked run would update

  double silent_share() const;
  double rate_per_tick() const { return neuron_ticks > 0.0 ? static_cast<double>(spikes) / neuron_ticks : 0.0; }
};

/// What a simulation came to.
struct Activity {
  explicit Activity(const std::vector<SimulatedLayer>& layers);

  /// Adds a run of the engine. \param input_spikes  of the input, by sample
  void add(const SimulationEngine& engine, View<const float> input,
           const std::vector<std::vector<network::EventSpike>>& input_spikes);
  /// Adds the scores of the same run.
  void add_scores(const Batch& batch, View<const float> output, const learning::LossConfig& loss);

  double synaptic_events() const;

  std::vector<LayerActivity> layers;
  std::vector<network::EventCounts> counts;  ///< by layer; empty if they are not counted
  std::int64_t samples = 0;
  std::int64_t ticks = 0;  ///< of all samples together, to the last output
  double wall_s = 0.0;
  std::vector<double> scores;  ///< of the last sample, by class
  std::int32_t label = 0, predicted = 0;
  std::int64_t num_correct = 0;
};

/// The spikes of the input, layer 0, by sample: an element of count n in a tick counts as n spikes.
std::vector<std::vector<network::EventSpike>> input_spikes(View<const float> input);

/// How the run was made, for the heading.
struct SimulationTitle {
  std::string network, weights, input, engine;
  std::vector<std::string> class_names;
  bool labels_known = false;
  double dt_ms = 1.0;
  std::vector<std::string> files{};  ///< that were written
};

/// A table for people.
std::string activity_text(const Activity& activity, const std::vector<SimulatedLayer>& layers,
                          const SimulationTitle& title);
std::string activity_json(const Activity& activity, const std::vector<SimulatedLayer>& layers,
                          const SimulationTitle& title);

}  // namespace synfire::apps
