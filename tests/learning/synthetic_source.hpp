#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/batch.hpp"
#include "core/random.hpp"

namespace synfire::test {

/// Spike trains of three classes on 12 channels, 6 ticks: channels of the class's own third fire with probability 0.8,
/// the others with 0.1. Shuffled by (seed, epoch) if `shuffled`.
class SyntheticSource : public BatchSource {
 public:
  static constexpr std::ptrdiff_t kTicks = 6, kChannels = 12, kClasses = 3;

  SyntheticSource(std::int64_t num_samples, int batch_size, bool shuffled, std::uint64_t data_seed)
      : num_samples_(num_samples), batch_size_(batch_size), shuffled_(shuffled), data_seed_(data_seed) {}

  std::int64_t num_samples() const override { return num_samples_; }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  Shape sample_shape() const override { return {kTicks, kChannels}; }
  int batch_size() const override { return batch_size_; }
  std::int64_t num_batches() const override { return (num_samples_ + batch_size_ - 1) / batch_size_; }

  void start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) override {
    order_.resize(static_cast<std::size_t>(num_samples_));
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::int64_t>(i);
    const RandomStream random(seed, 1, static_cast<std::uint32_t>(epoch));
    for (std::size_t i = order_.size(); shuffled_ && i > 1; --i) std::swap(order_[i - 1], order_[random.below(i, i)]);
    next_ = first_batch * batch_size_;
  }

  bool next(Batch& batch) override {
    const std::int64_t count = std::min<std::int64_t>(batch_size_, num_samples_ - next_);
    if (count <= 0) return false;
    const Shape shape{kTicks, count, kChannels};
    if (batch.input.shape() != shape) batch.input = Tensor<float>(shape);
    batch.label.resize(static_cast<std::size_t>(count));
    batch.index.resize(static_cast<std::size_t>(count));
    for (std::int64_t b = 0; b < count; ++b) {
      const std::int64_t index = order_[static_cast<std::size_t>(next_ + b)];
      const RandomStream random(data_seed_, 0, static_cast<std::uint32_t>(index));
      const std::int64_t label = index % kClasses;
      for (std::ptrdiff_t t = 0; t < kTicks; ++t) {
        for (std::ptrdiff_t c = 0; c < kChannels; ++c) {
          const double probability = c / (kChannels / kClasses) == label ? 0.8 : 0.1;
          const bool fires = random.uniform(static_cast<std::uint64_t>(t * kChannels + c)) < probability;
          batch.input[(t * count + b) * kChannels + c] = fires ? 1.0F : 0.0F;
        }
      }
      batch.label[static_cast<std::size_t>(b)] = static_cast<std::int32_t>(label);
      batch.index[static_cast<std::size_t>(b)] = index;
    }
    next_ += count;
    return true;
  }

 private:
  std::int64_t num_samples_;
  int batch_size_;
  bool shuffled_;
  std::uint64_t data_seed_;
  std::vector<std::string> class_names_{"low", "middle", "high"};
  std::vector<std::int64_t> order_;
  std::int64_t next_ = 0;
};

}  // namespace synfire::test
