#include "apps/simulate/pictures.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "core/atomic_file.hpp"
#include "core/nearest_word.hpp"
#include "datasets/render/layer_raster.hpp"
#include "datasets/render/trace_plot.hpp"

namespace synfire::apps {

namespace {

constexpr int kPictureWidth = 1200;
constexpr std::size_t kMostTraces = 16;  // each takes a run, and a part of the picture

std::size_t layer_named(const std::string& name, const std::vector<SimulatedLayer>& layers) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].has_trace) continue;
    if (layers[i].name == name) return i;
    names.push_back(layers[i].name);
  }
  throw UsageError(
      fmt::format("--neuron: no lif layer \"{}\"; the nearest is \"{}\"", name, nearest_word(name, names)));
}

}  // namespace

std::vector<TracedNeuron> parse_traced_neurons(const std::vector<std::string>& texts,
                                               const std::vector<SimulatedLayer>& layers) {
  if (texts.size() > kMostTraces) {
    throw UsageError(fmt::format("--neuron: at most {} neurons, got {}", kMostTraces, texts.size()));
  }
  const bool none = std::none_of(layers.begin(), layers.end(), [](const auto& layer) { return layer.has_trace; });
  if (!texts.empty() && none) throw UsageError("--neuron: only the event engine traces membranes, of lif layers");
  std::vector<TracedNeuron> result;
  for (const std::string& text : texts) {
    const std::size_t colon = text.rfind(':');
    TracedNeuron wanted;
    const char* const last = text.data() + text.size();
    const char* const number = colon == std::string::npos ? last : text.data() + colon + 1;
    const auto [behind, status] = std::from_chars(number, last, wanted.neuron);
    if (status != std::errc() || behind != last) {
      throw UsageError(fmt::format("--neuron: expected LAYER:INDEX such as lif1:0, got \"{}\"", text));
    }
    wanted.layer = layer_named(text.substr(0, colon), layers);
    const SimulatedLayer& layer = layers[wanted.layer];
    if (wanted.neuron < 0 || wanted.neuron >= layer.shape.size()) {
      throw UsageError(fmt::format("--neuron: layer \"{}\" of shape {} has neurons 0 to {}, got {}", layer.name,
                                   layer.shape.text(), layer.shape.size() - 1, wanted.neuron));
    }
    result.push_back(wanted);
  }
  return result;
}

std::filesystem::path write_raster(const std::filesystem::path& folder, const ShownSample& sample,
                                   const std::vector<SimulatedLayer>& layers, double dt_ms) {
  std::vector<datasets::RasterLayer> rows(layers.size());
  for (const auto* spikes : {&sample.of_input, &sample.of_layers}) {
    for (const network::EventSpike& spike : *spikes) {
      datasets::RasterLayer& row = rows[static_cast<std::size_t>(spike.population)];
      row.tick.push_back(spike.tick);
      row.neuron.push_back(spike.neuron);
    }
  }
  const std::ptrdiff_t num_ticks = sample.input.shape()[0];
  std::ptrdiff_t last_tick = num_ticks;
  std::vector<datasets::RasterLayer> shown;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].fires) continue;
    const std::ptrdiff_t ticks = num_ticks + layers[i].extra_ticks;
    last_tick = std::max(last_tick, ticks);
    const double seconds = 1e-3 * dt_ms * static_cast<double>(ticks);
    const auto num_spikes = static_cast<double>(rows[i].tick.size());
    rows[i].num_neurons = layers[i].shape.size();
    rows[i].title = fmt::format("{}: {} neurons, {} spikes, {:.2f} Hz", layers[i].name, rows[i].num_neurons,
                                rows[i].tick.size(), num_spikes / (seconds * static_cast<double>(rows[i].num_neurons)));
    shown.push_back(std::move(rows[i]));
  }
  const std::filesystem::path file = folder / "raster.png";
  datasets::write_png(file, datasets::layer_raster(shown, static_cast<std::int32_t>(last_tick), dt_ms, kPictureWidth));
  return file;
}

std::vector<std::filesystem::path> write_traces(const std::filesystem::path& folder, const ShownSample& sample,
                                                SimulationEngine& engine, const std::vector<TracedNeuron>& neurons,
                                                double dt_ms) {
  std::string csv = "tick,time_ms,layer,neuron,v,spike\n";
  std::vector<datasets::MembraneTrace> traces;
  for (const TracedNeuron& traced : neurons) {
    const SimulatedLayer& layer = engine.layers()[traced.layer];
    datasets::MembraneTrace trace;
    trace.v = engine.trace(sample.input.view(), traced.layer, traced.neuron);
    trace.v_th = layer.v_th;
    std::vector<bool> fires(trace.v.size());
    for (const network::EventSpike& spike : sample.of_layers) {
      if (spike.population != static_cast<std::int32_t>(traced.layer) || spike.neuron != traced.neuron) continue;
      trace.spike_ticks.push_back(spike.tick);
      fires[static_cast<std::size_t>(spike.tick)] = true;
    }
    for (std::size_t t = 0; t < trace.v.size(); ++t) {
      fmt::format_to(std::back_inserter(csv), "{},{:g},{},{},{},{}\n", t, static_cast<double>(t) * dt_ms, layer.name,
                     traced.neuron, trace.v[t], fires[t] ? 1 : 0);
    }
    trace.title = fmt::format("{} neuron {}: {} spikes, threshold {:g}", layer.name, traced.neuron,
                              trace.spike_ticks.size(), trace.v_th);
    traces.push_back(std::move(trace));
  }
  const std::filesystem::path text = folder / "traces.csv", picture = folder / "traces.png";
  write_file_atomically(text, csv);
  datasets::write_png(picture, datasets::trace_plot(traces, dt_ms, kPictureWidth));
  return {text, picture};
}

}  // namespace synfire::apps
