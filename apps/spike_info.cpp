#include "apps/spike_info.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/text_table.hpp"
#include "datasets/shd_reader.hpp"

namespace synfire::apps {

namespace {

using nlohmann::ordered_json;

/// Null without values.
ordered_json spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
  return {{"min", values.front()}, {"median", median}, {"max", values.back()}};
}

std::string spread_text(const ordered_json& spread, int digits) {
  if (spread.is_null()) return "-";
  return fmt::format("{:.{}f} / {:.{}f} / {:.{}f}", spread["min"].get<double>(), digits, spread["median"].get<double>(),
                     digits, spread["max"].get<double>(), digits);
}

}  // namespace

ordered_json describe_spike_trains(const std::string& file) {
  const datasets::SpikeTrainSet set = datasets::read_shd(file);
  std::vector<double> spikes, durations_s;
  std::vector<bool> heard(static_cast<std::size_t>(set.num_channels));
  std::int64_t total = 0;
  for (const datasets::SpikeTrain& train : set.samples) {
    spikes.push_back(static_cast<double>(train.t_s.size()));
    total += std::ssize(train.t_s);
    for (const std::uint16_t channel : train.channel) heard[channel] = true;
    if (train.t_s.empty()) continue;
    const auto [first, last] = std::minmax_element(train.t_s.begin(), train.t_s.end());
    durations_s.push_back(static_cast<double>(*last) - static_cast<double>(*first));
  }
  std::map<std::int32_t, std::int64_t> of_class, of_speaker;
  for (const std::int32_t label : set.label) ++of_class[label];
  for (const std::int32_t speaker : set.speaker) ++of_speaker[speaker];

  ordered_json row;
  row["file"] = file;
  row["format"] = "shd";
  row["channels"] = set.num_channels;
  row["silent_channels"] = std::count(heard.begin(), heard.end(), false);
  row["samples"] = set.samples.size();
  row["empty_samples"] = set.samples.size() - durations_s.size();
  row["spikes"] = total;
  row["spikes_per_sample"] = spread(spikes);
  row["duration_s"] = spread(durations_s);
  row["classes"] = ordered_json::array();
  const std::int32_t last_label = of_class.empty() ? -1 : of_class.rbegin()->first;
  const std::int32_t num_classes = std::max(static_cast<std::int32_t>(set.class_names.size()), last_label + 1);
  for (std::int32_t label = 0; label < num_classes; ++label) {
    const std::string name =
        set.class_names.empty() ? std::to_string(label) : set.class_names[static_cast<std::size_t>(label)];
    row["classes"].push_back({{"name", name}, {"samples", of_class[label]}});
  }
  row["speakers"] = ordered_json::array();
  for (const auto& [speaker, samples] : of_speaker) {
    const bool named = static_cast<std::size_t>(speaker) < set.speaker_names.size();
    row["speakers"].push_back({{"number", speaker},
                               {"name", named ? set.speaker_names[static_cast<std::size_t>(speaker)] : ""},
                               {"samples", samples}});
  }
  return row;
}

std::string spike_trains_text(const ordered_json& row) {
  TextTable table({row["file"].get<std::string>(), ""});
  const auto number = [&](const char* key) { return grouped(row[key].get<long long>()); };
  table.add({"format", "spike trains (HDF5, as SHD)"});
  table.add({"channels", number("channels")});
  if (row["silent_channels"].get<int>() > 0) table.add({"channels without a spike", number("silent_channels")});
  table.add({"samples", number("samples")});
  if (row["empty_samples"].get<long long>() > 0) table.add({"samples without a spike", number("empty_samples")});
  table.add({"spikes", number("spikes")});
  table.add({"spikes a sample (least / median / most)", spread_text(row["spikes_per_sample"], 0)});
  table.add({"first to last spike (s; likewise)", spread_text(row["duration_s"], 3)});
  for (const ordered_json& entry : row["classes"])
    table.add({"class " + entry["name"].get<std::string>(), grouped(entry["samples"].get<long long>())});
  for (const ordered_json& entry : row["speakers"]) {
    const std::string name = entry["name"].get<std::string>();
    table.add({fmt::format("speaker {}{}{}", entry["number"].get<int>(), name.empty() ? "" : ", ", name),
               grouped(entry["samples"].get<long long>())});
  }
  return table.text();
}

}  // namespace synfire::apps
