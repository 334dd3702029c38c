#include "apps/simulate/samples.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "apps/simulate/generated_input.hpp"

namespace synfire::apps {

namespace {

/// The batch with samples `first` to `first + count` - 1 alone, of `num_ticks` ticks each.
Tensor<float> part(View<const float> input, std::ptrdiff_t first, std::ptrdiff_t count, std::ptrdiff_t num_ticks) {
  const Shape frame = input.shape.drop_front(2);
  Tensor<float> result(frame.prepend(count).prepend(num_ticks));
  for (std::ptrdiff_t t = 0; t < std::min(num_ticks, input.shape[0]); ++t) {
    std::copy_n(input.data + (t * input.shape[1] + first) * frame.size(), count * frame.size(),
                result.data() + t * count * frame.size());
  }
  return result;
}

}  // namespace

Tensor<float> one_sample(View<const float> input, std::ptrdiff_t b, std::ptrdiff_t num_ticks) {
  return part(input, b, 1, num_ticks);
}

SimulationSamples::SimulationSamples(std::unique_ptr<datasets::Split> split, std::optional<std::int64_t> sample,
                                     std::optional<std::ptrdiff_t> num_ticks, bool labels_known)
    : split_(std::move(split)), sample_(sample), num_ticks_(num_ticks), labels_known_(labels_known) {
  if (sample_ && (*sample_ < 0 || *sample_ >= split_->num_samples())) {
    throw UsageError(fmt::format("--sample: there are samples 0 to {}, got {}", split_->num_samples() - 1, *sample_));
  }
  if (num_ticks_) check_input_size(*num_ticks_, split_->sample_shape().drop_front(1));
  split_->start_epoch(0, 0, sample_ ? *sample_ / split_->batch_size() : 0);
}

SimulationSamples::SimulationSamples(Tensor<float> made) : made_(std::move(made)) {}

bool SimulationSamples::next(Batch& batch) {
  if (done_) return false;
  if (!split_) {
    batch = Batch{};
    batch.input = std::move(made_);
    batch.label = {0};
    batch.index = {0};
    done_ = true;
    return true;
  }
  if (!split_->next(batch)) return false;
  if (sample_) {
    done_ = true;
    const auto b = static_cast<std::size_t>(*sample_ % split_->batch_size());
    const std::ptrdiff_t own_ticks = batch.num_ticks.empty() ? batch.input.shape()[0] : batch.num_ticks[b];
    batch.input =
        one_sample(std::as_const(batch.input).view(), static_cast<std::ptrdiff_t>(b), num_ticks_.value_or(own_ticks));
    batch.label = {batch.label[b]};
    batch.index = {*sample_};
    batch.num_ticks.clear();
  } else if (num_ticks_) {
    batch.input = part(std::as_const(batch.input).view(), 0, batch.input.shape()[1], *num_ticks_);
    batch.num_ticks.clear();
  }
  return true;
}

}  // namespace synfire::apps
