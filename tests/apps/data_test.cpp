#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/apps/tiny_experiment.hpp"
#include "tests/support/data_folder.hpp"

namespace synfire {
namespace {

using test::ProgramResult;
using test::run_program;
using test::Scratch;

TEST_CASE("data info --json names format, sensor, counts and times") {
  const Scratch scratch;
  test::write_moving_dots(scratch / "dots", 1, 1);

  const ProgramResult result = run_program(scratch, {"data", "info", "--json", (scratch / "dots/left/0.bin").string()});

  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const auto info = nlohmann::json::parse(result.out);
  CHECK(info["format"] == "bin");
  CHECK(info["width"] == 34);
  CHECK(info["height"] == 34);
  CHECK(info["events"] == 48);
  CHECK(info["t_first_us"] == 0);
  CHECK(info["t_last_us"] == 11 * 20000 + 3);
  CHECK(info["on"] == 24);
  CHECK(info["off"] == 24);
  CHECK(info["backward_steps"] == 0);
}

TEST_CASE("a converted recording has the same events") {
  const Scratch scratch;
  test::write_moving_dots(scratch / "dots", 1, 1);
  const std::string bin = (scratch / "dots/right/0.bin").string();
  const std::string aedat4 = (scratch / "dots.aedat4").string(), back = (scratch / "back.bin").string();

  REQUIRE(run_program(scratch, {"data", "convert", bin, aedat4, "--to", "aedat4"}).exit_code == 0);
  REQUIRE(run_program(scratch, {"data", "convert", aedat4, back, "--to", "bin"}).exit_code == 0);

  CHECK(test::file_text(bin) == test::file_text(back));
}

TEST_CASE("data info on a real DVS128 recording") {
  const auto data = test::data_folder();
  if (!data) return;
  const Scratch scratch;

  const ProgramResult result =
      run_program(scratch, {"data", "info", "--json", (*data / "dvs128_objects/s2/mug__Caneca.aedat").string()});

  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const auto info = nlohmann::json::parse(result.out);
  CHECK(info["format"] == "aedat2");
  CHECK(info["events"] == 351217);
  CHECK(info["t_first_us"] == 3251121587);
  CHECK(info["on"] == 193235);
}

}  // namespace
}  // namespace synfire
