#include "network/event_parity.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "network/clocked_runtime.hpp"
#include "network/event_runtime.hpp"

namespace synfire::network {

namespace {

using SampleSpikes = std::vector<std::vector<EventSpike>>;

/// By node instead of population, in the order of ticks, nodes and neurons, of lif neurons alone.
SampleSpikes by_node(const EventRuntime& runtime) {
  SampleSpikes result;
  const auto& populations = runtime.program().populations;
  for (const std::vector<EventSpike>& sample : runtime.spikes()) {
    std::vector<EventSpike>& of_sample = result.emplace_back();
    for (EventSpike spike : sample) {
      const Population& population = populations[static_cast<std::size_t>(spike.population)];
      if (population.kind != Population::Kind::neurons) continue;
      spike.population = population.node;
      of_sample.push_back(spike);
    }
    std::sort(of_sample.begin(), of_sample.end());
  }
  return result;
}

SampleSpikes float_spikes(Network<float>& network, View<const float> input, const EventProgram& program) {
  SampleSpikes result(static_cast<std::size_t>(input.shape[1]));
  ClockedRuntime<float> runtime(network);
  runtime.use_rounded_delays(true);
  runtime.watch_spikes([&](int node, View<const std::uint8_t> spikes) {
    const bool is_lif = std::any_of(program.populations.begin(), program.populations.end(), [&](const Population& p) {
      return p.node == node && p.kind == Population::Kind::neurons;
    });
    if (!is_lif) return;
    const std::ptrdiff_t batch = spikes.shape[1], size = spikes.shape.size_from(2);
    for (std::ptrdiff_t k = 0; k < spikes.size(); ++k) {
      if (spikes[k] == 0) continue;
      const auto tick = static_cast<std::int32_t>(k / (batch * size));
      result[static_cast<std::size_t>(k / size % batch)].push_back({tick, node, static_cast<std::int32_t>(k % size)});
    }
  });
  runtime.forward(input, Mode::eval, {});
  for (auto& sample : result) std::sort(sample.begin(), sample.end());
  return result;
}

Tensor<float> one_sample(View<const float> input, std::ptrdiff_t sample) {
  const Shape frame = input.shape.drop_front(2);
  Tensor<float> result(frame.prepend(1).prepend(input.shape[0]));
  for (std::ptrdiff_t t = 0; t < input.shape[0]; ++t) {
    std::copy_n(input.data + (t * input.shape[1] + sample) * frame.size(), frame.size(),
                result.data() + t * frame.size());
  }
  return result;
}

}  // namespace

void compare_engines(Network<float>& network, View<const float> input, EventArithmetic arithmetic,
                     EngineParity& parity) {
  EventRuntime runtime(make_event_program(network));
  runtime.use_arithmetic(arithmetic);
  runtime.record_spikes(true);
  runtime.forward(input);
  const SampleSpikes events = by_node(runtime);
  runtime.use_mode(EventMode::clocked);
  runtime.forward(input);
  const SampleSpikes twin = by_node(runtime), as_float = float_spikes(network, input, runtime.program());

  for (std::size_t b = 0; b < events.size(); ++b) {
    std::vector<EventSpike> odd;
    std::set_symmetric_difference(events[b].begin(), events[b].end(), twin[b].begin(), twin[b].end(),
                                  std::back_inserter(odd));
    parity.twin_differences += std::ssize(odd);
    parity.spikes += std::ssize(events[b]);
    odd.clear();
    std::set_symmetric_difference(events[b].begin(), events[b].end(), as_float[b].begin(), as_float[b].end(),
                                  std::back_inserter(odd));
    if (odd.empty()) {
      ++parity.samples_as_float;
    } else {
      const EventSpike& first = odd.front();
      const auto& populations = runtime.program().populations;
      const auto found = std::find_if(populations.begin(), populations.end(),
                                      [&](const Population& p) { return p.node == first.population; });
      const Tensor<float> alone = one_sample(input, static_cast<std::ptrdiff_t>(b));
      const std::vector<float> trace =
          runtime.trace(alone.view(), static_cast<int>(found - populations.begin()), first.neuron);
      const double distance =
          std::abs(static_cast<double>(trace[static_cast<std::size_t>(first.tick)]) - found->params.v_th);
      parity.differences.push_back({parity.samples, first.tick, found->name, first.neuron, distance});
    }
    ++parity.samples;
  }
}

}  // namespace synfire::network
