#include "apps/simulate/activity.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace synfire::apps {

double LayerActivity::silent_share() const {
  return of_neuron.empty() ? 0.0
                           : static_cast<double>(std::count(of_neuron.begin(), of_neuron.end(), 0U)) /
                                 static_cast<double>(of_neuron.size());
}

Activity::Activity(const std::vector<SimulatedLayer>& of_layers) : layers(of_layers.size()) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    layers[i].of_neuron.resize(of_layers[i].fires ? static_cast<std::size_t>(of_layers[i].shape.size()) : 0);
  }
}

void Activity::add(const SimulationEngine& engine, View<const float> input,
                   const std::vector<std::vector<network::EventSpike>>& of_input) {
  const std::ptrdiff_t num_ticks = input.shape[0], batch = input.shape[1];
  const auto count = [&](const std::vector<std::vector<network::EventSpike>>& spikes) {
    for (const auto& of_sample : spikes) {
      for (const network::EventSpike& spike : of_sample) {
        LayerActivity& layer = layers[static_cast<std::size_t>(spike.population)];
        ++layer.spikes;
        ++layer.of_neuron[static_cast<std::size_t>(spike.neuron)];
      }
    }
  };
  count(of_input);
  count(engine.spikes());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const SimulatedLayer& layer = engine.layers()[i];
    layers[i].neuron_ticks += static_cast<double>(layer.shape.size()) *
                              static_cast<double>(num_ticks + layer.extra_ticks) * static_cast<double>(batch);
  }
  samples += batch;
  ticks += batch * (num_ticks + engine.layers().back().extra_ticks);
  counts = engine.counts();
}

void Activity::add_scores(const Batch& batch, View<const float> output, const learning::LossConfig& loss) {
  const auto num_classes = static_cast<std::size_t>(output.shape[2]);
  std::vector<double> all(batch.label.size() * num_classes);
  learning::loss<float>(loss, output, learning::targets_of(loss, batch, output.shape[0]), all, {});
  for (std::size_t b = 0; b < batch.label.size(); ++b) {
    const std::span<const double> of_sample = std::span(all).subspan(b * num_classes, num_classes);
    label = batch.label[b];
    predicted = learning::predicted_class(of_sample);
    num_correct += predicted == label ? 1 : 0;
    scores.assign(of_sample.begin(), of_sample.end());
  }
}

double Activity::synaptic_events() const {
  double sum = 0.0;
  for (const network::EventCounts& of_layer : counts) sum += static_cast<double>(of_layer.synaptic_events);
  return sum;
}

std::vector<std::vector<network::EventSpike>> input_spikes(View<const float> input) {
  const std::ptrdiff_t num_ticks = input.shape[0], batch = input.shape[1], size = input.shape.size_from(2);
  std::vector<std::vector<network::EventSpike>> spikes(static_cast<std::size_t>(batch));
  for (std::ptrdiff_t t = 0; t < num_ticks; ++t) {
    for (std::ptrdiff_t b = 0; b < batch; ++b) {
      const float* const frame = input.data + (t * batch + b) * size;
      for (std::ptrdiff_t n = 0; n < size; ++n) {
        for (int k = 0; k < static_cast<int>(frame[n]); ++k) {
          spikes[static_cast<std::size_t>(b)].push_back(
              {static_cast<std::int32_t>(t), 0, static_cast<std::int32_t>(n)});
        }
      }
    }
  }
  return spikes;
}

}  // namespace synfire::apps
