#include "datasets/spike_train_source.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/render/spike_raster.hpp"

namespace synfire::datasets {

namespace {

constexpr std::int64_t kMostBins = 65536;  // as many as frames may have

}  // namespace

SpikeTrainSource::SpikeTrainSource(std::shared_ptr<const SpikeTrainFiles> files, std::vector<std::int64_t> samples,
                                   Use use, const SpikeBinConfig& bins, const SpikeAugmentConfig& augment,
                                   int batch_size, const LoaderConfig& loader)
    : files_(std::move(files)),
      samples_(std::move(samples)),
      bins_(bins),
      augment_(use == Use::training ? augment : SpikeAugmentConfig{}),
      groups_(num_groups(files_->set.num_channels, bins)),
      order_(num_samples(), batch_size, use),
      scratch_(static_cast<std::size_t>(std::max(1, loader.threads))),
      prefetcher_(loader.threads, loader.prefetch,
                  [this](std::int64_t number, int worker, Batch& batch) { build(number, worker, batch); }) {
  TimedSpikes spikes;
  for (std::int64_t sample = 0; sample < num_samples(); ++sample) {
    to_timed_spikes(train(sample), bins_.from_first_spike, spikes);
    const std::int64_t count = num_bins(spikes, bins_);
    if (count > kMostBins)
      throw ShapeError(fmt::format("{}: sample {} has {} bins of {} ms, more than {}; spikes.max_bins cuts it",
                                   file(sample), sample, count, bins_.dt_ms, kMostBins));
    longest_ = std::max<std::ptrdiff_t>(longest_, count);
  }
}

void SpikeTrainSource::start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) {
  prefetcher_.stop();
  seed_ = seed;
  epoch_ = epoch;
  order_.start(seed, epoch);
  prefetcher_.start(first_batch, num_batches());
}

std::int32_t SpikeTrainSource::label(std::int64_t sample) const {
  return files_->set.label[static_cast<std::size_t>(samples_.at(static_cast<std::size_t>(sample)))];
}

const std::string& SpikeTrainSource::file(std::int64_t sample) const {
  const auto wanted = static_cast<std::size_t>(samples_.at(static_cast<std::size_t>(sample)));
  const auto behind = std::upper_bound(files_->first_of.begin(), files_->first_of.end(), wanted);
  return files_->names[static_cast<std::size_t>(behind - files_->first_of.begin()) - 1];
}

const SpikeTrain& SpikeTrainSource::train(std::int64_t sample) const {
  return files_->set.samples[static_cast<std::size_t>(samples_.at(static_cast<std::size_t>(sample)))];
}

std::vector<unsigned char> SpikeTrainSource::thumbnail_png(std::int64_t sample) const {
  return spike_thumbnail_png(train(sample), files_->set.num_channels);
}

void SpikeTrainSource::build(std::int64_t number, int worker, Batch& batch) {
  const std::span<const std::int64_t> chosen = order_.batch(number);
  const std::size_t size = chosen.size();
  std::vector<TimedSpikes>& spikes = scratch_[static_cast<std::size_t>(worker)];
  spikes.resize(std::max(spikes.size(), size + 1));  // and one that CutMix keeps
  batch.label.resize(size);
  batch.index.assign(chosen.begin(), chosen.end());
  for (std::size_t b = 0; b < size; ++b) {
    to_timed_spikes(train(chosen[b]), bins_.from_first_spike, spikes[b]);
    batch.label[b] = label(chosen[b]);
    augment(spikes[b], files_->set.num_channels, augment_, {seed_, epoch_, chosen[b]});
  }
  mix(spikes, batch);
  batch.num_ticks.resize(size);
  std::int64_t longest = 1;
  for (std::size_t b = 0; b < size; ++b) {
    batch.num_ticks[b] = num_bins(spikes[b], bins_);
    longest = std::max(longest, batch.num_ticks[b]);
  }

  const Shape shape{longest, std::ssize(chosen), groups_};
  if (batch.input.shape() == shape && batch.input.device() == Device::cpu) {
    std::fill(batch.input.span().begin(), batch.input.span().end(), 0.0F);
  } else {
    batch.input = Tensor<float>(shape);
  }
  for (std::size_t b = 0; b < size; ++b)
    bin_spikes(spikes[b], bins_, batch.input.data() + static_cast<std::ptrdiff_t>(b) * groups_, shape.size_from(1));
}

void SpikeTrainSource::mix(std::vector<TimedSpikes>& spikes, Batch& batch) const {
  const std::size_t size = batch.label.size();
  const bool mixing = augment_.cutmix > 0.0 && size > 1;
  batch.mixed_label.assign(mixing ? size : 0, 0);
  batch.label_weight.assign(mixing ? size : 0, 1.0F);
  if (!mixing) return;
  spikes[size] = spikes[0];  // as it is before it is mixed itself
  for (std::size_t b = 0; b < size; ++b) {
    batch.mixed_label[b] = batch.label[(b + 1) % size];
    batch.label_weight[b] =
        static_cast<float>(cut_mix(spikes[b], spikes[b + 1], augment_, {seed_, epoch_, batch.index[b]}));
  }
}

}  // namespace synfire::datasets
