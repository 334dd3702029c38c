#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "datasets/split.hpp"

namespace synfire::datasets {

/// The splits of a data set as a configuration names them.
struct DataSplits {
  std::unique_ptr<Split> train;
  std::unique_ptr<Split> validation;  ///< null without `validation`
  std::unique_ptr<Split> test;        ///< null without test data
  std::vector<std::string> warnings;  ///< of the readers, each with its file
};

/// Which files are read. The others' splits are null.
enum class Load { all, train_and_validation, test };

/// Reads `[data]`, `[frames]`, `[augment]` and `[loader]`, and the recordings into memory. Besides the keys of the
/// recipes (datasets/recipes.hpp), `[data]` knows
///
///     validation = 0.1             # share of the training data to hold out; 0: none
///     validation_by = "recording"  # or subject, where there are subjects: whole ones, chosen by validation_seed;
///                                  # "time": the end of each recording
///     validation_seed = 0
///     window_ms = 0.0              # 0: a recording, or a labelled part of one, is a sample
///     min_events = 0               # windows with fewer are left out
///     width = 0                    # sensor, where a file does not say
///     height = 0
///     lenient = false              # read damaged recordings as far as they go
///     cache = ""                   # folder for decoded events; empty: none
///
/// With `kind = "shd"`, `[spikes]` (datasets/spike_bins.hpp) is read instead of `[frames]`, and `[data]` knows
///
///     train = "shd_train.h5"       # a file of spike trains (datasets/shd_reader.hpp), or an array of them
///     test = "shd_test.h5"         # likewise; none without
///     validation_file = "v.h5"     # likewise, instead of a share of the training data
///     validation = 0.1
///     validation_by = "recording"  # samples of each class; "speaker": all samples of some speakers
///     validation_seed = 0
///
/// With `kind = "lag"` the data are made: datasets/lag_task.hpp.
///
/// \throws ConfigError, FileError, FormatError
DataSplits open_data(const ConfigTable& root, int batch_size, Load load = Load::all);

}  // namespace synfire::datasets
