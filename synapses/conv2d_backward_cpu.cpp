#include "core/parallel.hpp"
#include "synapses/conv2d_cpu.hpp"
#include "synapses/row_sums.hpp"
#include "synapses/scratch.hpp"
#include "synapses/tap_product.hpp"

namespace synfire::synapses {

namespace {

/// Most partial weight gradients; more than the cores of a machine.
constexpr std::ptrdiff_t kMaxChunks = 32;
/// Memory that the partial weight gradients may take, unless that leaves too few chunks.
constexpr std::ptrdiff_t kPartialBytes = std::ptrdiff_t{16} << 20;
constexpr std::ptrdiff_t kMinChunks = 4;
/// Size of the window on the output's gradient that a block of input rows sees: it stays in the nearest caches, and the
/// rows that two blocks share are few; bench/conv2d.cpp.
constexpr std::ptrdiff_t kWindowBytes = 48 << 10;
constexpr std::ptrdiff_t kMinBlockRows = 4;

/// Sizes of what a chunk keeps in scratch. With stride s, input rows and columns fall into s phases: those of one phase
/// meet the same taps, and their outputs are neighbours.
template <class Scalar>
struct Layout {
  int chunks;
  std::ptrdiff_t out_padded;        ///< output channels in whole packs
  std::ptrdiff_t first_col, cols;   ///< of the window, in output columns
  std::ptrdiff_t block_rows, rows;  ///< of the input; of the window
  std::ptrdiff_t list;              ///< of each of Ci channel lists

  explicit Layout(const Conv2dExtents& e) {
    const std::ptrdiff_t s = e.g.stride;
    const std::ptrdiff_t weight_bytes = grouped_weights<Scalar>(e) * static_cast<std::ptrdiff_t>(sizeof(Scalar));
    chunks = static_cast<int>(std::clamp(kPartialBytes / weight_bytes, kMinChunks, kMaxChunks));
    out_padded = packs_for<Scalar>(e.out()) * kLanes<Scalar>;
    first_col = floor_div(e.g.padding - e.g.kernel_w + 1, s);
    cols = floor_div(e.in_w - 1 + e.g.padding, s) - first_col + 1;
    const std::ptrdiff_t row_bytes = cols * out_padded * static_cast<std::ptrdiff_t>(sizeof(Scalar));
    const std::ptrdiff_t shared_rows = (e.g.kernel_h - 1) / s;
    block_rows = std::max(kMinBlockRows, kWindowBytes / row_bytes - shared_rows) * s;
    block_rows = std::min(block_rows, ceil_div(e.in_h, s) * s);
    rows = first_window_row(e, block_rows) - first_window_row(e, 0) + shared_rows + 1;
    list = block_rows * e.in_w + kListSlack;
  }

  /// The first output row that input rows from `row` (a multiple of the stride) on can meet.
  static std::ptrdiff_t first_window_row(const Conv2dExtents& e, std::ptrdiff_t row) {
    return floor_div(row + e.g.padding - e.g.kernel_h + 1, e.g.stride);
  }
};

/// Copies output rows from `first_row` on, with zeros around the image.
template <class Scalar>
void fill_window(const Conv2dExtents& e, const Layout<Scalar>& layout, const Scalar* grad_y, std::ptrdiff_t first_row,
                 std::ptrdiff_t rows, Scalar* window) {
  const std::ptrdiff_t begin = std::max<std::ptrdiff_t>(0, layout.first_col);
  const std::ptrdiff_t end = std::min(e.out_w, layout.first_col + layout.cols);
  for (std::ptrdiff_t r = 0; r < rows; ++r) {
    Scalar* const to = window + r * layout.cols * layout.out_padded;
    const std::ptrdiff_t row = first_row + r;
    if (row < 0 || row >= e.out_h || begin >= end) {
      std::fill(to, to + layout.cols * layout.out_padded, Scalar{0});
      continue;
    }
    const Scalar* const from = grad_y + row * e.out_w * e.out();
    std::fill(to, to + (begin - layout.first_col) * layout.out_padded, Scalar{0});
    std::fill(to + (end - layout.first_col) * layout.out_padded, to + layout.cols * layout.out_padded, Scalar{0});
    if (layout.out_padded == e.out()) {
      std::copy(from + begin * e.out(), from + end * e.out(), to + (begin - layout.first_col) * e.out());
      continue;
    }
    for (std::ptrdiff_t j = begin; j < end; ++j) {
      Scalar* const pixel = to + (j - layout.first_col) * layout.out_padded;
      std::copy(from + j * e.out(), from + (j + 1) * e.out(), pixel);
      std::fill(pixel + e.out(), pixel + layout.out_padded, Scalar{0});
    }
  }
}

/// The taps that pixels of a phase meet in one direction: kernel places first, first + s, ..; the pixel of the phase
/// with number m meets output `place` + m through `first`, one less through each further one.
struct PhaseTaps {
  std::ptrdiff_t first, place;

