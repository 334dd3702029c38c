#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "core/hdf5_file.hpp"
#include "tests/apps/program.hpp"

using namespace synfire;

namespace {

const std::string kConfig = std::string(SYNFIRE_SOURCE_DIR) + "/configs/brunel.toml";

/// configs/brunel.toml, a tenth as large and long.
std::vector<std::string> small(std::vector<std::string> more) {
  std::vector<std::string> args = {"simulate", "network",
                                   kConfig,    "--quiet",
                                   "--set",    "simulation.duration_ms=120",
                                   "--set",    "simulation.discard_ms=20"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

}  // namespace

TEST_CASE("simulate network runs Brunel's network and prints how it fires") {
  const test::Scratch scratch;
  const auto result = test::run_program(scratch, small({"--json"}));

  CHECK(result.exit_code == 0);
  const auto json = nlohmann::json::parse(result.out);
  CHECK(json["neurons"] == 10000);
  CHECK(json["synapses"] == 10000000);
  CHECK(json["populations"].size() == 3);
  CHECK(json["populations"][2]["name"] == "all");
  // 35.6 Hz in the long run; a tenth of a second is not that.
  CHECK(json["populations"][2]["rate_hz"] > 25.0);
  CHECK(json["populations"][2]["rate_hz"] < 45.0);
}

TEST_CASE("simulate network writes the same spikes to both files, for any number of threads") {
  const test::Scratch scratch;
  const auto result = test::run_program(scratch, small({"--out", (scratch / "one").string(), "--threads", "1"}));
  const auto again = test::run_program(scratch, small({"--out", (scratch / "two").string(), "--threads", "2"}));

  CHECK(result.exit_code == 0);
  CHECK(again.exit_code == 0);
  CHECK(result.out.find("excitatory") != std::string::npos);
  const std::string csv = test::file_text(scratch / "one/spikes.csv");
  CHECK(csv == test::file_text(scratch / "two/spikes.csv"));
  CHECK(test::file_text(scratch / "one/spikes.h5") == test::file_text(scratch / "two/spikes.h5"));

  const Hdf5File file = Hdf5File::open(scratch / "one/spikes.h5");
  CHECK(file.read_text("format") == "synfire network spikes");
  const auto tick = file.read<std::int64_t>("populations/inhibitory/tick");
  const auto neuron = file.read<std::int32_t>("populations/inhibitory/neuron");
  std::istringstream lines(csv);
  std::string line;
  std::size_t at = 0;
  bool same = true;
  while (std::getline(lines, line)) {
    if (line.find(",inhibitory,") == std::string::npos) continue;
    double time_ms = std::stod(line);
    same = same && at < tick.size() && std::abs(time_ms - 0.1 * static_cast<double>(tick[at])) < 1e-3 &&
           std::stoi(line.substr(line.rfind(',') + 1)) == neuron[at];
    ++at;
  }
  CHECK(same);
  CHECK(at == tick.size());
  CHECK(at > 1000);
}

TEST_CASE("a network that the config cannot mean is refused with the key") {
  const test::Scratch scratch;
  const auto error_of = [&](const std::string& setting) {
    const auto result = test::run_program(scratch, small({"--set", setting}));
    CHECK(result.exit_code == 2);
    CHECK(test::is_one_error_line(result.err));
    return result.err;
  };

  CHECK(error_of("network.dt_ms=0.4").find("must be a whole number of ticks of 0.4 ms") != std::string::npos);
  CHECK(error_of("network.lif.v_th_mv=-1").find("v_th_mv: must be above v_reset_mv") != std::string::npos);
  CHECK(error_of("network.max_memory_gib=0.001").find("its synapses need") != std::string::npos);
  CHECK(error_of("network.lif.tau=1").find("nearest") != std::string::npos);
}
