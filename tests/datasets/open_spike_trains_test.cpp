#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "datasets/open_data.hpp"
#include "datasets/shd_writer.hpp"
#include "datasets/spike_train_source.hpp"
#include "tests/datasets/made_spike_trains.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synfire::datasets {
namespace {

struct Files {
  test::TemporaryFolder folder;

  Files() {
    write_shd(folder / "train.h5", test::made_spike_trains(60, 3));
    write_shd(folder / "more.h5", test::made_spike_trains(12, 3, 6));
    write_shd(folder / "test.h5", test::made_spike_trains(30, 3, 7));
  }
  std::string path(const std::string& name) const { return "\"" + (folder / name).string() + "\""; }
  std::string data(const std::string& rest) const {
    return "[data]\nkind = \"shd\"\ntrain = " + path("train.h5") + "\n" + rest;
  }
};

DataSplits open(const std::string& toml, Load load = Load::all) {
  const Config config = Config::parse(toml, "run.toml");
  DataSplits splits = open_data(config.root(), 8, load);
  config.root().finish();
  return splits;
}

std::string error_of(const std::string& toml) {
  try {
    open(toml);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<int> samples_per_class(const Split& split) {
  std::vector<int> counts(split.class_names().size());
  for (std::int64_t i = 0; i < split.num_samples(); ++i) ++counts[static_cast<std::size_t>(split.label(i))];
  return counts;
}

const SpikeTrainSource& spikes(const Split& split) { return dynamic_cast<const SpikeTrainSource&>(split); }

TEST_CASE("spike trains are opened from one or several files") {
  const Files files;

  const DataSplits splits = open("[data]\nkind = \"shd\"\ntrain = [" + files.path("train.h5") + ", " +
                                 files.path("more.h5") + "]\ntest = " + files.path("test.h5") + "\n");

  CHECK(splits.train->num_samples() == 72);
  CHECK(splits.test->num_samples() == 30);
  CHECK_FALSE(splits.validation);
  CHECK(splits.train->class_names() == std::vector<std::string>{"class0", "class1", "class2"});
  CHECK(splits.train->sample_shape()[1] == 140);
  CHECK(splits.train->file(59).ends_with("train.h5"));
  CHECK(splits.train->file(60).ends_with("more.h5"));
  CHECK(spikes(*splits.train).train(60).t_s == test::made_spike_trains(12, 3, 6).samples[0].t_s);
}

TEST_CASE("a share of the samples of each class is held out, the same for the same seed") {
  const Files files;
  const auto held_times = [&](const std::string& rest) {
    const DataSplits splits = open(files.data("validation = 0.2\n" + rest));
    CHECK(samples_per_class(*splits.validation) == std::vector<int>{4, 4, 4});
    CHECK(samples_per_class(*splits.train) == std::vector<int>{16, 16, 16});
    std::set<std::vector<float>> times;
    for (std::int64_t i = 0; i < 12; ++i) times.insert(spikes(*splits.validation).train(i).t_s);
    for (std::int64_t i = 0; i < 48; ++i) CHECK_FALSE(times.contains(spikes(*splits.train).train(i).t_s));
    return times;
  };

  const auto first = held_times("");
  CHECK(held_times("validation_by = \"recording\"\n") == first);
  CHECK(held_times("validation_seed = 1\n") != first);
}

TEST_CASE("whole speakers are held out") {
  const Files files;

  const DataSplits splits = open(files.data("validation = 0.25\nvalidation_by = \"speaker\"\n"));

  REQUIRE(splits.validation->num_samples() == 15);
  const SpikeTrainSet all = test::made_spike_trains(60, 3);
  std::set<std::int32_t> held, kept;
  for (std::size_t s = 0; s < all.samples.size(); ++s) {
    const auto has = [&](const Split& split) {
      for (std::int64_t i = 0; i < split.num_samples(); ++i)
        if (spikes(split).train(i).t_s == all.samples[s].t_s) return true;
      return false;
    };
    CHECK(has(*splits.validation) != has(*splits.train));
    (has(*splits.validation) ? held : kept).insert(all.speaker[s]);
  }
  CHECK(held.size() == 1);
  CHECK(kept.size() == 3);
}

TEST_CASE("validation data may come from a file of their own") {
  const Files files;

  const DataSplits splits = open(files.data("validation_file = " + files.path("more.h5") + "\n"));

  CHECK(splits.train->num_samples() == 60);
  CHECK(splits.validation->num_samples() == 12);
  CHECK(open(files.data("test = " + files.path("test.h5") + "\n"), Load::test).train == nullptr);
  CHECK(error_of(files.data("validation = 0.1\nvalidation_file = " + files.path("more.h5") + "\n")) ==
        "run.toml:4: data.validation: nothing is held out where validation_file is given");
}

TEST_CASE("time bins and groups are read from [spikes]") {
  const Files files;

  const DataSplits splits =
      open(files.data("[spikes]\ndt_ms = 20.0\nchannel_group = 7\nbinary = true\nfrom_first_spike = false\n"
                      "max_bins = 31\n[loader]\nthreads = 2\n"));

  CHECK(splits.train->sample_shape() == Shape{31, 100});
  Batch batch;
  splits.train->start_epoch(1, 0, 0);
  REQUIRE(splits.train->next(batch));
  CHECK(*std::max_element(batch.input.span().begin(), batch.input.span().end()) == 1.0F);
  CHECK(error_of(files.data("[spikes]\nchanel_group = 7\n")).find("channel_group") != std::string::npos);
}

TEST_CASE("files of spike trains that do not belong together are told") {
  const Files files;
  SpikeTrainSet other = test::made_spike_trains(6, 3);
  other.num_channels = 701;
  write_shd(files.folder / "wide.h5", other);
  other.num_channels = 700;
  other.class_names[1] = "another";
  write_shd(files.folder / "names.h5", other);
  write_shd(files.folder / "empty.h5", test::made_spike_trains(0, 1));

  CHECK(error_of(files.data("test = " + files.path("wide.h5") + "\n")) ==
        "run.toml:4: data.test: has 701 channels, the training data 700");
  CHECK(error_of(files.data("test = " + files.path("names.h5") + "\n")) ==
        "run.toml:4: data.test: has other classes than the training data");
  CHECK(error_of(files.data("test = " + files.path("empty.h5") + "\n")).ends_with("empty.h5 has no samples"));
  CHECK(error_of("[data]\nkind = \"shd\"\ntrain = []\n") == "run.toml:3: data.train: must name a file");
  CHECK(error_of("[data]\nkind = \"shd\"\ntrain = \"/nowhere.h5\"\n") == "/nowhere.h5: no such file");
}

}  // namespace
}  // namespace synfire::datasets
