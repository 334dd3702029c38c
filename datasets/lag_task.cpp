#include "datasets/lag_task.hpp"

#include <algorithm>
#include <memory>

#include "core/random.hpp"
#include "datasets/render/spike_raster.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kFirstStream = 0xDA7A0100U;  // of the parts
constexpr std::int64_t kMostSamples = 1 << 24;

}  // namespace

LagTask::LagTask(std::uint64_t seed, std::uint32_t part, std::int64_t num_samples, int batch_size, SplitUse use)
    : order_(num_samples, batch_size, use) {
  const RandomStream random(seed, kFirstStream + part, 0);
  for (std::int64_t i = 0; i < num_samples; ++i) {
    const auto element = 2 * static_cast<std::uint64_t>(i);
    samples_.push_back({static_cast<std::int32_t>(random.below(element, kFirstTicks)),
                        static_cast<std::int32_t>(random.below(element + 1, kClasses))});
  }
  for (int lag = 0; lag < kClasses; ++lag) class_names_.push_back(std::to_string(lag));
}

void LagTask::start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) {
  order_.start(seed, epoch);
  next_batch_ = first_batch;
}

bool LagTask::next(Batch& batch) {
  if (next_batch_ >= num_batches()) return false;
  const std::span<const std::int64_t> chosen = order_.batch(next_batch_++);
  const Shape shape{kTicks, std::ssize(chosen), 2};
  if (batch.input.shape() != shape || batch.input.device() != Device::cpu) batch.input = Tensor<float>(shape);
  std::fill(batch.input.span().begin(), batch.input.span().end(), 0.0F);
  batch.label.resize(chosen.size());
  batch.index.assign(chosen.begin(), chosen.end());
  for (std::size_t b = 0; b < chosen.size(); ++b) {
    const Sample& sample = samples_[static_cast<std::size_t>(chosen[b])];
    const auto at = [&](std::ptrdiff_t tick) { return (tick * shape[1] + static_cast<std::ptrdiff_t>(b)) * 2; };
    batch.input[at(sample.first_tick)] = 1.0F;
    batch.input[at(sample.first_tick + sample.lag) + 1] = 1.0F;
    batch.label[b] = sample.lag;
  }
  return true;
}

std::vector<unsigned char> LagTask::thumbnail_png(std::int64_t sample) const {
  const Sample& chosen = samples_.at(static_cast<std::size_t>(sample));
  constexpr float kTickSeconds = 0.01F;
  const auto first = static_cast<float>(chosen.first_tick), lag = static_cast<float>(chosen.lag);
  return spike_thumbnail_png({.t_s = {kTickSeconds * first, kTickSeconds * (first + lag)}, .channel = {0, 1}}, 2);
}

DataSplits open_lag_task(const ConfigTable& root, int batch_size, Load load) {
  const ConfigTable data = root.table("data");
  const std::int64_t training = data.integer("training_samples", 2048, 2, kMostSamples);
  const std::int64_t validation = data.integer("validation_samples", 0, 0, kMostSamples);
  const std::int64_t test = data.integer("test_samples", 1024, 1, kMostSamples);
  const auto seed = static_cast<std::uint64_t>(data.integer("seed", 0, 0));

  DataSplits splits;
  if (load != Load::test) {
    splits.train = std::make_unique<LagTask>(seed, 0, training, batch_size, SplitUse::training);
    if (validation > 0)
      splits.validation = std::make_unique<LagTask>(seed, 1, validation, batch_size, SplitUse::evaluation);
  }
  if (load != Load::train_and_validation)
    splits.test = std::make_unique<LagTask>(seed, 2, test, batch_size, SplitUse::evaluation);
  return splits;
}

}  // namespace synfire::datasets
