#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/event_stream.hpp"
#include "datasets/augment.hpp"
#include "datasets/batch_prefetcher.hpp"
#include "datasets/epoch_order.hpp"
#include "datasets/frames.hpp"
#include "datasets/loader_config.hpp"
#include "datasets/recording_set.hpp"
#include "datasets/sample_index.hpp"
#include "datasets/split.hpp"

namespace synfire::datasets {

/// A split of a data set whose events are in memory; frames are made of them when a batch is due. Batches follow
/// EpochOrder; a training split is augmented anew in each epoch.
class FrameSource : public Split {
 public:
  using Use = SplitUse;

  /// \throws ShapeError for a batch size that is not positive, or frames that have no size
  FrameSource(std::shared_ptr<const RecordingSet> recordings, std::vector<Sample> samples,
              std::vector<std::string> class_names, Use use, const FrameConfig& frames, const AugmentConfig& augment,
              int batch_size, const LoaderConfig& loader);

  std::int64_t num_samples() const override { return static_cast<std::int64_t>(samples_.size()); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  Shape sample_shape() const override { return {frames_.bins, map_.height(), map_.width(), 2}; }
  int batch_size() const override { return order_.batch_size(); }
  std::int64_t num_batches() const override { return order_.num_batches(); }
  void start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) override;
  bool next(Batch& batch) override { return prefetcher_.next(batch); }

  const std::vector<Sample>& samples() const { return samples_; }
  std::int32_t label(std::int64_t sample) const override;
  const std::string& file(std::int64_t sample) const override;
  std::vector<unsigned char> thumbnail_png(std::int64_t sample) const override;
  /// The events of a sample as they were recorded, for pictures.
  EventStream events(std::int64_t sample) const;

 private:
  void build(std::int64_t number, int worker, Batch& batch);
  void build_sample(std::int64_t sample, CompactEvents& scratch, float* out, std::ptrdiff_t step) const;

  std::shared_ptr<const RecordingSet> recordings_;
  std::vector<Sample> samples_;
  std::vector<std::string> class_names_;
  Use use_;
  FrameConfig frames_;
  AugmentConfig augment_;
  PixelMap map_;
  // Of the epoch under way; they change only while no worker runs.
  std::uint64_t seed_ = 0;
  int epoch_ = 0;
  EpochOrder order_;
  std::vector<CompactEvents> scratch_;  ///< one for each worker
  BatchPrefetcher prefetcher_;          ///< last: its threads end before the rest goes
};

}  // namespace synfire::datasets
