#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "core/hdf5_file.hpp"
#include "tests/apps/lag_experiment.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/tiny_experiment.hpp"

namespace synfire {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ProgramResult;
using test::run_program;
using test::Scratch;

/// Delays, batch norm, hard reset; two inputs, eight hidden neurons.
fs::path write_config(const Scratch& scratch) {
  return test::write_lag_experiment(scratch,
                                    "epochs = 12\nselection = \"last\"\n[learning.delays]\nround_from_epoch = 6\n");
}

fs::path trained(const Scratch& scratch) {
  const fs::path config = write_config(scratch), run = scratch / "run";
  REQUIRE(run_program(scratch, {"train", config.string(), "--out", run.string(), "--quiet"}).exit_code == 0);
  return run;
}

ProgramResult simulate(const Scratch& scratch, const fs::path& network, std::vector<std::string> more) {
  more.insert(more.begin(), {"simulate", network.string(), "--quiet"});
  return run_program(scratch, more);
}

json simulated(const Scratch& scratch, const fs::path& network, std::vector<std::string> more) {
  more.emplace_back("--json");
  const ProgramResult result = simulate(scratch, network, more);
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return json::parse(result.out);
}

/// Rows without the header, split at commas.
std::vector<std::vector<std::string>> read_csv(const fs::path& file) {
  std::ifstream lines(file);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
  }
  REQUIRE_FALSE(rows.empty());
  rows.erase(rows.begin());
  return rows;
}

using Spike = std::tuple<std::int64_t, std::int32_t, std::int32_t>;  // sample, tick, neuron

std::map<std::string, std::vector<Spike>> spikes_of_csv(const fs::path& file) {
  std::map<std::string, std::vector<Spike>> spikes;
  for (const auto& row : read_csv(file)) {
    spikes[row.at(1)].emplace_back(std::stoll(row.at(0)), std::stoi(row.at(2)), std::stoi(row.at(3)));
  }
  return spikes;
}

std::vector<Spike> spikes_of_hdf5(const Hdf5File& file, const std::string& layer) {
  const std::string group = "layers/" + layer;
  const auto sample = file.read<std::int64_t>(group + "/sample");
  const auto tick = file.read<std::int32_t>(group + "/tick"), neuron = file.read<std::int32_t>(group + "/neuron");
  REQUIRE(sample.size() == tick.size());
  REQUIRE(sample.size() == neuron.size());
  std::vector<Spike> spikes;
  for (std::size_t i = 0; i < tick.size(); ++i) spikes.emplace_back(sample[i], tick[i], neuron[i]);
  return spikes;
}

bool is_png(const fs::path& file) { return test::file_text(file).starts_with("\x89PNG"); }

TEST_CASE("a simulated split classifies like the evaluation, and its spikes are in the files") {
  const Scratch scratch;
  const fs::path run = trained(scratch), out = scratch / "spikes";

  const json result = simulated(scratch, run, {"--out", out.string()});
  const json evaluation =
      json::parse(run_program(scratch, {"eval", run.string(), "--engine", "event", "--json", "--quiet"}).out);

  CHECK(result["samples"] == 64);
  CHECK(result["correct"] == evaluation["correct"]);
  auto csv = spikes_of_csv(out / "spikes.csv");
  const Hdf5File hdf5 = Hdf5File::open(out / "spikes.h5");
  CHECK(hdf5.read<double>("dt_ms") == std::vector<double>{10.0});
  CHECK(hdf5.read<std::int64_t>("samples/index").size() == 64);
  CHECK(hdf5.members("layers") == std::vector<std::string>{"input", "lif1"});
  REQUIRE(result["layers"].size() == 3);
  for (const std::size_t i : {0U, 1U}) {
    const json& layer = result["layers"][i];
    const std::vector<Spike> spikes = spikes_of_hdf5(hdf5, layer["name"]);
    CHECK(spikes == csv[layer["name"]]);
    CHECK(spikes.size() == layer["spikes"]);
    CHECK(layer["spikes"] > 0);
  }
  CHECK(is_png(out / "raster.png"));
  for (const auto& entry : fs::directory_iterator(out)) CHECK(entry.path().extension() != ".partial");
}

