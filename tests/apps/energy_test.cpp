#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/apps/tiny_experiment.hpp"

namespace synfire {
namespace {

using test::ProgramResult;
using test::run_program;
using test::Scratch;

TEST_CASE("synfire energy counts the test split of a run and prices it") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 2);
  const std::string run = (scratch / "run").string();
  REQUIRE(run_program(scratch, {"train", config.string(), "--out", run, "--quiet"}).exit_code == 0);
  const std::string report_before = test::file_text(scratch / "run/report.html");

  const ProgramResult text = run_program(scratch, {"energy", run, "--quiet"});
  const ProgramResult json = run_program(scratch, {"energy", run, "--quiet", "--json", "--threads", "1"});
  const ProgramResult csv = run_program(scratch, {"energy", run, "--quiet", "--csv", "--table", "papers"});

  REQUIRE_MESSAGE(text.exit_code == 0, text.err);
  CHECK(text.out.find("conv2d+batch_norm+lif") != std::string::npos);
  CHECK(text.out.find("Effective_ACs") != std::string::npos);
  REQUIRE_MESSAGE(json.exit_code == 0, json.err);
  const auto ledger = nlohmann::json::parse(json.out);
  CHECK(ledger.at("samples") == 12);
  CHECK(ledger.at("ticks_per_sample") == 6);
  CHECK(ledger.at("batch") == 4);
  CHECK(ledger.at("layers").size() == 3);
  CHECK(ledger.at("energy_pj").at("total").get<double>() > 0.0);
  CHECK(ledger.at("energy_pj").at("lemaire").get<double>() > 0.0);
  // 12 samples of 6 ticks: 34x34x2 to 16x16x8 by 3x3 without padding, and 8x8x8 to 2.
  CHECK(ledger.at("layers").at(0).at("dense_synops") == 12 * 6 * 16 * 16 * 9 * 2 * 8);
  CHECK(ledger.at("layers").at(2).at("dense_synops") == 12 * 6 * 8 * 8 * 8 * 2);
  REQUIRE_MESSAGE(csv.exit_code == 0, csv.err);
  CHECK(csv.out.starts_with("name,kind,samples"));

  CHECK(nlohmann::json::parse(test::file_text(scratch / "run/energy.json")).at("technology").at("name") == "papers");
  const std::string report = test::file_text(scratch / "run/report.html");
  CHECK(report_before.find("\"energy\":{") == std::string::npos);
  CHECK(report.find("\"energy\":{") != std::string::npos);
  const ProgramResult event = run_program(scratch, {"energy", run, "--engine", "event", "--json", "--quiet"});
  REQUIRE_MESSAGE(event.exit_code == 0, event.err);
  const auto of_events = nlohmann::json::parse(event.out), of_clock = nlohmann::json::parse(json.out);
  CHECK(of_events.at("engine") == "event");
  CHECK(of_events.at("layers").size() == of_clock.at("layers").size());
  CHECK(of_events.at("layers")[0].at("dense_synops") == of_clock.at("layers")[0].at("dense_synops"));
  CHECK(of_events.at("layers")[0].at("eff_unit") == of_clock.at("layers")[0].at("eff_unit"));
  // An evaluation afterwards keeps the section.
  REQUIRE(run_program(scratch, {"eval", run, "--quiet"}).exit_code == 0);
  CHECK(test::file_text(scratch / "run/report.html").find("\"energy\":{") != std::string::npos);
}

TEST_CASE("synfire energy says what it cannot do") {
  const Scratch scratch;
  const auto fails_with = [&](std::vector<std::string> args, const char* message) {
    args.insert(args.begin(), {"energy", "nowhere"});
    const ProgramResult result = run_program(scratch, args);
    CHECK(result.exit_code == 2);
    CHECK_MESSAGE(result.err.find(message) != std::string::npos, result.err);
  };

  fails_with({"--engine", "quantum"}, "expected clocked or event");
  fails_with({"--json", "--csv"}, "expected one of them");
  fails_with({"--table", "no_such_table"}, "horowitz-45nm-fp32, lemaire, papers");
  fails_with({}, "expected the folder of a run");
}

}  // namespace
}  // namespace synfire
