#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/apps/lag_experiment.hpp"
#include "tests/apps/program.hpp"

namespace synfire {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_program;
using test::Scratch;
using test::write_lag_experiment;

json read_json(const std::filesystem::path& file) { return json::parse(test::file_text(file)); }

std::vector<std::string> train(const std::filesystem::path& config, const std::filesystem::path& run) {
  return {"train", config.string(), "--out", run.string(), "--quiet"};
}

TEST_CASE("a run with learned delays reports the accuracy on whole ticks and the one before, and shows the delays") {
  const Scratch scratch;
  const auto config = write_lag_experiment(scratch, "epochs = 4\nselection = \"last\"\n");
  const auto run = scratch / "run";

  const ProgramResult result = run_program(scratch, train(config, run));

  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const json evaluation = read_json(run / "evaluation.json");
  CHECK(evaluation["protocol"] == "last epoch");
  CHECK(evaluation["accuracy"].get<double>() == evaluation["correct"].get<double>() / 64.0);
  CHECK(evaluation["accuracy_unrounded"].get<double>() == evaluation["correct_unrounded"].get<double>() / 64.0);
  CHECK(result.out.find("before rounding") != std::string::npos);
  const std::string metrics = test::file_text(run / "metrics.csv");
  CHECK(metrics.find("validation_accuracy_unrounded,bump_width") != std::string::npos);
  const std::string report = test::file_text(run / "report.html");
  CHECK(report.find("\"delays\":[{\"after\":[") != std::string::npos);

  const ProgramResult again = run_program(scratch, {"eval", run.string(), "--json", "--quiet"});
  REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  CHECK(json::parse(again.out) == evaluation);
}

TEST_CASE("after the epoch of rounding there is one accuracy") {
  const Scratch scratch;
  const auto config =
      write_lag_experiment(scratch, "epochs = 3\nselection = \"last\"\n[learning.delays]\nround_from_epoch = 1\n");
  const auto run = scratch / "run";

  const ProgramResult result = run_program(scratch, train(config, run));

  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const json evaluation = read_json(run / "evaluation.json");
  CHECK_FALSE(evaluation.contains("accuracy_unrounded"));
  CHECK(json::parse(run_program(scratch, {"eval", run.string(), "--json", "--quiet"}).out) == evaluation);
}

TEST_CASE("the event engine scores a run like the clocked one and fires the spikes of its twin") {
  const Scratch scratch;
  const auto config =
      write_lag_experiment(scratch, "epochs = 3\nselection = \"last\"\n[learning.delays]\nround_from_epoch = 1\n");
  const auto run = scratch / "run";
  REQUIRE(run_program(scratch, train(config, run)).exit_code == 0);
  const json evaluation = read_json(run / "evaluation.json");

  const ProgramResult events = run_program(scratch, {"eval", run.string(), "--engine", "event", "--json", "--quiet"});
  const ProgramResult verified = run_program(scratch, {"eval", run.string(), "--verify", "--quiet"});
  const ProgramResult wrong = run_program(scratch, {"eval", run.string(), "--engine", "sparse", "--quiet"});

  REQUIRE_MESSAGE(events.exit_code == 0, events.err);
  // A membrane within rounding of its threshold may decide one sample otherwise.
  CHECK(std::abs(json::parse(events.out)["correct"].get<int>() - evaluation["correct"].get<int>()) <= 1);
  CHECK(read_json(run / "evaluation.json") == evaluation);
  REQUIRE_MESSAGE(verified.exit_code == 0, verified.err);
  CHECK(verified.out.find("event engine and its clocked twin: 0 spikes differ") != std::string::npos);
  CHECK(wrong.exit_code == 2);
  CHECK(test::is_one_error_line(wrong.err));
}

TEST_CASE("the best epoch on the test set is called what it is") {
  const Scratch scratch;
  const auto config = write_lag_experiment(scratch, "epochs = 3\nselection = \"best_test\"\n");
  const auto run = scratch / "run";

  const ProgramResult result = run_program(scratch, train(config, run));
  const ProgramResult held_out = run_program(scratch, {"train", config.string(), "--set", "data.validation_samples=32",
                                                       "--out", (scratch / "other").string(), "--quiet"});

  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const std::string name = "best epoch on the test set; not a held-out figure";
  CHECK(result.out.find(name) != std::string::npos);
  CHECK(read_json(run / "evaluation.json")["protocol"] == name);
  CHECK(test::file_text(run / "report.html").find(name) != std::string::npos);
  double best = 0.0;
  std::ifstream lines(run / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);)
    best = std::max(best, json::parse(line)["validation_accuracy"].get<double>());
  CHECK(read_json(run / "evaluation.json")["accuracy"] == best);
  CHECK(held_out.exit_code == 2);
  CHECK(test::is_one_error_line(held_out.err));
  CHECK_FALSE(std::filesystem::exists(scratch / "other"));
}

