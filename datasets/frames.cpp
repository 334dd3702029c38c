#include "datasets/frames.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire::datasets {

namespace {

int floor_half(int value) { return value >= 0 ? value / 2 : -((1 - value) / 2); }

/// For each sensor coordinate its place in the frame, times `stride`; negative outside.
std::vector<std::int32_t> axis_map(int sensor, int downsample, int size, int stride) {
  const int offset = floor_half((sensor + downsample - 1) / downsample - size);
  std::vector<std::int32_t> map(static_cast<std::size_t>(sensor));
  for (int i = 0; i < sensor; ++i) {
    const int place = i / downsample - offset;
    map[static_cast<std::size_t>(i)] = place >= 0 && place < size ? place * stride : -1;
  }
  return map;
}

}  // namespace

PixelMap::PixelMap(int sensor_width, int sensor_height, int downsample, int width, int height) {
  if (sensor_width <= 0 || sensor_height <= 0 || sensor_width > 65536 || sensor_height > 65536)
    throw ShapeError(fmt::format("[PixelMap] a sensor of {} x {} pixels has no frame", sensor_width, sensor_height));
  if (downsample <= 0 || width < 0 || height < 0 || width > 65536 || height > 65536)
    throw ShapeError(
        fmt::format("[PixelMap] down-sampling must be positive and the size not negative, got {} and {} x {}",
                    downsample, width, height));
  width_ = width > 0 ? width : (sensor_width + downsample - 1) / downsample;
  height_ = height > 0 ? height : (sensor_height + downsample - 1) / downsample;
  if (std::int64_t{width_} * height_ >= std::int64_t{1} << 30)
    throw ShapeError(fmt::format("[PixelMap] a frame of {} x {} pixels is too large", width_, height_));
  column_ = axis_map(sensor_width, downsample, width_, 2);
  row_ = axis_map(sensor_height, downsample, height_, 2 * width_);
}

void make_frames(const EventColumns& events, std::span<const IndexRange> ranges, const PixelMap& map, bool binary,
                 float* out, std::ptrdiff_t step) {
  const std::ptrdiff_t frame_size = std::ptrdiff_t{2} * map.width() * map.height();
  for (const IndexRange& range : ranges) {
    std::fill_n(out, frame_size, 0.0F);
    for (std::size_t i = range.begin; i < std::min(range.end, events.x.size()); ++i) {
      const std::ptrdiff_t offset = map.offset(events.x[i], events.y[i]);
      if (offset < 0) continue;
      float& count = out[offset + events.on[i]];
      count = binary ? 1.0F : count + 1.0F;
    }
    out += step;
  }
}

Tensor<float> make_frames(const EventStream& events, std::span<const IndexRange> ranges, const PixelMap& map,
                          bool binary) {
  Tensor<float> frames({static_cast<std::ptrdiff_t>(ranges.size()), map.height(), map.width(), 2});
  make_frames({events.x, events.y, events.on}, ranges, map, binary, frames.data(), frames.shape().size_from(1));
  return frames;
}

std::vector<IndexRange> frame_ranges(std::span<const std::uint32_t> t_us, const TimeSpan& span,
                                     const FrameConfig& config) {
  const std::size_t bins = static_cast<std::size_t>(config.bins);
  if (t_us.empty()) return std::vector<IndexRange>(bins);
  if (config.mode == FrameMode::number) return slice_event_bins(t_us.size(), {.bins = config.bins}, config.convention);

  const bool parity = config.convention != Convention::synfire;
  const std::optional<TimeSpan> own_span = parity ? std::nullopt : std::optional(span);
  if (config.bin_ms == 0.0) return slice_time_bins(t_us, {.bins = config.bins, .span = own_span}, config.convention);

  const auto bin_us = static_cast<std::int64_t>(std::llround(config.bin_ms * 1000.0));
  if (parity) {
    std::vector<IndexRange> ranges = slice_by_time(t_us, {.window_us = bin_us}, config.convention);
    ranges.resize(bins, {t_us.size(), t_us.size()});
    return ranges;
  }
  const TimeSpan covered{span.begin_us, span.begin_us + bin_us * config.bins};
  const auto end = std::lower_bound(t_us.begin(), t_us.end(), covered.end_us,
                                    [](std::uint32_t t, std::int64_t value) { return std::int64_t{t} < value; });
  return slice_time_bins(std::span(t_us.begin(), end), {.bins = config.bins, .span = covered});
}

}  // namespace synfire::datasets