TEST_CASE("one sample: its rates, silent neurons and counts add up, and its membrane crosses where it fires") {
  const Scratch scratch;
  const fs::path run = trained(scratch), out = scratch / "one";

  const json result =
      simulated(scratch, run, {"--sample", "5", "--out", out.string(), "--neuron", "lif1:0", "--neuron", "lif1:7"});

  auto all_spikes = spikes_of_csv(out / "spikes.csv");
  const std::vector<Spike>& spikes = all_spikes["lif1"];
  const json& layer = result["layers"][1];
  // 24 ticks of input and the 4 that the delays of 8 ticks add.
  constexpr double kTicks = 28.0;
  std::vector<int> of_neuron(8);
  for (const auto& [sample, tick, neuron] : spikes) {
    CHECK(sample == 5);
    CHECK(tick < kTicks);
    ++of_neuron.at(static_cast<std::size_t>(neuron));
  }
  const auto num_spikes = static_cast<double>(spikes.size());
  CHECK(num_spikes > 0.0);
  CHECK(layer["spikes"] == spikes.size());
  CHECK(layer["rate_per_tick"].get<double>() == doctest::Approx(num_spikes / (8.0 * kTicks)));
  CHECK(layer["rate_hz"].get<double>() == doctest::Approx(num_spikes / (8.0 * kTicks * 0.01)));
  CHECK(layer["silent_share"].get<double>() ==
        static_cast<double>(std::count(of_neuron.begin(), of_neuron.end(), 0)) / 8.0);
  CHECK(layer["clocked_neuron_updates"] == 8 * kTicks);
  CHECK(layer["neuron_updates"] <= 8 * kTicks);
  CHECK(layer["synaptic_events"] == 2 * 8);  // two input spikes reach all neurons
  CHECK(result["scores"].size() == 8);
  CHECK(result["layers"][0]["spikes"] == 2);

  std::map<int, int> marked;
  const auto rows = read_csv(out / "traces.csv");
  CHECK(rows.size() == 2 * kTicks);
  for (const auto& row : rows) {
    const bool fired = row.at(5) == "1";
    CHECK((std::stod(row.at(4)) >= 1.0) == fired);
    if (fired) ++marked[std::stoi(row.at(3))];
  }
  CHECK(marked[0] == of_neuron[0]);
  CHECK(marked[7] == of_neuron[7]);
  CHECK(is_png(out / "traces.png"));
}

TEST_CASE("both engines simulate the same spikes") {
  const Scratch scratch;
  const fs::path run = trained(scratch);

  simulated(scratch, run, {"--out", (scratch / "events").string()});
  const json clocked = simulated(scratch, run, {"--engine", "clocked", "--out", (scratch / "clocked").string()});

  auto events_spikes = spikes_of_csv(scratch / "events" / "spikes.csv"),
       clocked_spikes = spikes_of_csv(scratch / "clocked" / "spikes.csv");
  CHECK(events_spikes["input"] == clocked_spikes["input"]);
  // The clocked engine trains in float: a membrane within rounding of its threshold may fire in one of them alone.
  std::vector<Spike> odd;
  std::set_symmetric_difference(events_spikes["lif1"].begin(), events_spikes["lif1"].end(),
                                clocked_spikes["lif1"].begin(), clocked_spikes["lif1"].end(), std::back_inserter(odd));
  CHECK(odd.size() <= 1);
  CHECK(events_spikes["lif1"].size() > 10);
  CHECK_FALSE(clocked["layers"][1].contains("synaptic_events"));
}