  PhaseTaps(std::ptrdiff_t phase, std::ptrdiff_t padding, std::ptrdiff_t stride)
      : first((phase + padding) % stride), place((phase + padding - first) / stride) {}
};

template <class Scalar, bool IsSpikes>
void add_weight_gradients(const Conv2dExtents& e, const Layout<Scalar>& layout, const ChannelLists<Scalar>& lists,
                          const Scalar* window, const PhaseTaps& by_row, const PhaseTaps& by_column, Scalar* grad_w) {
  const std::ptrdiff_t s = e.g.stride, in = e.in(), kernel_w = e.g.kernel_w;
  each_group(packs_for<Scalar>(e.out()), [&](std::ptrdiff_t pack, auto packs) {
    constexpr std::ptrdiff_t kWidth = packs * kLanes<Scalar>;
    const std::ptrdiff_t channel = pack * kLanes<Scalar>;
    Scalar* const group = grad_w + channel * e.taps() * in;
    for (std::ptrdiff_t a = by_row.first; a < e.g.kernel_h; a += s) {
      const std::ptrdiff_t window_row = by_row.place - (a - by_row.first) / s;
      for (std::ptrdiff_t b = by_column.first; b < kernel_w;) {
        const std::ptrdiff_t left = (kernel_w - 1 - b) / s + 1;
        const std::ptrdiff_t columns = left >= kGroups ? kGroups : 1;
        // The last of these kernel columns meets the first of the neighbouring outputs.
        const std::ptrdiff_t last_b = b + (columns - 1) * s;
        const std::ptrdiff_t window_column = by_column.place - (last_b - by_column.first) / s;
        const Scalar* const outputs = window + (window_row * layout.cols + window_column) * layout.out_padded + channel;
        Scalar* const sums = group + (a * kernel_w + last_b) * in * kWidth;
        for (std::ptrdiff_t c = 0; c < in; ++c) {
          if (columns == kGroups) {
            add_listed_rows<kGroups, packs, IsSpikes>(lists, c, outputs, layout.out_padded, layout.out_padded,
                                                      sums + c * kWidth, -s * in * kWidth);
          } else {
            add_listed_rows<1, packs, IsSpikes>(lists, c, outputs, layout.out_padded, 0, sums + c * kWidth, 0);
          }
        }
        b += columns * s;
      }
    }
  });
}

/// The input's gradient at the pixels of a phase.
template <class Scalar>
void input_gradient(const Conv2dExtents& e, const Layout<Scalar>& layout, const Scalar* window, const Scalar* arranged,
                    const PhaseTaps& by_row, const PhaseTaps& by_column, std::span<Tap> room, std::ptrdiff_t row0,
                    std::ptrdiff_t row_end, std::ptrdiff_t column0, Scalar* grad_x) {
  const std::ptrdiff_t s = e.g.stride;
  if (row0 >= row_end || column0 >= e.in_w) return;
  std::size_t num_taps = 0;
  for (std::ptrdiff_t a = by_row.first; a < e.g.kernel_h; a += s) {
    for (std::ptrdiff_t b = by_column.first; b < e.g.kernel_w; b += s) {
      const std::ptrdiff_t row = by_row.place - (a - by_row.first) / s;
      const std::ptrdiff_t column = by_column.place - (b - by_column.first) / s;
      room[num_taps++] = {(row * layout.cols + column) * layout.out_padded, (a * e.g.kernel_w + b) * e.out()};
    }
  }
  tap_product(TapProduct<Scalar>{
      .rows = ceil_div(row_end - row0, s),
      .columns = ceil_div(e.in_w - column0, s),
      .source = {window, layout.cols * layout.out_padded, layout.out_padded},
      .taps = room.first(num_taps),
      .depth = e.out(),
      .weights = arranged,
      .weight_rows = e.taps() * e.out(),
      .bias = nullptr,
      .channels = e.in(),
      .out = {grad_x + (row0 * e.in_w + column0) * e.in(), s * e.in_w * e.in(), s * e.in()},
  });
}

/// What each_grouped_weight visits, summed over the chunks in their order.
template <class Scalar>
void collect_weight_gradients(const Conv2dExtents& e, int chunks, Scalar* partials, Scalar* grad_w) {
  const std::ptrdiff_t count = grouped_weights<Scalar>(e);
  constexpr std::ptrdiff_t kTaskElements = 1 << 12;
  parallel_for(count, kTaskElements, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (int chunk = 1; chunk < chunks; ++chunk) {
      for (std::ptrdiff_t k = begin; k < end; ++k) partials[k] += partials[chunk * count + k];
    }
  });
  each_grouped_weight<Scalar>(e, [&](std::ptrdiff_t packed, std::ptrdiff_t index) {
    if (index >= 0) grad_w[index] = partials[packed];
  });
}

}  // namespace

