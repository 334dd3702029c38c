#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datasets/batch_prefetcher.hpp"
#include "datasets/epoch_order.hpp"
#include "datasets/loader_config.hpp"
#include "datasets/spike_augment.hpp"
#include "datasets/spike_bins.hpp"
#include "datasets/spike_trains.hpp"
#include "datasets/split.hpp"

namespace synfire::datasets {

/// Spike trains of one or several files, in memory, with the same channels and classes.
struct SpikeTrainFiles {
  SpikeTrainSet set;
  std::vector<std::string> names;     ///< of the files
  std::vector<std::size_t> first_of;  ///< first sample of each file
};

/// A split of spike trains, which are counted into time bins when a batch is due: [T, B, groups of channels]. T is that
/// of the batch's longest sample; shorter ones end in zeros, and Batch::num_ticks says where. Batches follow
/// EpochOrder; a training split is augmented anew in each epoch, and what CutMix puts into a sample is of the next one
/// in the batch.
class SpikeTrainSource : public Split {
 public:
  using Use = SplitUse;

  /// \param samples  numbers in `files`; sample i of the split is samples[i]
  /// \throws ShapeError for a batch size that is not positive, or a sample of more bins than can be meant
  SpikeTrainSource(std::shared_ptr<const SpikeTrainFiles> files, std::vector<std::int64_t> samples, Use use,
                   const SpikeBinConfig& bins, const SpikeAugmentConfig& augment, int batch_size,
                   const LoaderConfig& loader);

  std::int64_t num_samples() const override { return std::ssize(samples_); }
  const std::vector<std::string>& class_names() const override { return files_->set.class_names; }
  Shape sample_shape() const override { return {longest_, groups_}; }
  int batch_size() const override { return order_.batch_size(); }
  std::int64_t num_batches() const override { return order_.num_batches(); }
  void start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) override;
  bool next(Batch& batch) override { return prefetcher_.next(batch); }

  std::int32_t label(std::int64_t sample) const override;
  const std::string& file(std::int64_t sample) const override;
  std::vector<unsigned char> thumbnail_png(std::int64_t sample) const override;
  /// The spikes of a sample as they are in the file.
  const SpikeTrain& train(std::int64_t sample) const;

 private:
  void build(std::int64_t number, int worker, Batch& batch);
  void mix(std::vector<TimedSpikes>& spikes, Batch& batch) const;

  std::shared_ptr<const SpikeTrainFiles> files_;
  std::vector<std::int64_t> samples_;
  SpikeBinConfig bins_;
  SpikeAugmentConfig augment_;
  std::ptrdiff_t groups_;
  std::ptrdiff_t longest_ = 1;  ///< bins of the longest sample
  // Of the epoch under way; they change only while no worker runs.
  std::uint64_t seed_ = 0;
  int epoch_ = 0;
  EpochOrder order_;
  std::vector<std::vector<TimedSpikes>> scratch_;  ///< the samples of a batch, for each worker
  BatchPrefetcher prefetcher_;                     ///< last: its threads end before the rest goes
};

}  // namespace synfire::datasets