TEST_CASE("made input has the rate that was asked for and follows the seed alone") {
  const Scratch scratch;
  const fs::path config = write_config(scratch);
  const auto made = [&](const std::string& input, const std::string& seed, const std::string& threads) {
    const fs::path out = scratch / ("made" + seed + threads);
    const json result =
        simulated(scratch, config,
                  {"--input", input, "--ticks", "20000", "--seed", seed, "--threads", threads, "--out", out.string()});
    CHECK(result["weights"].get<std::string>().starts_with("not trained"));
    CHECK(result["layers"][0]["neurons"] == 2);
    return std::pair(result["layers"][0]["spikes"].get<double>(), spikes_of_csv(out / "spikes.csv"));
  };

  const auto [poisson, spikes] = made("poisson:20", "1", "1");
  const auto [again, spikes_again] = made("poisson:20", "1", "2");
  const auto [other, other_spikes] = made("poisson:20", "2", "1");
  const auto [regular, regular_spikes] = made("regular:20", "3", "1");

  // 2 inputs at 20 Hz for 200 s: 8,000 spikes, with a standard deviation of sqrt(8000); 5 of them.
  CHECK(std::abs(poisson - 8000.0) <= 5.0 * std::sqrt(8000.0));
  CHECK(spikes == spikes_again);
  CHECK(spikes != other_spikes);
  // Each input 4,000 times, but for the phase at either end.
  CHECK(std::abs(regular - 8000.0) <= 2.0);
  std::map<int, int> last;
  for (const auto& [sample, tick, neuron] : regular_spikes.at("input")) {
    if (last.contains(neuron)) CHECK(tick - last[neuron] == 5);  // 50 ms, within rounding of a phase on a tick's edge
    last[neuron] = tick;
  }
}

TEST_CASE("spikes from a file act as those of a sample") {
  const Scratch scratch;
  const fs::path run = trained(scratch);
  const json of_sample = simulated(scratch, run, {"--sample", "9", "--out", (scratch / "a").string()});
  std::ofstream csv(scratch / "spikes_in.csv");
  csv << "tick,neuron\r\n";
  auto spikes = spikes_of_csv(scratch / "a" / "spikes.csv");
  for (const auto& [sample, tick, neuron] : spikes["input"]) csv << tick << ',' << neuron << "\n";
  csv.close();

  const json of_file = simulated(scratch, run, {"--input", (scratch / "spikes_in.csv").string(), "--ticks", "24"});

  CHECK(of_file["layers"] == of_sample["layers"]);
  CHECK(of_file["scores"] == of_sample["scores"]);
  CHECK_FALSE(of_file.contains("label"));
}

TEST_CASE("a single recording of an event camera is simulated as the sample that it is in its split") {
  const Scratch scratch;
  const fs::path config = test::write_tiny_experiment(scratch, 1), run = scratch / "tiny_run";
  REQUIRE(run_program(scratch, {"train", config.string(), "--out", run.string(), "--quiet"}).exit_code == 0);

  const json of_split = simulated(scratch, run, {"--sample", "2"});
  const json of_file = simulated(scratch, run, {"--data", (scratch / "test" / "left" / "2.bin").string()});

  CHECK(of_split["input"].get<std::string>().find("left/2.bin") != std::string::npos);
  CHECK(of_file["layers"] == of_split["layers"]);
  CHECK(of_file["scores"][0]["class"] == "left");  // known from the evaluation of the run
  CHECK_FALSE(of_file.contains("label"));
  CHECK(of_split["label"] == 0);
}

TEST_CASE("a network that the event engine does not run is told so, and runs clocked") {
  const Scratch scratch;
  const fs::path config = scratch / "layer_norm.toml";
  std::ofstream(config) << R"([data]
kind = "lag"
test_samples = 8
[network]
[[network.layers]]
type = "linear"
out_features = 6
[[network.layers]]
type = "layer_norm"
[[network.layers]]
type = "recurrent"
name = "loop"
neuron = "adlif"
[[network.layers]]
type = "linear"
out_features = 8
[learning]
epochs = 1
)";

  const ProgramResult events = simulate(scratch, config, {"--sample", "0"});
  const json clocked = simulated(scratch, config, {"--sample", "0", "--engine", "clocked"});

  CHECK(events.exit_code == 2);
  CHECK(test::is_one_error_line(events.err));
  CHECK(events.err.find("--engine clocked runs") != std::string::npos);
  REQUIRE(clocked["layers"].size() == 3);
  CHECK(clocked["layers"][1]["name"] == "loop");
  CHECK(clocked["layers"][1]["kind"] == "recurrent");
  CHECK(clocked["layers"][1]["clocked_neuron_updates"] == 6 * 24);
}

