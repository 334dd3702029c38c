#include "apps/seed_runs.hpp"

#include <cmath>
#include <iostream>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/commands.hpp"
#include "apps/text_table.hpp"
#include "apps/training_run.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "learning/metrics.hpp"

namespace synfire::apps {

namespace {

using nlohmann::ordered_json;

constexpr double kNotThere = std::numeric_limits<double>::quiet_NaN();

std::string percent(double ratio, int digits = 1) {
  return std::isnan(ratio) ? "-" : fmt::format("{:.{}f} %", 100.0 * ratio, digits);
}

/// Of all samples of all seeds.
SeedResult pooled(const std::vector<SeedResult>& results) {
  SeedResult sum;
  for (const SeedResult& result : results) {
    sum.correct += result.correct;
    sum.total += result.total;
  }
  return sum;
}

learning::Spread accuracy_spread(const std::vector<SeedResult>& results) {
  std::vector<double> accuracies;
  for (const SeedResult& result : results) accuracies.push_back(result.accuracy());
  return learning::spread_of(accuracies);
}

ordered_json parsed(const std::filesystem::path& file) {
  ordered_json json = ordered_json::parse(read_whole_file(file), nullptr, false);
  if (!json.is_object()) throw FormatError(file.string(), "expected a JSON object");
  return json;
}

SeedResult read_result(std::uint64_t seed, const std::filesystem::path& evaluation) {
  const ordered_json json = parsed(evaluation);
  try {
    return {seed, json.at("correct").get<std::int64_t>(), json.at("total").get<std::int64_t>(),
            json.value("accuracy_unrounded", kNotThere)};
  } catch (const ordered_json::exception& problem) {
    throw FormatError(evaluation.string(), problem.what());
  }
}

/// The report is the last thing that a run writes.
bool is_finished(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "config.toml") && std::filesystem::exists(RunFolder::open(folder).report());
}

int run_seeds(const RunFolder& runs, const std::vector<std::uint64_t>& seeds, const std::string& protocol) {
  std::vector<SeedResult> results;
  for (const std::uint64_t seed : seeds) {
    const std::filesystem::path folder = runs.folder() / fmt::format("seed{}", seed);
    int exit_code = kExitOk;
    if (!std::filesystem::exists(folder / "config.toml")) {
      std::filesystem::remove(folder / "environment.json");  // of a run that was killed before it began
      exit_code = start_training_run(open_experiment(runs.config(), {fmt::format("seed={}", seed)}), folder);
    } else if (!is_finished(folder)) {
      exit_code = resume_training_run(RunFolder::open(folder));
    }
    if (exit_code != kExitOk) return exit_code;
    results.push_back(read_result(seed, RunFolder::open(folder).evaluation()));
    write_file_atomically(runs.seeds(), seeds_json(results, seeds, protocol));
  }
  std::cout << '\n' << seeds_text(results, protocol) << fmt::format("runs:   {}\n", runs.folder().string());
  return kExitOk;
}

}  // namespace

std::string seeds_text(const std::vector<SeedResult>& results, const std::string& protocol) {
  TextTable table({"seed", "correct", "of", "accuracy", "unrounded"});
  for (const SeedResult& result : results) {
    table.add({std::to_string(result.seed), grouped(result.correct), grouped(result.total), percent(result.accuracy()),
               percent(result.accuracy_unrounded)});
  }
  const SeedResult all = pooled(results);
  const learning::Spread spread = accuracy_spread(results);
  const learning::Interval interval = learning::wilson_interval(all.correct, all.total);
  return fmt::format(
      "{}\n{} seeds: mean {}, standard deviation {}; {} of {} together, 95 % interval {:.1f} to {:.1f} %\n"
      "weights: {}\n",
      table.text(), results.size(), percent(spread.mean, 2), percent(spread.deviation, 2), grouped(all.correct),
      grouped(all.total), 100.0 * interval.low, 100.0 * interval.high, protocol);
}

std::string seeds_json(const std::vector<SeedResult>& results, const std::vector<std::uint64_t>& seeds,
                       const std::string& protocol) {
  ordered_json json = {{"seeds", seeds}, {"protocol", protocol}, {"runs", ordered_json::array()}};
  for (const SeedResult& result : results) {
    ordered_json row = {{"seed", result.seed},
                        {"folder", fmt::format("seed{}", result.seed)},
                        {"correct", result.correct},
                        {"total", result.total},
                        {"accuracy", result.accuracy()}};
    if (!std::isnan(result.accuracy_unrounded)) row["accuracy_unrounded"] = result.accuracy_unrounded;
    json["runs"].push_back(row);
  }
  if (!results.empty()) {
    const SeedResult all = pooled(results);
    const learning::Spread spread = accuracy_spread(results);
    const learning::Interval interval = learning::wilson_interval(all.correct, all.total);
    json["mean"] = spread.mean;
    json["standard_deviation"] = spread.deviation;
    json["together"] = {{"correct", all.correct}, {"total", all.total}, {"interval_95", {interval.low, interval.high}}};
  }
  return json.dump(2) + "\n";
}

int start_seed_runs(Experiment experiment, int num_seeds, const std::filesystem::path& folder) {
  if (!experiment.data.test)
    throw Error("[train] --seeds compares accuracies on the test split, and the config has none");
  std::vector<std::uint64_t> seeds;
  for (int i = 0; i < num_seeds; ++i) seeds.push_back(experiment.seed + static_cast<std::uint64_t>(i));
  const std::string protocol = learning::selection_text(experiment.learning.selection);
  const RunFolder runs = RunFolder::create(folder);
  write_file_atomically(runs.seeds(), seeds_json({}, seeds, protocol));
  write_file_atomically(runs.config(), experiment.resolved);
  experiment.data = {};  // each run reads its own
  return run_seeds(runs, seeds, protocol);
}

int resume_seed_runs(const RunFolder& runs) {
  const ordered_json json = parsed(runs.seeds());
  try {
    return run_seeds(runs, json.at("seeds").get<std::vector<std::uint64_t>>(), json.at("protocol").get<std::string>());
  } catch (const ordered_json::exception& problem) {
    throw FormatError(runs.seeds().string(), problem.what());
  }
}

}  // namespace synfire::apps
