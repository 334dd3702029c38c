#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "core/tensor.hpp"

namespace synfire {

/// What a training step reads: T time bins of B samples, and the class of each sample.
struct Batch {
  Tensor<float> input;              ///< [T, B, H, W, C] or [T, B, C]; event counts or binary
  std::vector<std::int32_t> label;  ///< [B]
  std::vector<std::int64_t> index;  ///< [B] number of the sample in its split, for reports
  /// [B] ticks of each sample before the zeros that fill it up to T; empty if all samples have T ticks.
  std::vector<std::int64_t> num_ticks;
  /// [B] a second class of each sample, for samples that are a mixture of two; empty if none is.
  std::vector<std::int32_t> mixed_label;
  std::vector<float> label_weight;  ///< [B] share of `label`, the rest being `mixed_label`'s; empty with it
};

/// Where datasets/ and learning/ meet. A split of a data set, cut into batches; deterministic: the same
/// (seed, epoch) gives the same batches in the same order, for any number of threads.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual std::int64_t num_samples() const = 0;
  virtual const std::vector<std::string>& class_names() const = 0;
  /// Shape of one sample with its time axis: [T, H, W, C] or [T, C]. Where samples differ in length, T is that of the
  /// longest one, and a batch has as many ticks as its own longest sample.
  virtual Shape sample_shape() const = 0;
  virtual int batch_size() const = 0;
  /// Batches in an epoch; the last may be smaller.
  virtual std::int64_t num_batches() const = 0;
  /// Starts `epoch` at batch `first_batch` (for a run that is resumed). Training splits are shuffled and augmented
  /// by `seed` and `epoch`; evaluation splits come in order, as they are.
  virtual void start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) = 0;
  /// The next batch, or false at the end of the epoch. Reuses `batch`'s memory where it fits.
  virtual bool next(Batch& batch) = 0;
};

}  // namespace synfire
