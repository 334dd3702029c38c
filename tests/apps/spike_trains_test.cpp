#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "datasets/shd_writer.hpp"
#include "tests/apps/program.hpp"
#include "tests/datasets/made_spike_trains.hpp"

namespace synfire {
namespace {

using test::ProgramResult;
using test::run_program;
using test::Scratch;

/// Two classes that are easy to tell apart: the spikes of even samples are in low channels, those of odd ones in high.
datasets::SpikeTrainSet low_and_high(int num_samples, std::uint64_t seed) {
  datasets::SpikeTrainSet set = test::made_spike_trains(num_samples, 2, seed);
  set.class_names = {"low", "high"};
  for (std::size_t s = 0; s < set.samples.size(); ++s)
    for (std::uint16_t& channel : set.samples[s].channel)
      channel = static_cast<std::uint16_t>(channel / 2 + (s % 2 == 0 ? 0 : 350));
  return set;
}

TEST_CASE("data info says what a file of spike trains holds") {
  const Scratch scratch;
  datasets::SpikeTrainSet set = test::made_spike_trains(12, 3);
  set.samples[5] = {};
  set.speaker_names = {"anna", "bert"};
  const std::string file = (scratch / "a.h5").string();
  datasets::write_shd(file, set);

  const ProgramResult json = run_program(scratch, {"data", "info", "--json", file});
  const ProgramResult text = run_program(scratch, {"data", "info", file});

  REQUIRE_MESSAGE(json.exit_code == 0, json.err);
  const auto info = nlohmann::json::parse(json.out);
  CHECK(info["format"] == "shd");
  CHECK(info["channels"] == 700);
  CHECK(info["samples"] == 12);
  CHECK(info["empty_samples"] == 1);
  CHECK(info["classes"].size() == 3);
  CHECK(info["classes"][2]["name"] == "class2");
  CHECK(info["classes"][2]["samples"] == 4);
  CHECK(info["speakers"][1]["name"] == "bert");
  CHECK(info["speakers"][3]["samples"] == 3);
  std::size_t spikes = 0;
  for (const datasets::SpikeTrain& train : set.samples) spikes += train.t_s.size();
  CHECK(info["spikes"] == spikes);
  CHECK(info["spikes_per_sample"]["min"] == 0);
  CHECK(text.exit_code == 0);
  CHECK(text.out.find("speaker 1, bert") != std::string::npos);
}

TEST_CASE("data view draws a sample of spike trains, and says which ones there are") {
  const Scratch scratch;
  const std::string file = (scratch / "a.h5").string(), out = (scratch / "pictures").string();
  datasets::write_shd(file, test::made_spike_trains(12, 3));

  const ProgramResult drawn = run_program(scratch, {"data", "view", file, "--sample", "7", "--out", out});
  REQUIRE_MESSAGE(drawn.exit_code == 0, drawn.err);
  CHECK(drawn.out.find("class class1, speaker 2") != std::string::npos);
  CHECK(test::file_text(scratch / "pictures/sample_7.png").starts_with("\x89PNG"));

  const ProgramResult refused = run_program(scratch, {"data", "view", file, "--sample", "12", "--out", out});
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("has samples 0 to 11, got 12") != std::string::npos);
}

TEST_CASE("a file of spike trains that is cut is one clear error") {
  const Scratch scratch;
  datasets::write_shd(scratch / "a.h5", test::made_spike_trains(12, 3));
  std::filesystem::resize_file(scratch / "a.h5", 3000);

  for (const char* command : {"info", "view"}) {
    const ProgramResult result = run_program(scratch, {"data", command, (scratch / "a.h5").string()});
    CHECK(result.exit_code == 2);
    CHECK(test::is_one_error_line(result.err));
  }
}

TEST_CASE("a network learns from spike trains, and its report shows them") {
  const Scratch scratch;
  datasets::write_shd(scratch / "train.h5", low_and_high(64, 1));
  datasets::write_shd(scratch / "test.h5", low_and_high(24, 2));
  const std::filesystem::path config = scratch / "tiny.toml";
  std::ofstream(config) << "name = \"tiny\"\n[data]\nkind = \"shd\"\ntrain = \"" << (scratch / "train.h5").string()
                        << "\"\ntest = \"" << (scratch / "test.h5").string() << "\"\n"
                        << R"(validation = 0.25
validation_by = "speaker"
[spikes]
dt_ms = 20.0
channel_group = 50
[augment]
channel_jitter = 5.0
cutmix = 0.2
[network]
dt_ms = 20.0
[[network.layers]]
type = "linear"
out_features = 32
[[network.layers]]
type = "batch_norm"
[[network.layers]]
type = "lif"
tau_mem_ms = 200.0
[[network.layers]]
type = "linear"
out_features = 2
[learning]
epochs = 8
batch_size = 8
learning_rate = 0.02
mask_padding = true
loss = "softmax_sum_cross_entropy"
)";

  const ProgramResult first =
      run_program(scratch, {"train", config.string(), "--quiet", "--out", (scratch / "a").string(), "--threads", "1"});
  REQUIRE_MESSAGE(first.exit_code == 0, first.err);
  const ProgramResult second =
      run_program(scratch, {"train", config.string(), "--quiet", "--out", (scratch / "b").string(), "--threads", "2"});
  REQUIRE_MESSAGE(second.exit_code == 0, second.err);

  const auto evaluation = nlohmann::json::parse(test::file_text(scratch / "a/evaluation.json"));
  CHECK(evaluation["accuracy"].get<double>() > 0.9);
  CHECK(test::file_text(scratch / "a/evaluation.json") == test::file_text(scratch / "b/evaluation.json"));
  const std::string report = test::file_text(scratch / "a/report.html");
  CHECK(report.find("iVBORw0KGgo") != std::string::npos);  // how a PNG begins in base 64
}

}  // namespace
}  // namespace synfire
