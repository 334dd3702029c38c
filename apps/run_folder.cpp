#include "apps/run_folder.hpp"

#include <ctime>
#include <fstream>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/text_table.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/version.hpp"

namespace synfire::apps {

namespace {

/// The value of `key` in a /proc file of "key : value" lines, or "unknown".
std::string proc_value(const char* file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t at = line.find_first_not_of(" \t", line.find(':') + 1);
    if (at != std::string::npos) return line.substr(at);
  }
  return "unknown";
}

}  // namespace

RunFolder RunFolder::create(const std::filesystem::path& folder) {
  std::error_code problem;
  if (std::filesystem::exists(folder) && !std::filesystem::is_empty(folder, problem)) {
    throw FileError(folder.string(), "expected a new or empty folder for the run (--resume continues an old one)");
  }
  std::filesystem::create_directories(folder, problem);
  if (problem) throw FileError(folder.string(), "cannot make the folder of the run: " + problem.message());
  return RunFolder(folder);
}

RunFolder RunFolder::open(const std::filesystem::path& folder) {
  RunFolder run(folder);
  if (!std::filesystem::exists(run.config())) {
    throw FileError(folder.string(), "expected the folder of a run, found no config.toml in it");
  }
  return run;
}

std::filesystem::path new_run_path(const std::string& name) {
  const std::string stem = fmt::format("{}-{:%Y%m%d-%H%M%S}", name, fmt::localtime(std::time(nullptr)));
  std::filesystem::path path = std::filesystem::path("runs") / stem;
  for (int i = 2; std::filesystem::exists(path); ++i)
    path = std::filesystem::path("runs") / fmt::format("{}-{}", stem, i);
  return path;
}

std::vector<std::pair<std::string, std::string>> describe_environment(std::uint64_t seed) {
  const BuildInfo& build = build_info();
  return {{"version",
           fmt::format("synfire {} ({}), {}, {}", build.version, build.commit, build.compiler, build.build_type)},
          {"started", fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(std::time(nullptr)))},
          {"processor", proc_value("/proc/cpuinfo", "model name")},
          {"memory", proc_value("/proc/meminfo", "MemTotal")},
          {"threads", std::to_string(num_threads())},
          {"seed", std::to_string(seed)}};
}

std::string environment_json(const std::vector<std::pair<std::string, std::string>>& environment) {
  nlohmann::ordered_json object;
  for (const auto& [name, value] : environment) object[name] = value;
  return object.dump(2) + "\n";
}

std::vector<std::pair<std::string, std::string>> read_environment(const std::filesystem::path& file) {
  std::vector<std::pair<std::string, std::string>> environment;
  const auto object = nlohmann::ordered_json::parse(read_whole_file(file), nullptr, false);
  if (!object.is_object()) throw FormatError(file.string(), 0, "expected a JSON object");
  for (const auto& [name, value] : object.items()) environment.emplace_back(name, value.get<std::string>());
  return environment;
}

}  // namespace synfire::apps