TEST_CASE("runs over seeds add up, and go on after Ctrl-C to the same figures") {
  const Scratch scratch;
  const auto config = write_lag_experiment(scratch, "epochs = 8\nselection = \"last\"\n");
  std::vector<std::string> args = train(config, scratch / "whole");
  args.insert(args.end(), {"--seeds", "3"});
  const ProgramResult whole = run_program(scratch, args);
  REQUIRE_MESSAGE(whole.exit_code == 0, whole.err);

  const json seeds = read_json(scratch / "whole" / "seeds.json");
  CHECK(seeds["seeds"] == json{4, 5, 6});
  REQUIRE(seeds["runs"].size() == 3);
  double mean = 0.0, squares = 0.0;
  std::int64_t correct = 0;
  for (const json& run : seeds["runs"]) {
    const json evaluation = read_json(scratch / "whole" / run["folder"].get<std::string>() / "evaluation.json");
    CHECK(run["accuracy"] == evaluation["accuracy"]);
    CHECK(run["accuracy_unrounded"] == evaluation["accuracy_unrounded"]);
    mean += run["accuracy"].get<double>() / 3.0;
    correct += run["correct"].get<std::int64_t>();
  }
  for (const json& run : seeds["runs"]) squares += std::pow(run["accuracy"].get<double>() - mean, 2.0);
  // Some roundings of numbers below 1.
  CHECK(std::abs(seeds["mean"].get<double>() - mean) <= 1e-15);
  CHECK(std::abs(seeds["standard_deviation"].get<double>() - std::sqrt(squares / 2.0)) <= 1e-15);
  CHECK(seeds["together"]["correct"] == correct);
  CHECK(seeds["together"]["total"] == 3 * 64);
  CHECK(seeds["runs"][0]["accuracy"] != seeds["runs"][1]["accuracy"]);
  CHECK(whole.out.find("3 seeds: mean") != std::string::npos);

  args[3] = (scratch / "parts").string();
  const pid_t child = test::start_program(scratch, args);
  for (int i = 0; i < 400 && !std::filesystem::exists(scratch / "parts" / "seed5" / "last.h5"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(child, SIGINT);
  const ProgramResult stopped = test::wait_for(scratch, child);
  REQUIRE(stopped.exit_code == 130);
  CHECK(stopped.err.find("--resume " + (scratch / "parts").string() + "\n") != std::string::npos);
  const ProgramResult rest = run_program(scratch, {"train", "--resume", (scratch / "parts").string(), "--quiet"});
  REQUIRE_MESSAGE(rest.exit_code == 0, rest.err);
  CHECK(read_json(scratch / "parts" / "seeds.json") == seeds);
}

TEST_CASE("a number of seeds that makes no sense is refused before anything runs") {
  const Scratch scratch;
  const auto config = write_lag_experiment(scratch, "epochs = 1\nselection = \"last\"\n");
  for (const char* number : {"0", "-1", "100000", "two"}) {
    const ProgramResult result = run_program(scratch, {"train", config.string(), "--seeds", number});
    CHECK(result.exit_code == 2);
    CHECK(test::is_one_error_line(result.err));
  }
}

}  // namespace
}  // namespace synfire
