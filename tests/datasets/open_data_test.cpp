#include "datasets/open_data.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "datasets/frame_source.hpp"
#include "datasets/open_recording.hpp"
#include "tests/datasets/made_recordings.hpp"
#include "tests/support/data_folder.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synfire::datasets {
namespace {

namespace fs = std::filesystem;

std::string error_of(const std::string& toml, Load load = Load::all) {
  try {
    open_data(Config::parse(toml, "run.toml").root(), 4, load);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

DataSplits open(const std::string& toml, Load load = Load::all) {
  const Config config = Config::parse(toml, "run.toml");
  DataSplits splits = open_data(config.root(), 4, load);
  config.root().finish();
  return splits;
}

std::vector<int> samples_per_class(const Split& split) {
  std::vector<int> counts(split.class_names().size());
  for (std::int64_t i = 0; i < split.num_samples(); ++i) ++counts[static_cast<std::size_t>(split.label(i))];
  return counts;
}

EventStream events_of(const Split& split, std::int64_t sample) {
  return dynamic_cast<const FrameSource&>(split).events(sample);
}

std::string folders(const std::string& train) {
  return "[data]\nkind = \"labelled_folders\"\ntrain = \"" + train + "\"\n";
}

TEST_CASE("labelled folders are read in the order of their names") {
  const test::TemporaryFolder folder;
  test::make_recording(folder / "train/wave/b.bin", 1, 40);
  test::make_recording(folder / "train/wave/a.bin", 2, 30);
  test::make_recording(folder / "train/clap/c.aedat4", 3, 20);
  test::make_recording(folder / "test/clap/d.bin", 4);
  test::make_recording(folder / "test/wave/e.bin", 5);
  std::ofstream(folder / "train/wave/notes.txt") << "not a recording";

  const DataSplits splits =
      open(folders((folder / "train").string()) + "test = \"" + (folder / "test").string() + "\"\n");

  REQUIRE(splits.train);
  CHECK(splits.train->class_names() == std::vector<std::string>{"clap", "wave"});
  CHECK(splits.train->sample_shape() == Shape{16, 34, 34, 2});
  REQUIRE(splits.train->num_samples() == 3);
  CHECK(events_of(*splits.train, 0) == test::made_events(3, 20));
  CHECK(events_of(*splits.train, 1) == test::made_events(2, 30));
  CHECK(events_of(*splits.train, 2) == test::made_events(1, 40));
  CHECK(splits.train->batch_size() == 4);
  CHECK_FALSE(splits.validation);
  REQUIRE(splits.test);
  CHECK(samples_per_class(*splits.test) == std::vector<int>{1, 1});
}

TEST_CASE("classes may be folded into others and lie in several folders") {
  const test::TemporaryFolder folder;
  test::make_recording(folder / "a/walking/1.bin", 1);
  test::make_recording(folder / "a/clamp_test/2.bin", 2);
  test::make_recording(folder / "a/clamp_test/3.bin", 3);
  test::make_recording(folder / "b/wave/4.bin", 4);
  test::make_recording(folder / "b/wave/5.bin", 5);
  const std::string data = "[data]\nkind = \"labelled_folders\"\ntrain = [\"" + (folder / "a").string() + "\", \"" +
                           (folder / "b").string() + "\"]\nmerge = { clamp_test = \"walking\" }\n";

  const DataSplits splits = open(data + "test_recordings = [\"3\", \"4\"]\n");

  CHECK(splits.train->class_names() == std::vector<std::string>{"walking", "wave"});
  CHECK(samples_per_class(*splits.train) == std::vector<int>{2, 1});
  CHECK(samples_per_class(*splits.test) == std::vector<int>{1, 1});
  CHECK(error_of(data + "test_recordings = [\"33\"]\n")
            .find("test_recordings: no recording of `train` is named \"33\"") != std::string::npos);
  CHECK(error_of(data + "test_recordings = [\"4\"]\n").find("class \"walking\" has recordings to train on only") !=
        std::string::npos);
}

TEST_CASE("of labelled files only the classes in both splits are used") {
  const test::TemporaryFolder folder;
  for (const char* name : {"s2/box__Caixa.bin", "s2/mug__Caneca.bin", "s2/phone__Celular.bin", "s3/box__Caixa.bin",
                           "s3/box__Caixa_1.bin", "s3/mug__Caneca.bin", "s3/cube__Cubo.bin", "s3/no_label.bin"})
    test::make_recording(folder / name, 1);

  const DataSplits splits = open("[data]\nkind = \"labelled_files\"\ntrain = \"" + (folder / "s2").string() +
                                 "\"\ntest = \"" + (folder / "s3").string() + "\"\nwindow_ms = 25.0\n");

  CHECK(splits.train->class_names() == std::vector<std::string>{"box", "mug"});
  CHECK(samples_per_class(*splits.train) == std::vector<int>{3, 3});  // 99 ms: a last partial window is dropped
  CHECK(samples_per_class(*splits.test) == std::vector<int>{6, 3});
}

TEST_CASE("a split of DVS128 Gesture follows its lists and keeps subjects apart") {
  const test::TemporaryFolder folder;
  const auto make_trial = [&](const std::string& name) {
    EventStream events = test::made_events(1, 1100);
    events.width = events.height = 128;
    write_recording(folder / (name + ".aedat"), events, EventFormat::aedat3);
    std::ofstream labels(folder / (name + "_labels.csv"));
    labels << "class,startTime_usec,endTime_usec\n";
    for (int c = 0; c < 11; ++c) labels << c + 1 << ',' << 100'000 * c << ',' << 100'000 * c + 120'000 << '\n';
  };
  for (const char* name : {"user01_lab", "user02_lab", "user02_led", "user24_lab"}) make_trial(name);
  std::ofstream(folder / "trials_to_train.txt") << "user02_lab.aedat\nuser01_lab.aedat\nuser02_led.aedat\n";
  std::ofstream(folder / "trials_to_test.txt") << "user24_lab.aedat\n";

  const std::string data = "[data]\nkind = \"dvs_gesture\"\nfolder = \"" + folder.path().string() + "\"\n";
  const DataSplits splits = open(data + "validation = 0.4\n");

  CHECK(splits.train->class_names().size() == 11);
  CHECK(splits.test->num_samples() == 11);
  // One of two subjects: its one or two trials.
  CHECK((splits.validation->num_samples() == 11 || splits.validation->num_samples() == 22));
  CHECK(splits.train->num_samples() + splits.validation->num_samples() == 33);
  // Neighbours overlap by 20 ms; the events there are in both samples.
  const EventStream events = events_of(*splits.test, 1);
  CHECK(events.t_us.front() == 100'000);
  CHECK(events.t_us.back() == 219'000);
}

TEST_CASE("validation is held out of the training data") {
  const test::TemporaryFolder folder;
  for (int c = 0; c < 2; ++c)
    for (int i = 0; i < 10; ++i)
      test::make_recording(folder / (std::to_string(c) + "/" + std::to_string(i) + ".bin"), 1);

  const std::string data = folders(folder.path().string());
  const DataSplits by_recording = open(data + "validation = 0.2\n");
  CHECK(samples_per_class(*by_recording.train) == std::vector<int>{8, 8});
  CHECK(samples_per_class(*by_recording.validation) == std::vector<int>{2, 2});
  CHECK_FALSE(by_recording.test);

  const DataSplits by_time = open(data + "validation = 0.25\nvalidation_by = \"time\"\nwindow_ms = 10.0\n");
  CHECK(samples_per_class(*by_time.train) == std::vector<int>{70, 70});
  CHECK(samples_per_class(*by_time.validation) == std::vector<int>{20, 20});

  CHECK(error_of(data + "validation = 0.2\nvalidation_by = \"time\"\n")
            .find("run.toml:4: data.validation: class \"0\"") != std::string::npos);
}

TEST_CASE("only what is asked for is read") {
  const test::TemporaryFolder folder;
  test::make_recording(folder / "train/a/1.bin", 1);
  fs::create_directories(folder / "test/a");
  std::ofstream(folder / "test/a/2.bin") << "damaged";
  const std::string data = folders((folder / "train").string()) + "test = \"" + (folder / "test").string() + "\"\n";

  CHECK(open(data, Load::train_and_validation).train->num_samples() == 1);
  CHECK(error_of(data, Load::test).find("2.bin") != std::string::npos);
}

TEST_CASE("a single recording is cut as the configuration says, and its classes are not known") {
  const test::TemporaryFolder folder;
  test::make_recording(folder / "alone.bin", 3);
  test::make_recording(folder / "short.bin", 3, 20);
  const Config config =
      Config::parse("[data]\nkind = \"labelled_folders\"\nwindow_ms = 25.0\n[frames]\nbins = 5\n", "a");
  std::vector<std::string> warnings;

  const auto split = open_recording(config.root(), folder / "alone.bin", 4, warnings);

  CHECK(split->num_samples() == 3);  // 100 events 1 ms apart: 99 ms and a microsecond
  CHECK(split->sample_shape() == Shape{5, 34, 34, 2});
  CHECK(split->class_names().empty());
  CHECK(events_of(*split, 1).size() == 25);
  CHECK(warnings.empty());
  CHECK_THROWS_WITH_AS(open_recording(config.root(), folder / "short.bin", 4, warnings),
                       doctest::Contains("is shorter than a sample"), FormatError);
}

TEST_CASE("what is missing is named") {
  const test::TemporaryFolder folder;
  test::make_recording(folder / "train/a/1.bin", 1);
  fs::create_directories(folder / "train/b");
  const std::string train = (folder / "train").string(), nowhere = (folder / "nowhere").string();

  CHECK(error_of("[data]\n") == "run.toml:1: data.kind: must be given");
  CHECK(error_of(folders(nowhere)) == nowhere + ": cannot list this folder: No such file or directory");
  CHECK(error_of(folders(train)) ==
        "run.toml:3: data.train: the class folder " + train + "/b has no recording (.bin, .aedat, .aedat4)");
  CHECK(error_of(folders(train + "/a")).starts_with("run.toml:3: data.train: found no recordings in"));
  fs::remove(folder / "train/b");
  CHECK(error_of(folders(train) + "window_ms = 500.0\n") ==
        "run.toml:4: data.window_ms: class \"a\" has no sample in the training data");
  CHECK(error_of(folders(train) + "test = []\n") == "run.toml:4: data.test: must name a folder");
  CHECK(error_of(folders(train) + "[frames]\nsize = [34]\n") ==
        "run.toml:5: frames.size: expected [width, height] in pixels");
}

TEST_CASE("frames, augmentation and loader are read from their tables") {
  const test::TemporaryFolder folder;
  test::make_recording(folder / "a/1.bin", 1);
  test::make_recording(folder / "a/2.bin", 2);
  test::make_recording(folder / "a/3.bin", 3);

  const DataSplits splits = open(folders(folder.path().string()) +
                                 "[frames]\nbins = 7\nmode = \"number\"\nconvention = \"tonic\"\nvalues = \"binary\"\n"
                                 "downsample = 2\nsize = [20, 16]\n"
                                 "[augment]\nflip_lr = 0.5\nshift_px = 1\nrotate_deg = 5\nscale = 0.1\nshear = 0.1\n"
                                 "drop_events_max = 0.5\n[loader]\nthreads = 2\nprefetch = 2\n");

  CHECK(splits.train->sample_shape() == Shape{7, 16, 20, 2});
  Batch batch;
  splits.train->start_epoch(1, 0, 0);
  REQUIRE(splits.train->next(batch));
  CHECK(batch.input.shape() == Shape{7, 3, 16, 20, 2});
  CHECK(*std::max_element(batch.input.span().begin(), batch.input.span().end()) == 1.0F);
}

TEST_CASE("a cache gives the same data") {
  const test::TemporaryFolder folder;
  test::make_recording(folder / "data/a/1.bin", 1);
  test::make_recording(folder / "data/b/2.bin", 2);
  const std::string data = folders((folder / "data").string()) + "cache = \"" + (folder / "cache").string() + "\"\n";

  for (int i = 0; i < 2; ++i) {
    const DataSplits splits = open(data);
    REQUIRE(splits.train->num_samples() == 2);
    CHECK(events_of(*splits.train, 1) == test::made_events(2, 100));
  }
  CHECK(std::distance(fs::directory_iterator(folder / "cache"), fs::directory_iterator{}) == 1);
}

}  // namespace
}  // namespace synfire::datasets