TEST_CASE("Ctrl-C leaves no file, neither whole nor half") {
  const Scratch scratch;
  const fs::path config = scratch / "many.toml", out = scratch / "stopped";
  std::string text = test::file_text(write_config(scratch));
  text.replace(text.find("test_samples = 64"), 17, "test_samples = 4000000");
  std::ofstream(config) << text;

  const pid_t child = test::start_program(
      scratch, {"simulate", config.string(), "--engine", "clocked", "--out", out.string(), "--quiet"});
  // The files lie aside as soon as the first batch is done.
  for (int i = 0; i < 4000 && !fs::exists(out / "spikes.csv.partial"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  REQUIRE(fs::exists(out / "spikes.csv.partial"));
  kill(child, SIGINT);
  const ProgramResult stopped = test::wait_for(scratch, child);

  CHECK(stopped.exit_code == 130);
  CHECK(stopped.out.empty());
  CHECK(fs::is_empty(out));
}

TEST_CASE("what cannot be simulated is told in one line, and nothing is written") {
  const Scratch scratch;
  const fs::path config = write_config(scratch), out = scratch / "none";
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(scratch / name) << text;
    return (scratch / name).string();
  };
  std::string many;
  for (int i = 0; i < 64; ++i) many += "3,1\n";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--sample", "64"}, "samples 0 to 63"},
      {{"--sample", "-1"}, "samples 0 to 63"},
      {{"--neuron", "lif1:8"}, "neurons 0 to 7"},
      {{"--neuron", "lif2:0"}, "nearest is \"lif1\""},
      {{"--neuron", "lif1"}, "LAYER:INDEX"},
      {{"--neuron", "lif1:0", "--engine", "clocked"}, "only the event engine"},
      {{"--engine", "sparse"}, "event or clocked"},
      {{"--split", "train"}, "test or validation"},
      {{"--split", "validation"}, "no validation data"},
      {{"--input", "poisson"}, "poisson:HZ"},
      {{"--input", "poisson:-3"}, "poisson:HZ"},
      {{"--input", "poisson:nan"}, "poisson:HZ"},
      {{"--input", "poisson:1e9"}, "at most 16 spikes a tick"},
      {{"--input", "regular:1e9"}, "at most 62 spikes a tick"},
      {{"--input", "poisson:3", "--sample", "0"}, "does not go with"},
      {{"--input", "poisson:3", "--ticks", "0"}, "--ticks"},
      {{"--input", "poisson:3", "--ticks", "99999999999"}, "--ticks"},
      {{"--sample", "0", "--ticks", "99999999999"}, "--ticks"},
      {{"--input", (scratch / "missing.csv").string()}, "missing.csv"},
      {{"--input", write("half.csv", "tick,neuron\n0,0.5\n")}, "line 2: expected tick,neuron"},
      {{"--input", write("word.csv", "0,one\n")}, "line 1: expected tick,neuron"},
      {{"--input", write("outside.csv", "0,0\n1,2\n")}, "line 2: the network reads [2]"},
      {{"--input", write("late.csv", "9999999999,0\n")}, "line 1: ticks are"},
      {{"--input", write("many.csv", many)}, "more than 63 spikes"},
      {{"--data", config.string()}, "are made"},
      {{"--seed", "-1"}, "--seed"}};

  for (const auto& [args, words] : cases) {
    std::vector<std::string> all = args;
    all.insert(all.end(), {"--out", out.string()});
    const ProgramResult result = simulate(scratch, config, all);
    CAPTURE(args.back());
    CHECK(result.exit_code == 2);
    CHECK(test::is_one_error_line(result.err));
    CHECK_MESSAGE(result.err.find(words) != std::string::npos, result.err);
  }
  CHECK_FALSE(fs::exists(out));
}

}  // namespace
}  // namespace synfire
