#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace synfire::datasets {

enum class SplitUse { training, evaluation };

/// Which samples of a split come in which batch. A training split is shuffled anew in each epoch; its last, smaller
/// batch counts, but a single left-over sample sits out for this epoch, since one sample has no batch statistics. An
/// evaluation split comes in order, whole.
class EpochOrder {
 public:
  /// \throws ShapeError for a batch size that is not positive
  EpochOrder(std::int64_t num_samples, int batch_size, SplitUse use);

  int batch_size() const { return batch_size_; }
  std::int64_t num_batches() const;
  /// The order depends on (seed, epoch) alone.
  void start(std::uint64_t seed, int epoch);
  /// The samples of batch `number` of the epoch under way.
  std::span<const std::int64_t> batch(std::int64_t number) const;

 private:
  int batch_size_;
  SplitUse use_;
  std::vector<std::int64_t> order_;  ///< the samples as they come
};

}  // namespace synfire::datasets
