#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/event_stream.hpp"
#include "datasets/augment.hpp"
#include "datasets/batch_prefetcher.hpp"
#include "datasets/frames.hpp"
#include "datasets/recording_set.hpp"
#include "datasets/sample_index.hpp"

namespace synfire::datasets {

struct LoaderConfig {
  int threads = 1;   ///< that build batches; 0: the one that asks for them
  int prefetch = 3;  ///< batches in memory besides the one in use
};

/// A split of a data set whose events are in memory; frames are made of them when a batch is due.
///
/// A training split is shuffled and augmented anew in each epoch; the last, smaller batch counts, but a single
/// left-over sample sits out for this epoch, since one sample has no batch statistics. An evaluation split comes in
/// order, whole.
class FrameSource : public BatchSource {
 public:
  enum class Use { training, evaluation };

  /// \throws ShapeError for a batch size that is not positive, or frames that have no size
  FrameSource(std::shared_ptr<const RecordingSet> recordings, std::vector<Sample> samples,
              std::vector<std::string> class_names, Use use, const FrameConfig& frames, const AugmentConfig& augment,
              int batch_size, const LoaderConfig& loader);

  std::int64_t num_samples() const override { return static_cast<std::int64_t>(samples_.size()); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  Shape sample_shape() const override { return {frames_.bins, map_.height(), map_.width(), 2}; }
  int batch_size() const override { return batch_size_; }
  std::int64_t num_batches() const override;
  void start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) override;
  bool next(Batch& batch) override { return prefetcher_.next(batch); }

  const std::vector<Sample>& samples() const { return samples_; }
  /// The file that a sample is from.
  const std::string& file(std::int64_t sample) const;
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
  int batch_size_;
  // Of the epoch under way; they change only while no worker runs.
  std::uint64_t seed_ = 0;
  int epoch_ = 0;
  std::vector<std::int64_t> order_;     ///< the samples as they come
  std::vector<CompactEvents> scratch_;  ///< one for each worker
  BatchPrefetcher prefetcher_;          ///< last: its threads end before the rest goes
};

/// Reads `[loader]`: threads, prefetch. \throws ConfigError
LoaderConfig read_loader_config(const ConfigTable& table);

}  // namespace synfire::datasets
