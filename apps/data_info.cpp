#include <iostream>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/read_options.hpp"
#include "apps/spike_info.hpp"
#include "apps/text_table.hpp"
#include "datasets/shd_reader.hpp"

namespace synfire::apps {

namespace {

using nlohmann::ordered_json;

/// Null for a recording without events where a number would be made up.
ordered_json describe(const std::string& file, const datasets::Recording& recording) {
  const EventStream& events = recording.events;
  const auto on = std::accumulate(events.on.begin(), events.on.end(), std::int64_t{0});
  const bool any = !events.empty();
  const std::int64_t duration_us = any ? events.t_us.back() - events.t_us.front() : 0;
  ordered_json row;
  row["file"] = file;
  row["format"] = datasets::format_name(recording.format);
  row["source"] = recording.source;
  row["width"] = events.width;
  row["height"] = events.height;
  row["events"] = events.size();
  row["t_first_us"] = any ? ordered_json(events.t_us.front()) : ordered_json();
  row["t_last_us"] = any ? ordered_json(events.t_us.back()) : ordered_json();
  row["duration_us"] = duration_us;
  row["rate_hz"] = duration_us > 0
                       ? ordered_json(1e6 * static_cast<double>(events.size()) / static_cast<double>(duration_us))
                       : ordered_json();
  row["on"] = on;
  row["off"] = static_cast<std::int64_t>(events.size()) - on;
  row["backward_steps"] = recording.backward_steps;
  row["skipped_special"] = recording.skipped_special;
  row["skipped_invalid"] = recording.skipped_invalid;
  row["out_of_range"] = recording.out_of_range;
  row["missing_bytes"] = recording.missing_bytes;
  row["warnings"] = recording.warnings;
  return row;
}

void print_for_people(const ordered_json& row) {
  TextTable table({row["file"].get<std::string>(), ""});
  const auto number = [&](const char* key) {
    return row[key].is_null() ? std::string("-") : grouped(row[key].get<long long>());
  };
  const double events = row["events"].get<double>();
  const auto share = [&](const char* key) {
    return events > 0 ? fmt::format("{} ({:.1f} %)", number(key), 100.0 * row[key].get<double>() / events)
                      : number(key);
  };
  table.add({"format", row["format"].get<std::string>()});
  if (!row["source"].get<std::string>().empty()) table.add({"camera", row["source"].get<std::string>()});
  table.add({"sensor", fmt::format("{} x {}", row["width"].get<int>(), row["height"].get<int>())});
  table.add({"events", number("events")});
  table.add({"ON", share("on")});
  table.add({"OFF", share("off")});
  table.add({"first event (us)", number("t_first_us")});
  table.add({"last event (us)", number("t_last_us")});
  table.add({"duration (s)", fmt::format("{:.6f}", 1e-6 * row["duration_us"].get<double>())});
  if (!row["rate_hz"].is_null()) table.add({"rate (events/s)", grouped(std::llround(row["rate_hz"].get<double>()))});
  table.add({"backward time steps", number("backward_steps")});
  for (const auto& [key, label] : {std::pair("skipped_special", "other records (sync, IMU, frames)"),
                                   std::pair("skipped_invalid", "events marked invalid"),
                                   std::pair("out_of_range", "events outside the sensor, dropped"),
                                   std::pair("missing_bytes", "bytes missing at the end")}) {
    if (row[key].get<long long>() > 0) table.add({label, number(key)});
  }
  std::cout << table.text();
}

}  // namespace

int data_info_command(const Arguments& args) {
  CommandLine line(
      "synfire data info", "FILE...",
      "Prints what a recording holds: format, sensor, events, polarity, time span and rate; or, of a file of "
      "spike\ntrains (HDF5, as SHD): classes, samples, spikes, durations and speakers.");
  line.options().add_options()("json", "print JSON: an object for one file, an array for several");
  add_read_options(line);
  line.positional("file", -1);
  if (!line.parse(args)) return kExitOk;

  const datasets::ReadOptions options = read_options(line);
  const std::vector<std::string> files = line.list("file");
  ordered_json rows = ordered_json::array();
  for (const std::string& file : files) {
    if (datasets::is_spike_train_file(file)) {
      rows.push_back(describe_spike_trains(file));
      if (!line.has("json")) std::cout << spike_trains_text(rows.back());
      continue;
    }
    const ordered_json row = describe(file, datasets::read_recording(file, options));
    if (line.has("json")) {
      rows.push_back(row);
      continue;
    }
    print_for_people(row);
    for (const auto& warning : row["warnings"]) std::cerr << "synfire: warning: " << warning.get<std::string>() << '\n';
  }
  if (line.has("json")) {
    std::cout << (files.size() == 1 ? rows[0] : rows).dump(2, ' ', false, ordered_json::error_handler_t::replace)
              << '\n';
  }
  return kExitOk;
}

}  // namespace synfire::apps
