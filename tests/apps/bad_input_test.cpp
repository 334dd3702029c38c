#include <fstream>

#include <doctest/doctest.h>

#include "tests/apps/program.hpp"
#include "tests/apps/tiny_experiment.hpp"

namespace synfire {
namespace {

using test::ProgramResult;
using test::run_program;
using test::Scratch;

/// Runs and expects one line on stderr that names `what`, nothing on stdout, and exit code 2.
void check_refused(const Scratch& scratch, const std::vector<std::string>& args, const std::string& what) {
  const ProgramResult result = run_program(scratch, args);
  CAPTURE(args);
  CAPTURE(result.err);
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK(test::is_one_error_line(result.err));
  CHECK(result.err.find(what) != std::string::npos);
}

TEST_CASE("a command or option that is not there is named, with the nearest one") {
  const Scratch scratch;

  check_refused(scratch, {"trian", "x.toml"}, "\"train\"");
  check_refused(scratch, {"data", "inof", "x"}, "\"info\"");
  check_refused(scratch, {"train", "--epochs", "3"}, "epochs");
  check_refused(scratch, {"train"}, "CONFIG");
  check_refused(scratch, {"eval"}, "RUN");
}

TEST_CASE("recordings that are missing, empty, cut or foreign are one clear error") {
  const Scratch scratch;
  std::ofstream(scratch / "empty.aedat").close();
  std::ofstream(scratch / "cut.bin") << "abcdefg";
  std::ofstream(scratch / "text.aedat4") << "this is no recording";
  std::ofstream(scratch / "head.aedat4") << "#!AER-DAT4.0\r\n\xff\xff\xff\x7f";

  check_refused(scratch, {"data", "info", (scratch / "missing.bin").string()}, "missing.bin");
  check_refused(scratch, {"data", "info", (scratch / "empty.aedat").string()}, "empty.aedat");
  check_refused(scratch, {"data", "info", (scratch / "cut.bin").string()}, "cut.bin");
  check_refused(scratch, {"data", "info", (scratch / "text.aedat4").string()}, "text.aedat4");
  check_refused(scratch, {"data", "info", (scratch / "head.aedat4").string()}, "head.aedat4");
  check_refused(scratch, {"data", "info", scratch.operator/("").string()}, "synfire");
}

TEST_CASE("a wrong config names file, line and key, and nothing is written") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 1);
  const std::string run = (scratch / "run").string();

  check_refused(scratch, {"train", (scratch / "no.toml").string()}, "no.toml");
  check_refused(scratch, {"train", config.string(), "--out", run, "--set", "learning.epoch=3"}, "epochs");
  check_refused(scratch, {"train", config.string(), "--out", run, "--set", "learning.epochs=many"}, "learning.epochs");
  check_refused(scratch, {"train", config.string(), "--out", run, "--set", "data.train=nowhere"}, "nowhere");
  check_refused(scratch, {"train", config.string(), "--out", run, "--set", "network.layers.linear.out_features=3"},
                "3");

  CHECK(!std::filesystem::exists(run));
}

TEST_CASE("a damaged checkpoint is refused and left alone") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 1);
  const auto run = scratch / "run";
  REQUIRE(run_program(scratch, {"train", config.string(), "--out", run.string(), "--quiet"}).exit_code == 0);
  const std::string whole = test::file_text(run / "last.h5");
  std::ofstream(run / "last.h5", std::ios::binary) << whole.substr(0, whole.size() / 2);

  check_refused(scratch, {"train", "--resume", run.string(), "--quiet"}, "last.h5");
  check_refused(scratch, {"eval", run.string(), "--checkpoint", "last", "--quiet"}, "last.h5");

  CHECK(test::file_text(run / "last.h5").size() == whole.size() / 2);
}

TEST_CASE("an old run folder is not written over") {
  const Scratch scratch;
  const auto config = test::write_tiny_experiment(scratch, 1);
  std::filesystem::create_directories(scratch / "run");
  std::ofstream(scratch / "run/mine.txt") << "keep";

  check_refused(scratch, {"train", config.string(), "--out", (scratch / "run").string()}, "--resume");

  CHECK(test::file_text(scratch / "run/mine.txt") == "keep");
}

}  // namespace
}  // namespace synfire
