#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "learning/optimizers.hpp"
#include "network/network.hpp"

namespace synfire::learning {

/// What an epoch came to. NaN where nothing was validated.
struct EpochRecord {
  int epoch = 0;               ///< from 0
  std::int64_t step = 0;       ///< steps done at its end, since the start of the run
  double learning_rate = 0.0;  ///< of its last step
  double train_loss = 0.0;     ///< mean over its samples, each seen by the network as it was at that step
  double train_accuracy = 0.0;
  double validation_loss = std::numeric_limits<double>::quiet_NaN();
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  /// With delays as they are learned, not yet on whole ticks; NaN where there are none.
  double validation_accuracy_unrounded = std::numeric_limits<double>::quiet_NaN();

  /// The same numbers; a NaN is the same as a NaN.
  bool operator==(const EpochRecord& other) const;
};

/// Where a training run stands, between two steps: with the network and the optimiser's state, all that it takes to
/// continue with the same bits.
struct Progress {
  std::uint64_t seed = 0;
  int epoch = 0;                  ///< the one that is running, from 0
  std::int64_t batches_done = 0;  ///< of that epoch
  std::int64_t num_batches = 0;   ///< in an epoch
  std::int64_t step = 0;          ///< steps done since the start of the run
  // Sums over the running epoch.
  double loss_sum = 0.0;
  std::int64_t num_correct = 0;
  std::int64_t num_samples = 0;
  /// In the last step of the latest complete epoch, by node; NaN where there is none.
  std::vector<double> firing_rates;
  // The best validation so far.
  int best_epoch = -1;  ///< -1: none
  double best_accuracy = 0.0;
  double best_loss = 0.0;
  std::vector<EpochRecord> history;  ///< of the epochs that are complete
};

/// Writes parameters, buffers, optimiser state, progress and the text of the configuration to one HDF5 file; at every
/// moment either the old file or the whole new one has the name. Inside:
///
///     format, format_version                     what the file is
///     config/toml                                the configuration
///     weights/NAME                               every tensor of the network, in its own shape
///     optimizer/num_steps_I                      of each optimiser, from 0
///     optimizer/NAME/STATE                       momentum, or first_moment and second_moment
///     progress/...                               the members of Progress; `history` is [epochs, 8]
///     GROUP/checksum                             FNV-1a of a group's data in the order of writing
///
/// \throws FileError
void write_checkpoint(const std::filesystem::path& file, const std::string& config_text,
                      network::Network<float>& network, std::span<Optimizer<float>> optimizers,
                      const Progress& progress);

/// Reads all but the configuration back. Each part carries a checksum, so damage is found. After an error the network
/// and the optimisers may hold a part of the file.
/// \throws FileError, FormatError  if the file is not a whole checkpoint of this version, or if its tensors are not
///                                 those of the network and the optimisers
Progress read_checkpoint(const std::filesystem::path& file, network::Network<float>& network,
                         std::span<Optimizer<float>> optimizers);

/// Parameters and buffers only: what running the network needs. Also of a checkpoint of version 1, which had one
/// optimiser. Errors as above.
void read_checkpoint_weights(const std::filesystem::path& file, network::Network<float>& network);

/// The configuration that the run was started with, as TOML; of version 1, too. Errors as above.
std::string read_checkpoint_config(const std::filesystem::path& file);

}  // namespace synfire::learning
