#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/simulate/activity.hpp"
#include "apps/text_table.hpp"

namespace synfire::apps {

namespace {

std::string count_text(std::uint64_t count) { return grouped(static_cast<long long>(count)); }

double rate_hz(const LayerActivity& layer, double dt_ms) { return layer.rate_per_tick() / (1e-3 * dt_ms); }

double simulated_s(const Activity& activity, double dt_ms) {
  return 1e-3 * dt_ms * static_cast<double>(activity.ticks);
}

TextTable layer_table(const Activity& activity, const std::vector<SimulatedLayer>& layers, double dt_ms) {
  TextTable table(
      {"layer", "neurons", "spikes", "Hz", "per tick", "silent", "synaptic events", "neuron updates", "if clocked"});
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerActivity& layer = activity.layers[i];
    std::vector<std::string> row{layers[i].name, grouped(layers[i].shape.size())};
    if (layers[i].fires) {
      row.insert(row.end(),
                 {count_text(layer.spikes), fmt::format("{:.2f}", rate_hz(layer, dt_ms)),
                  fmt::format("{:.4f}", layer.rate_per_tick()), fmt::format("{:.1f} %", 100.0 * layer.silent_share())});
    } else {
      row.insert(row.end(), {"-", "-", "-", "-"});
    }
    const std::string clocked = grouped(std::llround(layer.neuron_ticks));
    if (i == 0) {
      row.insert(row.end(), {"-", "-", "-"});
    } else if (activity.counts.empty()) {
      row.insert(row.end(), {"-", clocked, clocked});
    } else {
      row.insert(row.end(), {count_text(activity.counts[i].synaptic_events),
                             count_text(activity.counts[i].neuron_updates), clocked});
    }
    table.add(row);
  }
  return table;
}

std::string queue_text(const Activity& activity) {
  network::EventCounts sum;
  for (const network::EventCounts& of_layer : activity.counts) sum += of_layer;
  return fmt::format(
      "queue: {} entries, {} of them looks that came to nothing; {} ticks of neurons made up for without a test\n",
      count_text(sum.queue_push), count_text(sum.queue_stale), count_text(sum.replayed_ticks));
}

std::string class_name(const SimulationTitle& title, std::size_t k) {
  return k < title.class_names.size() ? title.class_names[k] : std::to_string(k);
}

std::string scores_text(const Activity& activity, const SimulationTitle& title) {
  if (activity.scores.empty()) return {};
  if (activity.samples > 1) {
    return title.labels_known
               ? fmt::format("{} of {} samples classified correctly\n", activity.num_correct, activity.samples)
               : std::string();
  }
  TextTable table({"class", "score"});
  for (std::size_t k = 0; k < activity.scores.size(); ++k) {
    table.add({class_name(title, k), fmt::format("{:.4f}", activity.scores[k])});
  }
  std::string text =
      fmt::format("{}\npredicted: {}", table.text(), class_name(title, static_cast<std::size_t>(activity.predicted)));
  if (title.labels_known) text += fmt::format(" (is: {})", class_name(title, static_cast<std::size_t>(activity.label)));
  return text + "\n";
}

}  // namespace

std::string activity_text(const Activity& activity, const std::vector<SimulatedLayer>& layers,
                          const SimulationTitle& title) {
  const double simulated = simulated_s(activity, title.dt_ms);
  std::string text =
      fmt::format("network: {}\nweights: {}\ninput:   {}\nengine:  {}\n\n{}\n", title.network, title.weights,
                  title.input, title.engine, layer_table(activity, layers, title.dt_ms).text());
  if (!activity.counts.empty()) text += queue_text(activity);
  text += scores_text(activity, title);
  text += fmt::format("{:.4g} s simulated in {:.3g} s: {:.3g} times real time", simulated, activity.wall_s,
                      simulated / activity.wall_s);
  if (!activity.counts.empty()) {
    text +=
        fmt::format(", {:.2f} million synaptic events a second", 1e-6 * activity.synaptic_events() / activity.wall_s);
  }
  text += "\n";
  for (const std::string& file : title.files) text += "wrote " + file + "\n";
  return text;
}

std::string activity_json(const Activity& activity, const std::vector<SimulatedLayer>& layers,
                          const SimulationTitle& title) {
  const double simulated = simulated_s(activity, title.dt_ms);
  nlohmann::ordered_json result = {{"network", title.network},    {"weights", title.weights},
                                   {"input", title.input},        {"engine", title.engine},
                                   {"samples", activity.samples}, {"ticks", activity.ticks},
                                   {"dt_ms", title.dt_ms},        {"layers", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerActivity& layer = activity.layers[i];
    nlohmann::ordered_json row = {{"name", layers[i].name},
                                  {"kind", layers[i].kind},
                                  {"shape", layers[i].shape.text()},
                                  {"neurons", layers[i].shape.size()}};
    if (layers[i].fires) {
      row["spikes"] = layer.spikes;
      row["rate_hz"] = rate_hz(layer, title.dt_ms);
      row["rate_per_tick"] = layer.rate_per_tick();
      row["silent_share"] = layer.silent_share();
    }
    if (i > 0) row["clocked_neuron_updates"] = std::llround(layer.neuron_ticks);
    if (i > 0 && !activity.counts.empty()) {
      const network::EventCounts& counts = activity.counts[i];
      row["synaptic_events"] = counts.synaptic_events;
      row["neuron_updates"] = counts.neuron_updates;
      row["replayed_ticks"] = counts.replayed_ticks;
      row["queue_push"] = counts.queue_push;
      row["queue_stale"] = counts.queue_stale;
    }
    result["layers"].push_back(row);
  }
  if (activity.samples == 1 && !activity.scores.empty()) {
    for (std::size_t k = 0; k < activity.scores.size(); ++k) {
      result["scores"].push_back({{"class", class_name(title, k)}, {"score", activity.scores[k]}});
    }
    result["predicted"] = activity.predicted;
    if (title.labels_known) result["label"] = activity.label;
  }
  if (!activity.scores.empty() && title.labels_known) result["correct"] = activity.num_correct;
  result["simulated_s"] = simulated;
  result["wall_s"] = activity.wall_s;
  result["real_time_factor"] = simulated / activity.wall_s;
  if (!activity.counts.empty()) {
    result["synaptic_events_per_s"] = activity.synaptic_events() / activity.wall_s;
  }
  result["files"] = title.files;
  return result.dump(2) + "\n";
}

}  // namespace synfire::apps
