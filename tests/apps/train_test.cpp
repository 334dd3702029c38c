#include <chrono>
#include <csignal>
#include <cstdint>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "core/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/tiny_experiment.hpp"

namespace synfire {
namespace {

using test::ProgramResult;
using test::run_program;
using test::Scratch;

/// What must be the same in two runs of one config: the weights and the metrics, but not the seconds.
std::string metrics_without_times(const std::filesystem::path& run) {
  std::ifstream lines(run / "metrics.jsonl");
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    nlohmann::ordered_json row = nlohmann::ordered_json::parse(line);
    row.erase("seconds");
    row.erase("samples_per_second");
    kept += row.dump() + "\n";
  }
  return kept;
}

std::string predictions(const Scratch& scratch, const std::filesystem::path& run) {
  const ProgramResult result =
      run_program(scratch, {"eval", run.string(), "--json", "--checkpoint", "last", "--quiet"});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return result.out;
}

TEST_CASE("a config becomes a run folder with checkpoints, metrics, an evaluation and a report") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 30);
  const auto run = scratch / "run";

  const ProgramResult result = run_program(scratch, {"train", config.string(), "--out", run.string(), "--quiet"});

  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  for (const char* name : {"config.toml", "environment.json", "metrics.csv", "metrics.jsonl", "best.h5", "last.h5",
                           "evaluation.json", "report.html"}) {
    CHECK_MESSAGE(std::filesystem::exists(run / name), name);
  }
  const auto evaluation = nlohmann::json::parse(test::file_text(run / "evaluation.json"));
  CHECK(evaluation["total"] == 12);
  CHECK(evaluation["correct"].get<int>() >= 11);  // the two motions are easy; chance is 6
  const std::string report = test::file_text(run / "report.html");
  CHECK(report.find("<html") != std::string::npos);
  CHECK(report.find("src=\"http") == std::string::npos);
  CHECK(report.find("Chart.js v") != std::string::npos);
}

TEST_CASE("the number of threads does not change a bit of a run") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 3);

  for (const char* threads : {"1", "2"}) {
    const ProgramResult result = run_program(
        scratch, {"train", config.string(), "--out", (scratch / threads).string(), "--threads", threads, "--quiet"});
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  }

  CHECK(metrics_without_times(scratch / "1") == metrics_without_times(scratch / "2"));
  CHECK(predictions(scratch, scratch / "1") == predictions(scratch, scratch / "2"));
}

TEST_CASE("a run that is killed ten times and resumed ends with the same bits") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 40);
  const ProgramResult whole =
      run_program(scratch, {"train", config.string(), "--out", (scratch / "whole").string(), "--quiet"});
  REQUIRE_MESSAGE(whole.exit_code == 0, whole.err);

  const auto run = scratch / "killed";
  const RandomStream random(11, 0, 0);
  int kills = 0;
  for (std::uint64_t attempt = 0; kills < 10 && attempt < 40; ++attempt) {
    const bool resuming = std::filesystem::exists(run / "config.toml");
    std::filesystem::path ignored;
    if (!resuming) std::filesystem::remove_all(run);
    const pid_t child = test::start_program(
        scratch, resuming ? std::vector<std::string>{"train", "--resume", run.string(), "--quiet"}
                          : std::vector<std::string>{"train", config.string(), "--out", run.string(), "--quiet"});
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random.below(attempt, 150)));
    kill(child, SIGKILL);
    if (test::wait_for(scratch, child).exit_code == 128 + SIGKILL) ++kills;
  }
  REQUIRE(kills == 10);
  const ProgramResult rest = run_program(scratch, {"train", "--resume", run.string(), "--quiet"});
  REQUIRE_MESSAGE(rest.exit_code == 0, rest.err);

  CHECK(metrics_without_times(run) == metrics_without_times(scratch / "whole"));
  CHECK(predictions(scratch, run) == predictions(scratch, scratch / "whole"));
}

TEST_CASE("Ctrl-C saves the run, says how to go on, and ends with 130") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 100000);
  const auto run = scratch / "run";
  const pid_t child = test::start_program(scratch, {"train", config.string(), "--out", run.string(), "--quiet"});
  for (int i = 0; i < 400 && !std::filesystem::exists(run / "last.h5"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }

  kill(child, SIGINT);
  const ProgramResult result = test::wait_for(scratch, child);

  CHECK(result.exit_code == 130);
  CHECK(result.err.find("--resume " + run.string()) != std::string::npos);
  CHECK(std::filesystem::exists(run / "last.h5"));
}

TEST_CASE("model prints layers and memory before anything runs") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 1);

  const ProgramResult text = run_program(scratch, {"model", config.string()});
  const ProgramResult json = run_program(scratch, {"model", config.string(), "--json"});

  REQUIRE_MESSAGE(json.exit_code == 0, json.err);
  CHECK(text.out.find("arena of a training step with batch 4") != std::string::npos);
  const auto model = nlohmann::json::parse(json.out);
  // conv 3x3 from 2 to 8 channels, batch norm of 8, linear from 8 x 8 x 8 to 2 with bias.
  CHECK(model["parameters"] == 8 * 2 * 9 + 2 * 8 + 8 * 8 * 8 * 2 + 2);
  CHECK(model["train_step_bytes"].get<std::int64_t>() > 0);
}

}  // namespace
}  // namespace synfire
