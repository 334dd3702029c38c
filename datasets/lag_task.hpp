#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/epoch_order.hpp"
#include "datasets/open_data.hpp"
#include "datasets/split.hpp"

namespace synfire::datasets {

/// A task that only delays can solve: two inputs fire once each, the second `lag` ticks after the first, and the lag is
/// the class. The first fires at a tick drawn from 0 .. 7, the lag is drawn from 0 .. 7, and a sample has 24 ticks.
/// Made in memory; sample i depends on (seed, part, i) alone.
class LagTask : public Split {
 public:
  static constexpr int kTicks = 24, kFirstTicks = 8, kClasses = 8;

  /// \param part  samples of other parts are drawn independently
  LagTask(std::uint64_t seed, std::uint32_t part, std::int64_t num_samples, int batch_size, SplitUse use);

  std::int64_t num_samples() const override { return static_cast<std::int64_t>(samples_.size()); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  Shape sample_shape() const override { return {kTicks, 2}; }
  int batch_size() const override { return order_.batch_size(); }
  std::int64_t num_batches() const override { return order_.num_batches(); }
  void start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) override;
  bool next(Batch& batch) override;

  std::int32_t label(std::int64_t sample) const override { return samples_.at(static_cast<std::size_t>(sample)).lag; }
  const std::string& file(std::int64_t) const override { return file_; }
  std::vector<unsigned char> thumbnail_png(std::int64_t sample) const override;

 private:
  struct Sample {
    std::int32_t first_tick;
    std::int32_t lag;
  };

  std::vector<Sample> samples_;
  std::vector<std::string> class_names_;
  std::string file_ = "lag task";
  EpochOrder order_;
  std::int64_t next_batch_ = 0;
};

/// open_data for `kind = "lag"`. `[data]` knows training_samples (2048), validation_samples (0), test_samples (1024)
/// and seed (0). \throws ConfigError
DataSplits open_lag_task(const ConfigTable& root, int batch_size, Load load);

}  // namespace synfire::datasets
