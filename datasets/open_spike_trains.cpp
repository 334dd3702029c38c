#include "datasets/open_spike_trains.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "datasets/sample_index.hpp"
#include "datasets/shd_reader.hpp"
#include "datasets/spike_train_source.hpp"

namespace synfire::datasets {

namespace {

using Paths = std::vector<std::filesystem::path>;

struct SpikeDataConfig {
  Paths train, validation_file, test;
  double validation = 0.0;
  bool by_speaker = false;
  std::uint64_t validation_seed = 0;
};

SpikeDataConfig read_spike_data_config(const ConfigTable& data) {
  const std::vector<std::string> none;
  SpikeDataConfig config;
  config.train = data.paths("train");
  if (config.train.empty()) data.fail("train", "must name a file");
  config.validation_file = data.paths("validation_file", none);
  config.test = data.paths("test", none);
  config.validation = data.number("validation", 0.0, 0.0, 0.9);
  if (config.validation > 0.0 && !config.validation_file.empty())
    data.fail("validation", "nothing is held out where validation_file is given");
  config.by_speaker = data.choice("validation_by", {"recording", "speaker"}, "recording") == "speaker";
  config.validation_seed = static_cast<std::uint64_t>(data.integer("validation_seed", 0, 0));
  return config;
}

void append(SpikeTrainSet& to, SpikeTrainSet&& from) {
  std::move(from.samples.begin(), from.samples.end(), std::back_inserter(to.samples));
  to.label.insert(to.label.end(), from.label.begin(), from.label.end());
  to.speaker.insert(to.speaker.end(), from.speaker.begin(), from.speaker.end());
}

/// Files of one data set: they agree in channels and classes.
std::shared_ptr<SpikeTrainFiles> read_files(const ConfigTable& data, const std::string& key, const Paths& paths) {
  auto files = std::make_shared<SpikeTrainFiles>();
  for (const std::filesystem::path& path : paths) {
    SpikeTrainSet set = read_shd(path);
    files->names.push_back(path.string());
    files->first_of.push_back(files->set.samples.size());
    if (files->names.size() == 1) {
      files->set = std::move(set);
      continue;
    }
    if (set.num_channels != files->set.num_channels || set.class_names != files->set.class_names)
      data.fail(key, fmt::format("{} has other channels or classes than {}", path.string(), files->names[0]));
    append(files->set, std::move(set));
  }
  if (files->set.samples.empty()) data.fail(key, fmt::format("{} has no samples", paths.front().string()));
  return files;
}

/// Classes without names have their numbers, the same in all splits.
void name_classes(const std::vector<SpikeTrainFiles*>& all) {
  std::int32_t last = 0;
  for (const SpikeTrainFiles* files : all)
    for (const std::int32_t label : files->set.label) last = std::max(last, label);
  for (SpikeTrainFiles* files : all) {
    if (!files->set.class_names.empty()) continue;
    for (std::int32_t i = 0; i <= last; ++i) files->set.class_names.push_back(std::to_string(i));
  }
}

struct Numbers {
  std::vector<std::int64_t> kept, held;
};

Numbers hold_out(const SpikeTrainSet& set, const SpikeDataConfig& config) {
  std::vector<RecordingEntry> entries(set.samples.size());
  std::vector<Sample> samples(set.samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = {.recording = i, .label = set.label[i]};
    entries[i].group = fmt::format("{:010}", config.by_speaker ? static_cast<std::size_t>(set.speaker[i]) : i);
  }
  const HeldOut split = hold_out_groups(entries, samples, config.validation, config.validation_seed);
  Numbers numbers;
  for (const Sample& sample : split.kept) numbers.kept.push_back(static_cast<std::int64_t>(sample.recording));
  for (const Sample& sample : split.held) numbers.held.push_back(static_cast<std::int64_t>(sample.recording));
  return numbers;
}

std::vector<std::int64_t> all_of(const SpikeTrainFiles& files) {
  std::vector<std::int64_t> numbers(files.set.samples.size());
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  return numbers;
}

void check_alike(const ConfigTable& data, const std::string& key, const SpikeTrainFiles& files,
                 const SpikeTrainFiles& train) {
  if (files.set.num_channels != train.set.num_channels)
    data.fail(key,
              fmt::format("has {} channels, the training data {}", files.set.num_channels, train.set.num_channels));
  if (files.set.class_names != train.set.class_names) data.fail(key, "has other classes than the training data");
}

}  // namespace

DataSplits open_spike_trains(const ConfigTable& root, int batch_size, Load load) {
  const ConfigTable data = root.table("data");
  const SpikeDataConfig config = read_spike_data_config(data);
  const SpikeBinConfig bins = read_spike_bin_config(root.table("spikes"));
  const SpikeAugmentConfig augment = read_spike_augment_config(root.table("augment"));
  const LoaderConfig loader = read_loader_config(root.table("loader"));

  std::shared_ptr<SpikeTrainFiles> train, validation, test;
  if (load != Load::test) train = read_files(data, "train", config.train);
  if (load != Load::test && !config.validation_file.empty())
    validation = read_files(data, "validation_file", config.validation_file);
  if (load != Load::train_and_validation && !config.test.empty()) test = read_files(data, "test", config.test);
  std::vector<SpikeTrainFiles*> all;
  for (SpikeTrainFiles* files : {train.get(), validation.get(), test.get()})
    if (files != nullptr) all.push_back(files);
  name_classes(all);
  if (train && validation) check_alike(data, "validation_file", *validation, *train);
  if (train && test) check_alike(data, "test", *test, *train);

  const auto source = [&](const auto& files, std::vector<std::int64_t> samples, SplitUse use) {
    return std::make_unique<SpikeTrainSource>(files, std::move(samples), use, bins, augment, batch_size, loader);
  };
  DataSplits splits;
  if (train) {
    Numbers numbers{all_of(*train), {}};
    if (config.validation > 0.0) {
      numbers = hold_out(train->set, config);
      if (numbers.held.empty() || numbers.kept.empty())
        data.fail("validation", config.by_speaker ? "needs two speakers or more" : "needs two samples of a class");
      splits.validation = source(train, std::move(numbers.held), SplitUse::evaluation);
    }
    splits.train = source(train, std::move(numbers.kept), SplitUse::training);
  }
  if (validation) splits.validation = source(validation, all_of(*validation), SplitUse::evaluation);
  if (test) splits.test = source(test, all_of(*test), SplitUse::evaluation);
  return splits;
}

}  // namespace synfire::datasets
