#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/dispatch.hpp"
#include "core/parallel.hpp"
#include "core/progress.hpp"
#include "datasets/simulate/simulate_gestures.hpp"
#include "datasets/simulate/simulate_nmnist.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

/// A progress bar that a simulator calls.
class SetBar {
 public:
  void operator()(std::int64_t done, std::int64_t total) {
    if (!bar_) bar_ = std::make_unique<Progress>("simulating", Progress::Options{.total = total, .unit = "recordings"});
    bar_->advance(done - done_);
    done_ = done;
  }

 private:
  std::unique_ptr<Progress> bar_;
  std::int64_t done_ = 0;
};

void add_common(CommandLine& line) {
  line.options().add_options()("seed", po::value<std::uint64_t>()->default_value(1),
                               "seed of all that is drawn at random")(
      "threads", po::value<int>()->default_value(0), "worker threads (default: one per hardware thread)")(
      "quiet", "no progress display");
}

void apply_common(const CommandLine& line) {
  set_num_threads(line.get<int>("threads"));
  if (line.has("quiet")) set_progress_style(ProgressStyle::quiet);
}

int simulate_digits(const Arguments& args) {
  CommandLine line(
      "synfire data simulate nmnist", "MNIST OUT",
      "Moves the digits of MNIST before a simulated event camera along the three saccades of N-MNIST. MNIST is a "
      "folder with\ntrain-images-idx3-ubyte and train-labels-idx1-ubyte (.gz or not); OUT gets train/DIGIT/NUMBER.bin "
      "and "
      "test/DIGIT/NUMBER.bin.");
  line.options().add_options()("train", po::value<std::int64_t>()->default_value(50000),
                               "digits for training, from the first on")(
      "test", po::value<std::int64_t>()->default_value(10000), "digits for the test, from the last on");
  add_common(line);
  line.positional("mnist", 1);
  line.positional("out", 1);
  if (!line.parse(args)) return kExitOk;
  apply_common(line);
  datasets::DigitSetConfig config;
  config.num_train = line.get<std::int64_t>("train");
  config.num_test = line.get<std::int64_t>("test");
  config.seed = line.get<std::uint64_t>("seed");
  SetBar bar;
  datasets::simulate_nmnist(config, std::filesystem::path(line.list("mnist").front()), line.list("out").front(),
                            std::ref(bar));
  return kExitOk;
}

int simulate_gesture_set(const Arguments& args) {
  const datasets::GestureSetConfig defaults;
  CommandLine line(
      "synfire data simulate gestures", "OUT",
      "Films people who make the eleven gestures of DVS128 Gesture with a simulated event camera of 128x128 "
      "pixels. OUT gets the\nlayout of that data set: userNN_LIGHT.aedat (AEDAT 3.1), labels, and the lists of trials; "
      "nobody is in both lists.");
  line.options().add_options()("train-subjects", po::value<int>()->default_value(defaults.num_train_subjects),
                               "people in the training list")(
      "test-subjects", po::value<int>()->default_value(defaults.num_test_subjects), "other people, in the test list")(
      "lights", po::value<std::vector<std::string>>()->multitoken()->default_value(defaults.lights, defaults.lights[0]),
      "of fluorescent, fluorescent_led, lab, led and natural; a recording of each person in each")(
      "repetitions", po::value<int>()->default_value(defaults.repetitions), "of every gesture in a recording")(
      "seconds", po::value<double>()->default_value(defaults.seconds), "length of a gesture");
  add_common(line);
  line.positional("out", 1);
  if (!line.parse(args)) return kExitOk;
  apply_common(line);
  datasets::GestureSetConfig config;
  config.num_train_subjects = line.get<int>("train-subjects");
  config.num_test_subjects = line.get<int>("test-subjects");
  config.lights = line.list("lights");
  config.repetitions = line.get<int>("repetitions");
  config.seconds = line.get<double>("seconds");
  config.seed = line.get<std::uint64_t>("seed");
  SetBar bar;
  datasets::simulate_gestures(config, line.list("out").front(), std::ref(bar));
  return kExitOk;
}

}  // namespace

int data_simulate_command(const Arguments& args) {
  static const std::vector<CommandEntry> kCommands = {
      {"cochlea", "spoken digits through a model of the inner ear", data_simulate_cochlea_command},
      {"gestures", "people who make the eleven gestures of DVS128 Gesture", simulate_gesture_set},
      {"nmnist", "MNIST digits moved along N-MNIST's saccades", simulate_digits},
  };
  return dispatch("synfire data simulate",
                  "Makes data sets with a simulated event camera or ear, in the layout of the real ones.", kCommands,
                  args);
}

}  // namespace synfire::apps
