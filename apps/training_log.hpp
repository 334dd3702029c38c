#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/metric_log.hpp"
#include "core/progress.hpp"
#include "learning/trainer.hpp"

namespace synfire::apps {

/// Follows a training run: a progress bar per epoch and a line per finished epoch on stderr, a row per epoch in the
/// run's metrics.
class TrainingLog : public learning::Observer {
 public:
  /// \param metrics      stem of the metric files
  /// \param first_epoch  0, or where a resumed run goes on
  TrainingLog(const std::filesystem::path& metrics, const network::NetworkSpec& spec, int num_epochs, int first_epoch);
  ~TrainingLog() override;

  void on_step(const learning::StepReport& report) override;
  void on_validation_batch(std::int64_t batches_done, std::int64_t num_batches) override;
  void on_epoch(const learning::EpochReport& report) override;

 private:
  int num_epochs_;
  bool learns_delays_;
  std::vector<std::size_t> lif_nodes_;  ///< nodes whose firing rate is logged
  MetricLog metrics_;
  std::unique_ptr<Progress> bar_;
  bool validating_ = false;
  double loss_average_ = 0.0;
};

/// Names of the value columns of the metrics of such a network; the count is the epoch, from 1.
std::vector<std::string> metric_names(const network::NetworkSpec& spec);

/// The metrics of a run as a JSON array of objects, one an epoch, for the report.
std::string epochs_json(const std::filesystem::path& metrics);

}  // namespace synfire::apps
