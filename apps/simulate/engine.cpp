#include "apps/simulate/engine.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "network/clocked_runtime.hpp"
#include "network/describe.hpp"

namespace synfire::apps {

namespace {

using network::EventSpike;
using SampleSpikes = std::vector<std::vector<EventSpike>>;

class EventEngine : public SimulationEngine {
 public:
  EventEngine(const network::Network<float>& network, network::EventArithmetic arithmetic)
      : runtime_(network::make_event_program(network)) {
    runtime_.use_arithmetic(arithmetic);
    using Kind = network::Population::Kind;
    runtime_.record_spikes(true);
    for (const network::Population& population : runtime_.program().populations) {
      SimulatedLayer layer{
          .name = population.name, .kind = {}, .shape = population.shape, .extra_ticks = population.extra_ticks};
      layer.fires = population.kind != Kind::readout;
      layer.has_trace = population.kind == Kind::neurons;
      layer.v_th = population.params.v_th;
      layer.kind = population.kind == Kind::input     ? "input"
                   : population.kind == Kind::readout ? "readout"
                                                      : kind_of(network, population.node);
      layers_.push_back(std::move(layer));
    }
  }

  const std::vector<SimulatedLayer>& layers() const override { return layers_; }
  View<const float> run(View<const float> input) override { return runtime_.forward(input); }
  void watch_ticks(std::function<void(std::int32_t ticks)> watcher) override {
    runtime_.watch_ticks(std::move(watcher));
  }
  const SampleSpikes& spikes() const override { return runtime_.spikes(); }
  std::vector<network::EventCounts> counts() const override { return runtime_.counts(); }
  std::vector<float> trace(View<const float> input, std::size_t layer, std::ptrdiff_t neuron) override {
    return runtime_.trace(input, static_cast<int>(layer), neuron);
  }

 private:
  static std::string kind_of(const network::Network<float>& network, int node) {
    return std::string(network::kind_name(network.spec.nodes[static_cast<std::size_t>(node)].operation));
  }

  network::EventRuntime runtime_;
  std::vector<SimulatedLayer> layers_;
};

class ClockedEngine : public SimulationEngine {
 public:
  explicit ClockedEngine(network::Network<float>& network) : runtime_(network), layer_of_(network.spec.nodes.size()) {
    const std::vector<network::NodeFacts> facts = network::describe(network.spec, network.input);
    const std::vector<int> extra_ticks = network::extra_ticks(network.spec, facts);
    layers_.push_back({.name = network::kInputName, .kind = "input", .shape = network.input});
    for (std::size_t i = 0; i < layer_of_.size(); ++i) {
      const network::NodeSpec& node = network.spec.nodes[i];
      const bool is_last = i + 1 == layer_of_.size(), fires = is_neuron(node);
      if (!fires && !is_last) continue;
      layer_of_[i] = layers_.size();
      layers_.push_back({.name = node.name,
                         .kind = fires ? std::string(network::kind_name(node.operation)) : "readout",
                         .shape = network.node_shapes[i],
                         .extra_ticks = extra_ticks[i],
                         .fires = fires});
    }
    runtime_.use_rounded_delays(true);
    runtime_.watch_spikes([this](int node, View<const std::uint8_t> spikes) { note(node, spikes); });
  }

  const std::vector<SimulatedLayer>& layers() const override { return layers_; }
  View<const float> run(View<const float> input) override {
    spikes_.resize(static_cast<std::size_t>(input.shape.rank() > 1 ? input.shape[1] : 0));
    for (auto& of_sample : spikes_) of_sample.clear();
    const View<const float> output = runtime_.forward(input, network::Mode::eval, {});
    for (auto& of_sample : spikes_) std::sort(of_sample.begin(), of_sample.end());
    return output;
  }
  void watch_ticks(std::function<void(std::int32_t ticks)>) override {}
  const SampleSpikes& spikes() const override { return spikes_; }
  std::vector<network::EventCounts> counts() const override { return {}; }
  std::vector<float> trace(View<const float>, std::size_t, std::ptrdiff_t) override { return {}; }

 private:
  static bool is_neuron(const network::NodeSpec& node) {
    return std::holds_alternative<network::LifSpec>(node.operation) ||
           std::holds_alternative<network::CubaLifSpec>(node.operation) ||
           std::holds_alternative<network::AdlifSpec>(node.operation) ||
           std::holds_alternative<network::RecurrentSpec>(node.operation);
  }

  void note(int node, View<const std::uint8_t> spikes) {
    const std::size_t layer = layer_of_[static_cast<std::size_t>(node)];
    if (layer == 0 || !layers_[layer].fires) return;  // such as a pool of spikes
    const std::ptrdiff_t batch = spikes.shape[1], size = spikes.shape.size_from(2);
    for (std::ptrdiff_t k = 0; k < spikes.size(); ++k) {
      if (spikes[k] == 0) continue;
      spikes_[static_cast<std::size_t>(k / size % batch)].push_back({static_cast<std::int32_t>(k / (batch * size)),
                                                                     static_cast<std::int32_t>(layer),
                                                                     static_cast<std::int32_t>(k % size)});
    }
  }

  network::ClockedRuntime<float> runtime_;
  std::vector<std::size_t> layer_of_;  ///< by node; 0: none
  std::vector<SimulatedLayer> layers_;
  SampleSpikes spikes_;
};

}  // namespace

std::unique_ptr<SimulationEngine> make_event_engine(const network::Network<float>& network,
                                                    network::EventArithmetic arithmetic) {
  try {
    return std::make_unique<EventEngine>(network, arithmetic);
  } catch (const ShapeError& problem) {
    throw UsageError(fmt::format("{} (--engine clocked runs every network)", problem.what()));
  }
}

std::unique_ptr<SimulationEngine> make_clocked_engine(network::Network<float>& network) {
  return std::make_unique<ClockedEngine>(network);
}

}  // namespace synfire::apps
