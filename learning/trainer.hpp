#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/error.hpp"
#include "core/function_ref.hpp"
#include "core/tensor.hpp"
#include "learning/checkpoint.hpp"
#include "learning/evaluate_rounded.hpp"
#include "learning/learning_config.hpp"
#include "learning/optimizers.hpp"
#include "network/clocked_runtime.hpp"

namespace synfire::learning {

/// The loss or the gradient is not a number any more. The checkpoint of before is kept.
struct DivergedError : Error {
  using Error::Error;
};

/// After one training step.
struct StepReport {
  int epoch = 0;
  std::int64_t batch = 0;  ///< number in the epoch, from 0
  std::int64_t num_batches = 0;
  std::int64_t step = 0;  ///< since the start of the run, from 0
  std::int64_t num_samples = 0;
  double loss = 0.0;
  double learning_rate = 0.0;
  double gradient_norm = 0.0;  ///< before clipping
};

/// After one epoch and its validation.
struct EpochReport {
  EpochRecord record;
  bool is_best = false;
  double seconds = 0.0;  ///< of its training, without the part before a resume
  double samples_per_second = 0.0;
  std::vector<double> firing_rates;  ///< in its last step, by node; NaN where there is none
  /// Of delays while they are learned; NaN without any.
  double mean_bump_width = std::numeric_limits<double>::quiet_NaN();
  const Evaluation* validation = nullptr;  ///< null if this epoch was not validated; with delays on whole ticks
};

/// Is told what happens; everything that it may read is in the reports.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const StepReport&) {}
  virtual void on_validation_batch(std::int64_t /*batches_done*/, std::int64_t /*num_batches*/) {}
  virtual void on_epoch(const EpochReport&) {}
};

enum class Outcome : std::uint8_t { finished, stopped_early, interrupted };

/// Trains a network on a BatchSource, and keeps `last.h5` and `best.h5` in a folder so that a run that is killed at any
/// moment continues from the last checkpoint with the same bits as one that was not. Same seed: same bits, for any
/// number of threads.
///
/// Learned delays stay within their range. At the start of an epoch their bumps get its width, a function of the epoch.
/// They are validated, and the best epoch is chosen, as they are deployed: on whole ticks.
class Trainer {
 public:
  /// \param folder       must exist
  /// \param config_text  kept in the checkpoints
  Trainer(network::Network<float>& network, const LearningConfig& config, std::uint64_t seed,
          std::filesystem::path folder, std::string config_text);

  /// Continues from `last.h5`.
  /// \throws FileError, FormatError  if it is missing, damaged, or of another network, optimiser or seed
  void resume();

  /// Trains until the last epoch, an early stop, or an interruption. After the first two the network has the weights
  /// that the configuration selects. A step allocates nothing but what the BatchSource needs.
  ///
  /// \param validation      null: nothing is validated; `selection` must then be `last`
  /// \param stop_requested  asked after each step and each batch of a validation; true saves `last.h5` and returns
  /// \throws DivergedError, ShapeError, FileError
  Outcome run(BatchSource& train, BatchSource* validation, Observer& observer, FunctionRef<bool()> stop_requested);

  const Progress& progress() const { return progress_; }
  network::ClockedRuntime<float>& runtime() { return runtime_; }

  static std::filesystem::path last_checkpoint(const std::filesystem::path& folder) { return folder / "last.h5"; }
  static std::filesystem::path best_checkpoint(const std::filesystem::path& folder) { return folder / "best.h5"; }

 private:
  void start_epoch();
  RunTime time_of(std::int64_t step) const;
  void check_sources(const BatchSource& train, const BatchSource* validation) const;
  bool train_epoch(BatchSource& train, Observer& observer, FunctionRef<bool()> stop_requested);
  StepReport train_step();
  bool update_best(const Evaluation& validation);
  bool patience_is_spent() const;
  void save(const std::filesystem::path& file);
  [[noreturn]] void fail_diverged(const char* what, double value, double learning_rate) const;

  network::Network<float>& network_;
  LearningConfig config_;
  std::filesystem::path folder_;
  std::string config_text_;
  network::ClockedRuntime<float> runtime_;
  std::vector<Optimizer<float>> optimizers_;  ///< one for each group of the configuration
  Progress progress_;
  // Reused from step to step.
  Batch batch_;
  std::vector<double> scores_;
  Tensor<float> grad_output_;
};

}  // namespace synfire::learning
