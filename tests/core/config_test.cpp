#include "core/config.hpp"

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace synfire;

namespace {

constexpr const char* kText = R"(# a comment
seed = 7
title = "a run"

[learning]
epochs = 3
rate = 1e-3
shuffle = false
milestones = [1, 2.5]

[network]
input = [2, 34, 34]

[[network.layers]]
name = "conv1"
kind = "conv2d"
channels = 8

[[network.layers]]
name = "block1.conv"
kind = "conv2d"
channels = 16
)";

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The text of the ConfigError that `action` throws; empty if it throws none.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("values of every kind are read as they stand in the file") {
  const Config config = Config::parse(kText, "run.toml");
  const ConfigTable root = config.root();
  const ConfigTable learning = root.table("learning");

  CHECK(root.integer("seed", {}, 0) == 7);
  CHECK(root.text("title") == "a run");
  CHECK(learning.integer("epochs", {}, 1) == 3);
  CHECK(learning.number("epochs", {}, 0.0, kInfinity) == 3.0);
  CHECK(learning.number("rate", {}, 0.0, 1.0) == 1e-3);
  CHECK_FALSE(learning.flag("shuffle"));
  CHECK(learning.numbers("milestones") == std::vector<double>{1.0, 2.5});
  const std::vector<ConfigTable> layers = root.table("network").tables("layers");
  REQUIRE(layers.size() == 2);
  CHECK(layers[1].choice("kind", {"linear", "conv2d"}) == "conv2d");
  CHECK(root.has("seed"));
  CHECK_FALSE(root.has("seeds"));
}

TEST_CASE("a default stands in for what is not there; without one the key must be given") {
  const Config config = Config::parse("[a]\nx = 1\n", "run.toml");
  const ConfigTable table = config.root().table("a");

  CHECK(table.integer("y", 5, 0) == 5);
  CHECK(table.text("z", "word") == "word");
  CHECK(config.root().table("missing").flag("on", true));
  CHECK(config.root().tables("none").empty());
  CHECK(error_of([&] { table.text("name"); }) == "run.toml:1: a.name: must be given");
  CHECK(error_of([&] { config.root().table("missing").text("name"); }) == "run.toml: missing.name: must be given");
}

TEST_CASE("an unknown key is an error with file, line and the nearest known key") {
  const Config config = Config::parse("seed = 1\n\n[learning]\nepoch = 3\nratio = 2\n", "run.toml");
  config.root().integer("seed", {}, 0);
  const ConfigTable learning = config.root().table("learning");
  learning.integer("epochs", 10, 1);
  learning.number("rate", 0.1, 0.0, 1.0);

  CHECK(error_of([&] { config.root().finish(); }) ==
        "run.toml:4: learning.epoch: unknown key, the nearest known one is \"epochs\"");
  try {
    learning.finish();
    FAIL("no error");
  } catch (const ConfigError& error) {
    CHECK(error.file == "run.toml");
    CHECK(error.line == 4);
    CHECK(error.key == "learning.epoch");
  }
}

TEST_CASE("an unknown table and an unknown key in an array of tables are found too") {
  const Config tables = Config::parse("[lerning]\nepochs = 1\n", "run.toml");
  tables.root().table("learning");
  CHECK(error_of([&] { tables.root().finish(); }) ==
        "run.toml:1: lerning: unknown key, the nearest known one is \"learning\"");

  const Config arrays = Config::parse(kText, "run.toml");
  for (const ConfigTable& layer : arrays.root().table("network").tables("layers")) {
    layer.text("name");
    layer.text("kind");
  }
  CHECK(error_of([&] { arrays.root().table("network").tables("layers")[0].finish(); }) ==
        "run.toml:17: network.layers.conv1.channels: unknown key, the nearest known one is \"name\"");
}

TEST_CASE("finish is content when every key was asked for, whichever handle asked") {
  const Config config = Config::parse(kText, "run.toml");
  config.root().integer("seed", {}, 0);
  config.root().text("title");
  const ConfigTable learning = config.root().table("learning");
  learning.integer("epochs", {}, 1);
  config.root().table("learning").number("rate", {}, 0.0, 1.0);
  learning.flag("shuffle");
  learning.numbers("milestones");
  config.root().table("network").numbers("input");
  for (const ConfigTable& layer : config.root().table("network").tables("layers")) {
    layer.text("name");
    layer.text("kind");
    layer.integer("channels", {}, 1);
  }

  CHECK(error_of([&] { config.root().finish(); }).empty());
}

