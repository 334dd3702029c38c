#include "datasets/frame_source.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "datasets/render/pictures.hpp"

namespace synfire::datasets {

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
      order_(num_samples(), batch_size, use),
      scratch_(static_cast<std::size_t>(std::max(1, loader.threads))),
      prefetcher_(loader.threads, loader.prefetch,
                  [this](std::int64_t number, int worker, Batch& batch) { build(number, worker, batch); }) {}

void FrameSource::start_epoch(std::uint64_t seed, int epoch, std::int64_t first_batch) {
  prefetcher_.stop();
  seed_ = seed;
  epoch_ = epoch;
  order_.start(seed, epoch);
  prefetcher_.start(first_batch, num_batches());
}

std::int32_t FrameSource::label(std::int64_t sample) const {
  return samples_.at(static_cast<std::size_t>(sample)).label;
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

std::vector<unsigned char> FrameSource::thumbnail_png(std::int64_t sample) const {
  return datasets::thumbnail_png(events(sample));
}

void FrameSource::build(std::int64_t number, int worker, Batch& batch) {
  const std::span<const std::int64_t> chosen = order_.batch(number);
  const std::size_t size = chosen.size();
  const Shape sample = sample_shape();
  const Shape shape{sample[0], std::ssize(chosen), sample[1], sample[2], sample[3]};
  if (!(batch.input.shape() == shape) || batch.input.device() != Device::cpu) batch.input = Tensor<float>(shape);
  batch.label.resize(size);
  batch.index.assign(chosen.begin(), chosen.end());
  batch.num_ticks.clear();
  batch.mixed_label.clear();
  batch.label_weight.clear();
  const std::ptrdiff_t frame_size = shape.size_from(2);
  for (std::size_t b = 0; b < size; ++b) {
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

}  // namespace synfire::datasets
