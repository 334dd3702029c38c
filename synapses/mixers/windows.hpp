#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/shape.hpp"
#include "synapses/mixers/mixer_config.hpp"

/// Which tokens meet. Private to the room: not installed.
namespace synfire::synapses {

/// Extents of [T, B, H, W, C]; [T, B, C] is an image of one pixel.
struct TokenGrid {
  explicit TokenGrid(const Shape& shape)
      : ticks(shape[0]),
        batch(shape[1]),
        height(shape.rank() == 5 ? shape[2] : 1),
        width(shape.rank() == 5 ? shape[3] : 1),
        channels(shape.channels()) {}

  std::ptrdiff_t tokens() const { return ticks * batch * height * width; }
  std::ptrdiff_t index(std::ptrdiff_t b, std::ptrdiff_t t, std::ptrdiff_t y, std::ptrdiff_t x) const {
    return ((t * batch + b) * height + y) * width + x;
  }

  std::ptrdiff_t ticks, batch, height, width, channels;
};

/// Tokens [begin, end) on each axis, in the order t, y, x.
struct TokenBox {
  std::array<std::ptrdiff_t, 3> begin{}, end{};

  std::ptrdiff_t extent(std::size_t axis) const { return end[axis] - begin[axis]; }
  std::ptrdiff_t count() const { return extent(0) * extent(1) * extent(2); }
  TokenBox tick(std::ptrdiff_t t) const { return {{t, begin[1], begin[2]}, {t + 1, end[1], end[2]}}; }
};

/// Windows along one axis of `extent` tokens, the first of which has position `first`.
class WindowAxis {
 public:
  WindowAxis(std::ptrdiff_t extent, std::ptrdiff_t size, std::ptrdiff_t shift, std::ptrdiff_t first, bool cut)
      : extent_(extent), size_(size), offset_(0) {
    if (size_ == 0 || (cut && size_ >= extent)) {
      size_ = 0;
    } else {
      offset_ = (first + shift) % size_;
    }
  }
  std::ptrdiff_t count() const {
    if (extent_ == 0) return 0;
    return size_ == 0 ? 1 : (extent_ - 1 + offset_) / size_ + 1;
  }
  std::ptrdiff_t begin(std::ptrdiff_t window) const {
    return size_ == 0 ? 0 : std::max<std::ptrdiff_t>(0, window * size_ - offset_);
  }
  std::ptrdiff_t end(std::ptrdiff_t window) const {
    return size_ == 0 ? extent_ : std::min(extent_, (window + 1) * size_ - offset_);
  }
  /// Whether the window of the first token, at position `first`, has tokens before it.
  bool begins_inside(std::int64_t first) const { return first > 0 && (size_ == 0 || offset_ != 0); }

 private:
  std::ptrdiff_t extent_, size_;  // 0: one window
  std::ptrdiff_t offset_;         // of the first token in its window
};

/// \param first_tick  position in time of the first tick
struct Windows {
  Windows(const TokenGrid& grid, const MixerConfig& config, std::int64_t first_tick = 0)
      : t(grid.ticks, config.window_size[0], config.window_shift[0], first_tick, !config.causal),
        y(grid.height, config.window_size[1], config.window_shift[1], 0, true),
        x(grid.width, config.window_size[2], config.window_shift[2], 0, true) {}

  std::ptrdiff_t in_space() const { return y.count() * x.count(); }
  TokenBox box(std::ptrdiff_t in_time, std::ptrdiff_t in_space) const {
    const std::ptrdiff_t row = in_space / x.count(), column = in_space % x.count();
    return {{t.begin(in_time), y.begin(row), x.begin(column)}, {t.end(in_time), y.end(row), x.end(column)}};
  }

  WindowAxis t, y, x;
};

struct Token {
  std::ptrdiff_t index;                    ///< TokenGrid::index
  std::array<std::ptrdiff_t, 3> position;  ///< t, y, x
};

/// Lists tokens [first, first + count) of a box, x fastest.
inline void list_tokens(const TokenGrid& grid, std::ptrdiff_t b, const TokenBox& box, std::ptrdiff_t first,
                        std::ptrdiff_t count, Token* tokens) {
  const std::ptrdiff_t width = box.extent(2), frame = box.extent(1) * width;
  std::array<std::ptrdiff_t, 3> at{box.begin[0] + first / frame, box.begin[1] + first % frame / width,
                                   box.begin[2] + first % width};
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    tokens[i] = {grid.index(b, at[0], at[1], at[2]), at};
    if (++at[2] < box.end[2]) continue;
    at[2] = box.begin[2];
    if (++at[1] < box.end[1]) continue;
    at[1] = box.begin[1];
    ++at[0];
  }
}

}  // namespace synfire::synapses