template <class Scalar>
std::size_t conv2d_backward_scratch_cpu(const Conv2dExtents& e) {
  const Layout<Scalar> layout(e);
  return scratch_bytes<Scalar>(layout.chunks * grouped_weights<Scalar>(e)) +
         scratch_bytes<Scalar>(packs_for<Scalar>(e.in()) * kLanes<Scalar> * e.taps() * e.out()) +
         scratch_bytes<double>(layout.chunks * e.out()) +
         scratch_bytes<Scalar>(layout.chunks * layout.rows * layout.cols * layout.out_padded) +
         scratch_bytes<std::uint32_t>(layout.chunks * e.in() * layout.list) +
         scratch_bytes<Scalar>(layout.chunks * e.in() * layout.list) +
         scratch_bytes<std::uint32_t>(layout.chunks * e.in()) + scratch_bytes<std::uint8_t>(layout.chunks * e.in()) +
         scratch_bytes<Tap>(layout.chunks * e.taps()) + kCacheLine;
}

template <class Scalar, class T>
void conv2d_backward_cpu(const Conv2dExtents& e, const T* x, const Scalar* w, const Scalar* grad_y, Scalar* grad_w,
                         Scalar* grad_bias, Scalar* grad_x, std::span<std::byte> scratch) {
  const Layout<Scalar> layout(e);
  const std::ptrdiff_t weights = grouped_weights<Scalar>(e), s = e.g.stride;
  const std::ptrdiff_t window_size = layout.rows * layout.cols * layout.out_padded;
  ScratchCursor cursor(scratch);
  Scalar* const partials = cursor.take<Scalar>(layout.chunks * weights);
  Scalar* const arranged = cursor.take<Scalar>(packs_for<Scalar>(e.in()) * kLanes<Scalar> * e.taps() * e.out());
  double* const bias_partials = cursor.take<double>(layout.chunks * e.out());
  Scalar* const windows = cursor.take<Scalar>(layout.chunks * window_size);
  const ChannelLists<Scalar> all_lists{
      cursor.take<std::uint32_t>(layout.chunks * e.in() * layout.list),
      cursor.take<Scalar>(layout.chunks * e.in() * layout.list),
      cursor.take<std::uint32_t>(layout.chunks * e.in()),
      cursor.take<std::uint8_t>(layout.chunks * e.in()),
      layout.list,
  };
  Tap* const taps = cursor.take<Tap>(layout.chunks * e.taps());

  std::fill(partials, partials + layout.chunks * weights, Scalar{0});
  if (grad_x != nullptr) {
    arrange_for_tap_product(
        e.taps() * e.out(), e.in(),
        [&](std::ptrdiff_t row, std::ptrdiff_t c) {
          return w[(row % e.out() * e.in() + c) * e.taps() + row / e.out()];
        },
        arranged);
  }
  const std::ptrdiff_t blocks = ceil_div(e.in_h, layout.block_rows);
  parallel_chunks(e.frames * blocks, layout.chunks, [&](int chunk, std::ptrdiff_t first, std::ptrdiff_t last) {
    Scalar* const window = windows + chunk * window_size;
    const ChannelLists<Scalar> lists{all_lists.places + chunk * e.in() * layout.list,
                                     all_lists.values + chunk * e.in() * layout.list, all_lists.counts + chunk * e.in(),
                                     all_lists.masks + chunk * e.in(), layout.list};
    for (std::ptrdiff_t block = first; block < last; ++block) {
      const std::ptrdiff_t frame = block / blocks, begin = block % blocks * layout.block_rows;
      const std::ptrdiff_t end = std::min(begin + layout.block_rows, e.in_h);
      const std::ptrdiff_t first_row = Layout<Scalar>::first_window_row(e, begin);
      fill_window(e, layout, grad_y + frame * e.out_size(), first_row, layout.rows, window);
      for (std::ptrdiff_t phase = 0; phase < s * s; ++phase) {
        const std::ptrdiff_t row0 = begin + phase / s, column0 = phase % s;
        // `begin` is a multiple of the stride; the window starts at first_row and first_col.
        PhaseTaps by_row(phase / s, e.g.padding, s), by_column(column0, e.g.padding, s);
        by_row.place += begin / s - first_row;
        by_column.place -= layout.first_col;
        list_channels(x + frame * e.in_size() + (row0 * e.in_w + column0) * e.in(), e.in(),
                      {.rows = ceil_div(end - row0, s),
                       .columns = ceil_div(e.in_w - column0, s),
                       .row_step = s * e.in_w * e.in(),
                       .column_step = s * e.in(),
                       .place_row_step = layout.cols},
                      lists);
        add_weight_gradients<Scalar, std::is_same_v<T, std::uint8_t>>(e, layout, lists, window, by_row, by_column,
                                                                      partials + chunk * weights);
        if (grad_x != nullptr) {
          input_gradient(e, layout, window, arranged, by_row, by_column,
                         std::span(taps + chunk * e.taps(), static_cast<std::size_t>(e.taps())), row0, end, column0,
                         grad_x + frame * e.in_size());
        }
      }
    }
  });
  collect_weight_gradients(e, layout.chunks, partials, grad_w);
  if (grad_bias != nullptr) {
    sum_rows(grad_y, e.frames * e.out_h * e.out_w, e.out(), layout.chunks, bias_partials, grad_bias);
  }
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                   \
  template std::size_t conv2d_backward_scratch_cpu<Scalar>(const Conv2dExtents&);                                     \
  template void conv2d_backward_cpu(const Conv2dExtents&, const Scalar*, const Scalar*, const Scalar*, Scalar*,       \
                                    Scalar*, Scalar*, std::span<std::byte>);                                          \
  template void conv2d_backward_cpu(const Conv2dExtents&, const std::uint8_t*, const Scalar*, const Scalar*, Scalar*, \
                                    Scalar*, Scalar*, std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)

}  // namespace synfire::synapses
