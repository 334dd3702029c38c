#include <cmath>
#include <cstdlib>
#include <numeric>

#include <doctest/doctest.h>

#include "datasets/frame_source.hpp"
#include "datasets/open_data.hpp"
#include "tests/support/data_folder.hpp"

// The configurations of the repository on the real recordings; what they should hold was counted from the recordings'
// index, not by the code under test.
namespace synfire::datasets {
namespace {

std::optional<DataSplits> open_config(const std::string& name, const std::vector<std::string>& overrides = {}) {
  const std::optional<std::filesystem::path> folder = test::data_folder();
  if (!folder) return std::nullopt;
  ::setenv("SYNFIRE_DATA", folder->c_str(), 1);
  const Config config = Config::load(std::filesystem::path(SYNFIRE_SOURCE_DIR) / "configs" / name, overrides);
  return open_data(config.root(), 16);
}

std::vector<int> samples_per_class(const Split& split) {
  std::vector<int> counts(split.class_names().size());
  for (std::int64_t i = 0; i < split.num_samples(); ++i) ++counts[static_cast<std::size_t>(split.label(i))];
  return counts;
}

const FrameSource& frames(const Split& split) { return dynamic_cast<const FrameSource&>(split); }

std::vector<int> trained_per_class(const DataSplits& splits) {
  std::vector<int> counts = samples_per_class(*splits.train);
  const std::vector<int> held = samples_per_class(*splits.validation);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += held[i];
  return counts;
}

int sum(const std::vector<int>& counts) { return std::accumulate(counts.begin(), counts.end(), 0); }

TEST_CASE("nmnist.toml: 801 digits to learn from and 80 to test on") {
  const std::optional<DataSplits> whole = open_config("nmnist.toml");
  const std::optional<DataSplits> splits = open_config("nmnist.toml", {"data.validation=0.1"});
  if (!splits) return;

  CHECK(whole->train->num_samples() == 801);
  CHECK(whole->validation == nullptr);
  CHECK(splits->train->num_samples() + splits->validation->num_samples() == 801);
  const std::vector<int> counts = trained_per_class(*splits), held = samples_per_class(*splits->validation);
  for (std::size_t label = 0; label < 10; ++label) CHECK(held[label] == std::lround(0.1 * counts[label]));
  CHECK(splits->test->num_samples() == 80);
  CHECK(splits->train->class_names() == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  CHECK(splits->train->sample_shape() == Shape{10, 34, 34, 2});
  CHECK(splits->warnings.empty());
}

TEST_CASE("dvs128_objects.toml: 470 windows of five objects to learn from and 1,018 to test on") {
  const std::optional<DataSplits> whole = open_config("dvs128_objects.toml");
  const std::optional<DataSplits> splits =
      open_config("dvs128_objects.toml", {"data.validation=0.2", "data.validation_by=time"});
  if (!splits) return;

  CHECK(whole->train->num_samples() == 470);

  CHECK(splits->train->class_names() ==
        std::vector<std::string>{"box", "box_cutter", "mechanical_pencil", "mug", "scissors"});
  CHECK(trained_per_class(*splits) == std::vector<int>{92, 91, 92, 102, 93});
  CHECK(splits->test->num_samples() == 1018);
  CHECK(samples_per_class(*splits->test) == std::vector<int>{163, 341, 182, 167, 165});
  // The first window of the session begins with its first event.
  CHECK(frames(*splits->train).events(0).t_us.front() == 3'151'642'323);
  for (const Sample& sample : frames(*splits->validation).samples())
    CHECK(sample.t_end_us - sample.t_begin_us == 200'000);
}

TEST_CASE("dvs128_actions.toml: three actions, split by recording") {
  const std::optional<DataSplits> splits = open_config("dvs128_actions.toml");
  if (!splits) return;
  const std::vector<int> tested = samples_per_class(*splits->test);

  CHECK(splits->train->class_names() == std::vector<std::string>{"sit_stand", "walking", "wave"});
  CHECK(sum(trained_per_class(*splits)) + sum(tested) == 177 + 87 + 29 + 251);
  CHECK(tested[0] == 41);       // cam255_neal_standing_up: 20.8 s
  CHECK(tested[1] == 13 + 24);  // alex_walking_again: 6.9 s; cam298_left_clamp_test1_alex: 12.1 s
}

}  // namespace
}  // namespace synfire::datasets
