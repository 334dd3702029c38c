#include "datasets/open_data.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/event_cache.hpp"
#include "datasets/frame_source.hpp"
#include "datasets/lag_task.hpp"
#include "datasets/open_recording.hpp"
#include "datasets/open_spike_trains.hpp"
#include "datasets/recipes.hpp"

namespace synfire::datasets {

namespace {

struct DataConfig {
  double validation = 0.0;
  bool validation_by_time = false;
  std::uint64_t validation_seed = 0;
  CutRule cut;
  ReadOptions read;
  std::filesystem::path cache;
};

DataConfig read_data_config(const ConfigTable& data) {
  DataConfig config;
  config.validation = data.number("validation", 0.0, 0.0, 0.9);
  config.validation_by_time = data.choice("validation_by", {"recording", "time"}, "recording") == "time";
  config.validation_seed = static_cast<std::uint64_t>(data.integer("validation_seed", 0, 0));
  config.cut.window_ms = data.number("window_ms", 0.0, 0.0, 1e7);
  if (config.cut.window_ms > 0.0 && config.cut.window_ms < 0.001)
    data.fail("window_ms", "a window must be at least a microsecond long");
  config.cut.min_events = data.integer("min_events", 0, 0);
  config.read.width = static_cast<int>(data.integer("width", 0, 0, 65536));
  config.read.height = static_cast<int>(data.integer("height", 0, 0, 65536));
  config.read.lenient = data.flag("lenient", false);
  config.cache = data.path("cache", "");
  return config;
}

/// Recordings in memory, and the samples that they are cut into.
struct Loaded {
  std::shared_ptr<const RecordingSet> set;
  std::vector<Sample> samples;
};

/// A labelled part of a recording that has no events is damage, like a truncated file, and not a sample to learn from.
void check_not_empty(const std::vector<RecordingEntry>& entries, const Loaded& loaded) {
  for (const Sample& sample : loaded.samples)
    if (loaded.set->recordings[sample.recording].between(sample.t_begin_us, sample.t_end_us).size() == 0)
      throw FormatError(
          entries[sample.recording].path.string(),
          fmt::format("has no events from {} to {} us, where a sample should be", sample.t_begin_us, sample.t_end_us));
}

void check_classes(const ConfigTable& data, const std::string& key, const std::vector<std::string>& class_names,
                   const std::vector<Sample>& samples, const std::string& problem) {
  std::vector<bool> seen(class_names.size());
  for (const Sample& sample : samples) seen[static_cast<std::size_t>(sample.label)] = true;
  for (std::size_t label = 0; label < seen.size(); ++label)
    if (!seen[label]) data.fail(key, fmt::format("class \"{}\" {}", class_names[label], problem));
}

Loaded load(const ConfigTable& data, const DataConfig& config, const DataListing& listing,
            const std::vector<RecordingEntry>& entries, const std::string& split) {
  Loaded loaded;
  loaded.set = std::make_shared<const RecordingSet>(config.cache.empty()
                                                        ? load_recordings(entries, config.read)
                                                        : load_cached(config.cache, split, entries, config.read));
  loaded.samples = cut_samples(entries, loaded.set->recordings, config.cut);
  if (config.cut.window_ms == 0.0 && !config.read.lenient) check_not_empty(entries, loaded);
  check_classes(data,
                config.cut.window_ms > 0.0  ? "window_ms"
                : config.cut.min_events > 0 ? "min_events"
                                            : "kind",
                listing.class_names, loaded.samples, fmt::format("has no sample in the {} data", split));
  return loaded;
}

}  // namespace

std::unique_ptr<Split> open_recording(const ConfigTable& root, const std::filesystem::path& file, int batch_size,
                                      std::vector<std::string>& warnings) {
  const DataConfig config = read_data_config(root.table("data"));
  const std::vector<RecordingEntry> entries{{file, {}, {Segment{}}}};
  auto set = std::make_shared<const RecordingSet>(load_recordings(entries, config.read));
  std::vector<Sample> samples = cut_samples(entries, set->recordings, config.cut);
  check_not_empty(entries, {set, samples});
  if (samples.empty()) throw FormatError(file.string(), "is shorter than a sample ([data] window_ms and min_events)");
  warnings.insert(warnings.end(), set->warnings.begin(), set->warnings.end());
  return std::make_unique<FrameSource>(std::move(set), std::move(samples), std::vector<std::string>{},
                                       FrameSource::Use::evaluation, read_frame_config(root.table("frames")),
                                       AugmentConfig{}, batch_size, read_loader_config(root.table("loader")));
}

DataSplits open_data(const ConfigTable& root, int batch_size, Load load_what) {
  const ConfigTable data = root.table("data");
  const std::string kind = data.choice("kind", {"labelled_folders", "labelled_files", "dvs_gesture", "shd", "lag"});
  if (kind == "shd") return open_spike_trains(root, batch_size, load_what);
  if (kind == "lag") return open_lag_task(root, batch_size, load_what);
  const DataListing listing = list_data(data, kind);
  const DataConfig config = read_data_config(data);
  const FrameConfig frames = read_frame_config(root.table("frames"));
  const AugmentConfig augment = read_augment_config(root.table("augment"));
  const LoaderConfig loader = read_loader_config(root.table("loader"));

  DataSplits splits;
  const auto add = [&](const Loaded& loaded, std::vector<Sample> samples, FrameSource::Use use) {
    return std::make_unique<FrameSource>(loaded.set, std::move(samples), listing.class_names, use, frames, augment,
                                         batch_size, loader);
  };
  if (load_what != Load::test) {
    Loaded train = load(data, config, listing, listing.train, "training");
    splits.warnings = train.set->warnings;
    if (config.validation > 0.0) {
      HeldOut split = config.validation_by_time
                          ? hold_out_ends(train.samples, config.validation)
                          : hold_out_groups(listing.train, train.samples, config.validation, config.validation_seed);
      check_classes(data, "validation", listing.class_names, split.held,
                    "has nothing to hold out; `validation_by = \"time\"` cuts within a recording");
      check_classes(data, "validation", listing.class_names, split.kept, "has nothing left to train on");
      splits.validation = add(train, std::move(split.held), FrameSource::Use::evaluation);
      train.samples = std::move(split.kept);
    }
    splits.train = add(train, std::move(train.samples), FrameSource::Use::training);
  }
  if (load_what != Load::train_and_validation && !listing.test.empty()) {
    Loaded test = load(data, config, listing, listing.test, "test");
    splits.warnings.insert(splits.warnings.end(), test.set->warnings.begin(), test.set->warnings.end());
    splits.test = add(test, std::move(test.samples), FrameSource::Use::evaluation);
  }
  if (splits.train && splits.test && !(splits.train->sample_shape() == splits.test->sample_shape()))
    data.fail("test", fmt::format("gives frames of shape {}, the training data {}", splits.test->sample_shape().text(),
                                  splits.train->sample_shape().text()));
  return splits;
}

}  // namespace synfire::datasets
