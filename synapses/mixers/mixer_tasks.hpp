#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "core/parallel.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"
#include "synapses/mixers/mixer_config.hpp"
#include "synapses/mixers/tile_product.hpp"
#include "synapses/mixers/windows.hpp"
#include "synapses/scratch.hpp"

/// What mixers share that go over one head of one window at a time. Private to the room: not installed.
namespace synfire::synapses {

inline constexpr int kMixerWorkers = 32;

/// One head in one window of one sample, and where its numbers are.
struct HeadTask {
  std::ptrdiff_t b = 0;
  TokenBox box;
  int head = 0;
};

inline std::ptrdiff_t head_count(const TokenGrid& grid, const MixerConfig& config) {
  const Windows windows(grid, config);
  return grid.batch * windows.in_space() * windows.t.count() * config.heads;
}
/// Workers that each_head gives scratch to.
inline std::size_t worker_count(const TokenGrid& grid, const MixerConfig& config) {
  return static_cast<std::size_t>(std::min<std::ptrdiff_t>(kMixerWorkers, head_count(grid, config)));
}

/// Calls `body(task, cursor)` for every head of every window, each worker with `bytes` of scratch.
template <class Body>
void each_head(const TokenGrid& grid, const MixerConfig& config, std::byte* scratch, std::size_t bytes,
               const Body& body) {
  const Windows windows(grid, config);
  const std::ptrdiff_t in_space = windows.in_space(), in_time = windows.t.count();
  const std::ptrdiff_t count = head_count(grid, config);
  if (count == 0) return;
  const auto run = [&](int worker, std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      ScratchCursor cursor({scratch + static_cast<std::size_t>(worker) * bytes, bytes});
      const std::ptrdiff_t window = i / config.heads;
      body(HeadTask{window / (in_space * in_time), windows.box(window % in_time, window / in_time % in_space),
                    static_cast<int>(i % config.heads)},
           cursor);
    }
  };
  parallel_chunks(count, static_cast<int>(worker_count(grid, config)), run);
}

inline std::ptrdiff_t longest_window(const TokenGrid& grid, const MixerConfig& config) {
  const auto extent = [](std::ptrdiff_t all, int size) {
    return size == 0 ? all : std::min<std::ptrdiff_t>(all, size);
  };
  return extent(grid.ticks, config.window_size[0]) * extent(grid.height, config.window_size[1]) *
         extent(grid.width, config.window_size[2]);
}

/// Some tokens of a task, by their rows in [T, B, H, W, C].
struct TokenRows {
  const TokenGrid& grid;
  const HeadTask& task;
  Token* tokens;
  int heads;
  std::ptrdiff_t count = 0;

  void list(std::ptrdiff_t first, std::ptrdiff_t number) {
    count = number;
    list_tokens(grid, task.b, task.box, first, number, tokens);
  }
  std::ptrdiff_t d() const { return grid.channels / heads; }
  /// First channel of the head in token i.
  std::ptrdiff_t channel(std::ptrdiff_t i) const { return tokens[i].index * grid.channels + task.head * d(); }
  std::ptrdiff_t head(std::ptrdiff_t i) const { return tokens[i].index * heads + task.head; }

  /// rows[i, r] = map(x of token i and channel r), followed by zeros.
  template <class Scalar, class Map>
  void load(const Signal<Scalar>& x, const PackedRows<Scalar>& rows, const Map& map) const {
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      Scalar* const row = rows.row(i);
      const std::ptrdiff_t from = channel(i);
      for (std::ptrdiff_t r = 0; r < d(); ++r) {
        row[r] = map(x.is_spikes() ? static_cast<Scalar>(x.spikes[from + r]) : x.real[from + r]);
      }
      std::fill(row + d(), row + rows.width, Scalar(0));
    }
  }
  template <class Scalar>
  void load(const Signal<Scalar>& x, const PackedRows<Scalar>& rows) const {
    load(x, rows, [](Scalar value) { return value; });
  }
  /// The channels of token i in x = value(r).
  template <class Scalar, class Value>
  void write(const View<Scalar>& x, std::ptrdiff_t i, const Value& value) const {
    if (x.data == nullptr) return;
    Scalar* const to = x.data + channel(i);
    for (std::ptrdiff_t r = 0; r < d(); ++r) to[r] = value(r);
  }
};

template <class Scalar>
PackedRows<Scalar> take_rows(ScratchCursor& cursor, std::ptrdiff_t rows, std::ptrdiff_t columns) {
  const std::ptrdiff_t width = padded<Scalar>(columns);
  return {cursor.take<Scalar>(rows * width), width};
}
template <class Scalar>
std::size_t rows_bytes(std::ptrdiff_t rows, std::ptrdiff_t columns) {
  return scratch_bytes<Scalar>(rows * padded<Scalar>(columns));
}
template <class Scalar>
void clear(const PackedRows<Scalar>& m, std::ptrdiff_t rows) {
  std::fill(m.data, m.data + rows * m.width, Scalar(0));
}
template <class Scalar>
Strided<Scalar> as_is(const PackedRows<Scalar>& m) {
  return {m.data, m.width, 1};
}
template <class Scalar>
Strided<Scalar> transposed(const PackedRows<Scalar>& m) {
  return {m.data, 1, m.width};
}
template <class Scalar>
Signal<Scalar> real_signal(const View<const Scalar>& x) {
  return {x.shape, x.data, nullptr, x.device};
}

template <class Scalar>
inline Scalar elu1(Scalar x) {
  return x > Scalar(0) ? x + Scalar(1) : std::exp(x);
}
template <class Scalar>
inline Scalar elu1_slope(Scalar x) {
  return x > Scalar(0) ? Scalar(1) : std::exp(x);
}

}  // namespace synfire::synapses
