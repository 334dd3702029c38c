#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/tensor.hpp"
#include "datasets/split.hpp"

namespace synfire::apps {

/// What a simulation is fed with: all samples of a split or one of them, or an input that was made.
class SimulationSamples {
 public:
  /// \param sample     the only one; without: all
  /// \param num_ticks  each sample is cut after so many, or silent up to them; without: as it is
  /// \throws UsageError if there is no such sample, or too many ticks
  SimulationSamples(std::unique_ptr<datasets::Split> split, std::optional<std::int64_t> sample,
                    std::optional<std::ptrdiff_t> num_ticks, bool labels_known);
  /// One sample [T, 1, ...].
  explicit SimulationSamples(Tensor<float> made);

  std::int64_t num_samples() const { return split_ && !sample_ ? split_->num_samples() : 1; }
  std::int64_t num_batches() const { return split_ && !sample_ ? split_->num_batches() : 1; }
  /// Of what the samples are in fact; else all labels are 0.
  bool labels_known() const { return labels_known_; }
  /// The file of the one sample; empty if there is none.
  std::string file() const { return split_ && sample_ ? split_->file(*sample_) : std::string(); }

  /// The next batch, [T, B, ...], or false at the end.
  bool next(Batch& batch);

 private:
  std::unique_ptr<datasets::Split> split_;
  std::optional<std::int64_t> sample_;
  std::optional<std::ptrdiff_t> num_ticks_;
  Tensor<float> made_;
  bool labels_known_ = false, done_ = false;
};

/// Sample b of a batch alone, its first `num_ticks` ticks and silence if it has fewer: [num_ticks, 1, ...].
Tensor<float> one_sample(View<const float> input, std::ptrdiff_t b, std::ptrdiff_t num_ticks);

}  // namespace synfire::apps
