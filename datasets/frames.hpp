#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/config.hpp"
#include "core/event_stream.hpp"
#include "core/tensor.hpp"
#include "datasets/slicing.hpp"

/// Events -> frames [T, H, W, 2]: how often each pixel fired OFF (channel 0) and ON (channel 1) in a time bin.
namespace synfire::datasets {

/// Columns of events that lie elsewhere; of equal length.
struct EventColumns {
  std::span<const std::uint16_t> x;
  std::span<const std::uint16_t> y;
  std::span<const std::uint8_t> on;
};

/// Where the pixels of a sensor land in a frame: first groups of `downsample` x `downsample` pixels become one (the
/// last group of a row may be smaller), then the picture is cropped or padded about its centre to `width` x `height`.
class PixelMap {
 public:
  /// `width` and `height` of 0: as they come. \throws ShapeError for a size or factor that is not positive
  PixelMap(int sensor_width, int sensor_height, int downsample = 1, int width = 0, int height = 0);

  int width() const { return width_; }
  int height() const { return height_; }
  /// Offset of pixel (x, y)'s OFF channel in a frame, negative if it falls outside.
  std::ptrdiff_t offset(std::uint16_t x, std::uint16_t y) const {
    const std::int32_t column = column_[x], row = row_[y];
    return (column | row) < 0 ? -1 : std::ptrdiff_t{column} + row;
  }

 private:
  int width_;
  int height_;
  std::vector<std::int32_t> column_;  ///< 2 x', or negative
  std::vector<std::int32_t> row_;     ///< 2 width y', or negative
};

/// Zeroes one frame per range at `out`, `out + step`, `out + 2 step`, ... and counts the events of the range in it
/// (binary: 1 where there is any). A range's end beyond the events is cut.
void make_frames(const EventColumns& events, std::span<const IndexRange> ranges, const PixelMap& map, bool binary,
                 float* out, std::ptrdiff_t step);

/// The same into a tensor of its own, [ranges, H, W, 2].
Tensor<float> make_frames(const EventStream& events, std::span<const IndexRange> ranges, const PixelMap& map,
                          bool binary = false);

enum class FrameMode { time, number };

/// How a sample of any length becomes exactly `bins` frames.
struct FrameConfig {
  int bins = 16;
  FrameMode mode = FrameMode::time;
  /// Time mode: 0 divides the sample's duration by `bins`; otherwise bins of this length from the sample's begin on,
  /// what comes later is left out and what is missing stays empty.
  double bin_ms = 0.0;
  Convention convention = Convention::synfire;
  bool binary = false;
  int downsample = 1;
  int width = 0;  ///< 0: the sensor's, after down-sampling
  int height = 0;
};

/// Reads `[frames]`: bins, mode = "time" | "number", bin_ms, convention = "synfire" | "tonic" | "spikingjelly",
/// values = "counts" | "binary", downsample, size = [width, height]. \throws ConfigError
FrameConfig read_frame_config(const ConfigTable& table);

/// The events of each of the `bins` frames. `span` is the sample's own time; parity conventions go by the first and
/// last event, as their originals do. \throws ShapeError as the slicers do
std::vector<IndexRange> frame_ranges(std::span<const std::uint32_t> t_us, const TimeSpan& span,
                                     const FrameConfig& config);

}  // namespace synfire::datasets
