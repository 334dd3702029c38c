#include "datasets/frame_source.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kOrderStream = 0xDA7A0004U;

}  // namespace

FrameSource::FrameSource(std::shared_ptr<const RecordingSet> recordings, std::vector<Sample> samples,
                         std::vector<std::string> class_names, Use use, const FrameConfig& frames,
                         const AugmentConfig& augment, int batch_size, const LoaderConfig& loader)
    : recordings_(std::move(recordings)),
      samples_(std::move(samples)),
      class_names_(std::move(class_names)),
      use_(use),
      frames_(frames),
      augment_(use == Use::training ? augment : AugmentConfig{}),
      map_(recordings_->width, recordings_->height, frames.downsample, frames.width, frames.height),
      batch_size_(batch_size),
      order_(samples_.size()),
      scratch_(static_cast<std::size_t>(std::max(1, loader.threads))),
      prefetcher_(loader.threads, loader.prefetch,
                  [this](std::int64_t number, int worker, Batch& batch) { build(number, worker, batch); }) {
  if (batch_size <= 0) throw ShapeError("[FrameSource] the batch size must be positive");
}

std::int64_t FrameSource::num_batches() const {
  const std::int64_t full = num_samples() / batch_size_, rest = num_samples() % batch_size_;
  const bool rest_counts = rest > 1 || (rest == 1 && (use_ == Use::evaluation || full == 0));
  return full + (rest_counts ? 1 : 0);
}

void FrameSource::start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) {
  prefetcher_.stop();
  seed_ = seed;
  epoch_ = epoch;
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  if (use_ == Use::training) {
    const RandomStream random(seed, kOrderStream, static_cast<std::uint32_t>(epoch));
    for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i, i)]);
  }
  prefetcher_.start(first_batch, num_batches());
}

const std::string& FrameSource::file(std::int64_t sample) const {
  return recordings_->files.at(samples_.at(static_cast<std::size_t>(sample)).recording);
}

EventStream FrameSource::events(std::int64_t sample) const {
  const Sample& wanted = samples_.at(static_cast<std::size_t>(sample));
  const CompactEvents& recording = recordings_->recordings[wanted.recording];
  return expand(recording, recording.between(wanted.t_begin_us, wanted.t_end_us), recordings_->width,
                recordings_->height);
}

void FrameSource::build(std::int64_t number, int worker, Batch& batch) {
  const std::int64_t begin = number * batch_size_, end = std::min(begin + batch_size_, num_samples());
  const std::size_t size = static_cast<std::size_t>(end - begin);
  const Shape sample = sample_shape();
  const Shape shape{sample[0], end - begin, sample[1], sample[2], sample[3]};
  if (!(batch.input.shape() == shape) || batch.input.device() != Device::cpu) batch.input = Tensor<float>(shape);
  batch.label.resize(size);
  batch.index.resize(size);
  const std::ptrdiff_t frame_size = shape.size_from(2);
  for (std::size_t b = 0; b < size; ++b) {
    batch.index[b] = order_[static_cast<std::size_t>(begin) + b];
    batch.label[b] = samples_[static_cast<std::size_t>(batch.index[b])].label;
    build_sample(batch.index[b], scratch_[static_cast<std::size_t>(worker)],
                 batch.input.data() + static_cast<std::ptrdiff_t>(b) * frame_size, shape.size_from(1));
  }
}

void FrameSource::build_sample(std::int64_t index, CompactEvents& scratch, float* out, std::ptrdiff_t step) const {
  const Sample& sample = samples_[static_cast<std::size_t>(index)];
  const CompactEvents& recording = recordings_->recordings[sample.recording];
  const AugmentKey key{seed_, epoch_, index};
  const std::int64_t moved =
      draw_time_shift_us(augment_, key, sample.t_earliest_us - sample.t_begin_us, sample.t_latest_us - sample.t_end_us);
  const IndexRange range = recording.between(sample.t_begin_us + moved, sample.t_end_us + moved);
  const std::int64_t from_us = sample.t_begin_us + moved - recording.origin_us;
  const std::int64_t duration_us = sample.t_end_us - sample.t_begin_us;

  scratch.resize(range.size());
  for (std::size_t i = 0; i < range.size(); ++i)
    scratch.t_us[i] = static_cast<std::uint32_t>(recording.t_us[range.begin + i] - from_us);
  const auto copy = [&](const auto& from, auto& to) {
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(range.begin), range.size(), to.begin());
  };
  copy(recording.x, scratch.x);
  copy(recording.y, scratch.y);
  copy(recording.on, scratch.on);
  if (use_ == Use::training) augment(scratch, recordings_->width, recordings_->height, duration_us, augment_, key);

  try {
    const std::vector<IndexRange> ranges = frame_ranges(scratch.t_us, {0, duration_us}, frames_);
    make_frames({scratch.x, scratch.y, scratch.on}, ranges, map_, frames_.binary, out, step);
  } catch (const ShapeError& error) {
    // Other conventions have no answer for some samples; which one it was helps to leave it out.
    throw ShapeError(file(index) + ": " + error.what());
  }
}

LoaderConfig read_loader_config(const ConfigTable& table) {
  LoaderConfig config;
  config.threads = static_cast<int>(table.integer("threads", config.threads, 0, 1024));
  config.prefetch = static_cast<int>(table.integer("prefetch", config.prefetch, 1, 1024));
  return config;
}

}  // namespace synfire::datasets