TEST_CASE("a value of the wrong type is an error that says both types") {
  const Config config = Config::parse("a = 1.5\nb = \"x\"\nc = true\nd = [1, \"x\"]\ne = 1\n[f]\ng = [1]", "run.toml");
  const ConfigTable root = config.root();

  CHECK(error_of([&] { root.integer("a", {}, 0); }) ==
        "run.toml:1: a: must be an integer, is a number with a fraction");
  CHECK(error_of([&] { root.number("b", {}, 0.0, 1.0); }) == "run.toml:2: b: must be a number, is text");
  CHECK(error_of([&] { root.text("c"); }) == "run.toml:3: c: must be text, is true or false");
  CHECK(error_of([&] { root.numbers("d"); }) == "run.toml:4: d: must be a number, is text");
  CHECK(error_of([&] { root.texts("d"); }) == "run.toml:4: d: must be text, is an integer");
  CHECK(error_of([&] { root.flag("e"); }) == "run.toml:5: e: must be true or false, is an integer");
  CHECK(error_of([&] { root.table("e"); }) == "run.toml:5: e: must be a table, is an integer");
  CHECK(error_of([&] { root.tables("f"); }) == "run.toml:6: f: must be an array of tables, is a table");
  CHECK(error_of([&] { root.table("f").tables("g"); }) == "run.toml:7: f.g: must hold tables only, has an integer");
  CHECK(error_of([&] { root.text("f"); }) == "run.toml:6: f: must be text, is a table");
}

TEST_CASE("a value outside its range is an error, and a NaN is outside every range") {
  const Config config = Config::parse("a = 0\nb = nan\nc = inf\nd = 1.5\n", "run.toml");
  const ConfigTable root = config.root();

  CHECK(error_of([&] { root.integer("a", {}, 1); }) == "run.toml:1: a: must be at least 1, is 0");
  CHECK(error_of([&] { root.integer("a", {}, 1, 8); }) == "run.toml:1: a: must be between 1 and 8, is 0");
  CHECK(error_of([&] { root.number("b", {}, -kInfinity, kInfinity); }) != "");
  CHECK(error_of([&] { root.number("c", {}, 0.0, std::numeric_limits<double>::max()); }) ==
        "run.toml:3: c: must be at least 0, is inf");
  CHECK(root.number("c", {}, 0.0, kInfinity) == kInfinity);
  CHECK(error_of([&] { root.number("d", {}, 0.0, 1.0); }) == "run.toml:4: d: must be between 0 and 1, is 1.5");
  CHECK(error_of([&] {
          root.choice("e", {"adam", "sgd"}, "admm");
        }) == "run.toml: e: must be one of adam, sgd; the nearest to \"admm\" is \"adam\"");
}

TEST_CASE("text that is not TOML is an error with its line") {
  CHECK(error_of([] { Config::parse("a = 1\nb = = 2\n", "run.toml"); }).starts_with("run.toml:2: "));
  CHECK(error_of([] { Config::parse("a = 1\na = 2\n", "run.toml"); }).starts_with("run.toml:2: "));
  CHECK(error_of([] { Config::parse("[a\n", "run.toml"); }).starts_with("run.toml:1: "));
  CHECK(error_of([] { Config::parse("a = \"\xff\"\n", "run.toml"); }).starts_with("run.toml:1: "));
  CHECK(error_of([] { Config::parse("a = " + std::string(100000, '['), "run.toml"); }).starts_with("run.toml:1: "));
}

TEST_CASE("an override replaces, adds and reaches into arrays of tables by name") {
  const Config config =
      Config::parse(kText, "run.toml",
                    {"learning.epochs=5", "learning.optimizer=adam", "network.layers.conv1.channels=32",
                     "network.layers.block1.conv.channels=64", "new.list=[\"a\", \"b\"]", "title=x = y", "seed=0x10"});
  const ConfigTable root = config.root();

  CHECK(root.table("learning").integer("epochs", {}, 1) == 5);
  CHECK(root.table("learning").text("optimizer") == "adam");
  CHECK(root.table("network").tables("layers")[0].integer("channels", {}, 1) == 32);
  CHECK(root.table("network").tables("layers")[1].integer("channels", {}, 1) == 64);
  CHECK(root.table("new").texts("list") == std::vector<std::string>{"a", "b"});
  CHECK(root.text("title") == "x = y");
  CHECK(root.integer("seed", {}, 0) == 16);
}

TEST_CASE("an override that cannot be meant is an error that repeats it") {
  const auto parse = [](const std::string& text) {
    return error_of([&] { Config::parse(kText, "run.toml", {text}); });
  };

  CHECK(parse("epochs") == "--set epochs: must be key=value");
  CHECK(parse("=3") == "--set =3: must be key=value");
  CHECK(parse("learning.=3") == "--set learning.=3: the key has an empty part");
  CHECK(parse("seed.x=3") == "--set seed.x=3: \"seed\" is an integer, not a table");
  CHECK(parse("network.layers.conv2.channels=3") ==
        "--set network.layers.conv2.channels=3: no table is named \"conv2\", the nearest is \"conv1\"");
  CHECK(parse("title=\"open").starts_with("--set title=\"open: "));
}

TEST_CASE("an unknown or wrong value from the command line is blamed on the command line, not on a line") {
  const Config config = Config::parse(kText, "run.toml", {"learning.epochs=many", "learning.epoch=5"});
  const ConfigTable learning = config.root().table("learning");

  CHECK(error_of([&] { learning.integer("epochs", {}, 1); }) ==
        "--set learning.epochs=many: learning.epochs: must be an integer, is text");
  learning.number("rate", {}, 0.0, 1.0);
  learning.flag("shuffle");
  learning.numbers("milestones");
  CHECK(error_of([&] { learning.finish(); }) ==
        "--set learning.epoch=5: learning.epoch: unknown key, the nearest known one is \"epochs\"");
}

