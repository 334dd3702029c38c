#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace synfire::apps {

/// A run is a folder: what was asked for, where it ran, what came out.
///
///     config.toml        the resolved configuration: running it again gives the same run
///     environment.json   version, machine, threads, seed
///     metrics.csv        one row an epoch; metrics.jsonl is the same for machines
///     best.h5, last.h5   checkpoints
///     evaluation.json    accuracy and confusion on the test split
///     energy.json        operations and energy on the test split, after `synfire energy`
///     report.html        all of it on one page
///
/// A run over several seeds has the first, seeds.json with what they came to, and a run in seed1, seed2, ...
class RunFolder {
 public:
  /// Makes a new folder. \throws FileError if it is there already and not empty
  static RunFolder create(const std::filesystem::path& folder);
  /// A folder that a run left. \throws FileError if it holds no config.toml
  static RunFolder open(const std::filesystem::path& folder);

  std::filesystem::path folder() const { return folder_; }
  std::filesystem::path config() const { return folder_ / "config.toml"; }
  std::filesystem::path environment() const { return folder_ / "environment.json"; }
  std::filesystem::path metrics() const { return folder_ / "metrics"; }  ///< without its extension
  std::filesystem::path best() const { return folder_ / "best.h5"; }
  std::filesystem::path last() const { return folder_ / "last.h5"; }
  std::filesystem::path evaluation() const { return folder_ / "evaluation.json"; }
  std::filesystem::path energy() const { return folder_ / "energy.json"; }
  std::filesystem::path seeds() const { return folder_ / "seeds.json"; }
  std::filesystem::path report() const { return folder_ / "report.html"; }

 private:
  explicit RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

/// "runs/<name>-<date>-<time>", or with a number behind it where that is taken.
std::filesystem::path new_run_path(const std::string& name);

/// Version, commit, processor, threads, seed and start time, for environment.json and the report.
std::vector<std::pair<std::string, std::string>> describe_environment(std::uint64_t seed);

/// The pairs as a JSON object, and back.
std::string environment_json(const std::vector<std::pair<std::string, std::string>>& environment);
std::vector<std::pair<std::string, std::string>> read_environment(const std::filesystem::path& file);

}  // namespace synfire::apps