TEST_CASE("variables in a path are replaced by the environment or by their default") {
  ::setenv("SYNFIRE_TEST_FOLDER", "/somewhere", 1);
  ::unsetenv("SYNFIRE_TEST_UNSET");
  const Config config = Config::parse(
      "a = \"${SYNFIRE_TEST_FOLDER}/x\"\nb = \"${SYNFIRE_TEST_UNSET:-data}/${SYNFIRE_TEST_FOLDER:-no}\"\n"
      "c = \"${SYNFIRE_TEST_UNSET}\"\nd = \"${open\"\ne = \"plain/$x\"\n",
      "run.toml");
  const ConfigTable root = config.root();

  CHECK(root.path("a") == "/somewhere/x");
  CHECK(root.path("b") == "data//somewhere");
  CHECK(root.path("e") == "plain/$x");
  CHECK(error_of([&] { root.path("c"); }).starts_with("run.toml:3: c: the environment variable SYNFIRE_TEST_UNSET"));
  CHECK(error_of([&] { root.path("d"); }) == "run.toml:4: d: has a ${ without a }");
}

TEST_CASE("one path or an array of them is read alike") {
  ::unsetenv("SYNFIRE_TEST_UNSET");
  const Config config = Config::parse(
      "one = \"${SYNFIRE_TEST_UNSET:-data}/x\"\nmany = [\"a\", \"${SYNFIRE_TEST_UNSET:-b}\"]\nnone = 3\n", "run.toml");
  const ConfigTable root = config.root();

  CHECK(root.paths("one") == std::vector<std::filesystem::path>{"data/x"});
  CHECK(root.paths("many") == std::vector<std::filesystem::path>{"a", "b"});
  CHECK(root.paths("other", std::vector<std::string>{"c"}) == std::vector<std::filesystem::path>{"c"});
  CHECK(error_of([&] { root.paths("none"); }) == "run.toml:3: none: must be an array, is an integer");
  CHECK(config.resolved().find("one = ['data/x']") != std::string::npos);
}

TEST_CASE("the resolved text has defaults and overrides, and running it again resolves to itself") {
  const auto read = [](const Config& config) {
    const ConfigTable root = config.root();
    root.integer("seed", {}, 0);
    root.text("title");
    root.path("data", "${SYNFIRE_TEST_UNSET:-data}/x");
    const ConfigTable learning = root.table("learning");
    learning.integer("epochs", {}, 1);
    learning.number("rate", {}, 0.0, 1.0);
    learning.number("decay", 1.0, 0.0, 1.0);
    learning.number("limit", kInfinity, 0.0, kInfinity);
    learning.flag("shuffle");
    learning.numbers("milestones");
    learning.table("schedule").text("kind", "a \"quoted\" word\nand a second line");
    root.table("network").numbers("input");
    for (const ConfigTable& layer : root.table("network").tables("layers")) {
      layer.text("name");
      layer.text("kind");
      layer.integer("channels", {}, 1);
      layer.table("neuron").number("tau_mem_ms", 20.0, 0.0, 1e6);
    }
    root.table("unused");
    root.finish();
    return config.resolved();
  };

  const std::string once = read(Config::parse(kText, "run.toml", {"learning.epochs=5"}));
  const std::string twice = read(Config::parse(once, "resolved.toml"));

  CHECK(once == twice);
  CHECK(once.find("epochs = 5\n") != std::string::npos);
  CHECK(once.find("decay = 1.0\n") != std::string::npos);
  CHECK(once.find("data = ") != std::string::npos);
  CHECK(once.find("[learning.schedule]\n") != std::string::npos);
  CHECK(once.find("[network.layers.neuron]\ntau_mem_ms = 20.0\n") != std::string::npos);
  CHECK(once.find("unused") == std::string::npos);
}

TEST_CASE("a check of the caller's own is an error at the key, or at the table") {
  const Config config = Config::parse(kText, "run.toml");
  const ConfigTable layer = config.root().table("network").tables("layers")[0];

  CHECK(error_of([&] { layer.fail("kind", "is odd"); }) == "run.toml:16: network.layers.conv1.kind: is odd");
  CHECK(error_of([&] { layer.fail("", "is odd"); }) == "run.toml:14: network.layers.conv1: is odd");
  CHECK(error_of([&] { config.root().fail("", "is odd"); }) == "run.toml: is odd");
}

TEST_CASE("a configuration is loaded from a file, and a missing one is a FileError") {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "run.toml", "x = 1\n");

  CHECK(Config::load(folder / "run.toml", {"y=2"}).root().integer("y", {}, 0) == 2);
  CHECK_THROWS_AS(Config::load(folder / "none.toml"), FileError);
}
