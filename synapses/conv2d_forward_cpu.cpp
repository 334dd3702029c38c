#include "core/parallel.hpp"
#include "synapses/conv2d_cpu.hpp"
#include "synapses/nonzeros.hpp"
#include "synapses/scratch.hpp"
#include "synapses/tap_product.hpp"

namespace synfire::synapses {

namespace {

/// Scratch that is used at the same time; more than the cores of a machine.
constexpr int kChunks = 32;

/// Sizes of what a chunk keeps in scratch.
struct Layout {
  std::ptrdiff_t list, starts;       ///< of each of kernel_h row lists
  std::ptrdiff_t margin, tile_cols;  ///< one row of outputs, with the columns that hang over
  std::ptrdiff_t source_rows, source_cols, source;

  explicit Layout(const Conv2dExtents& e) {
    list = e.in_w * e.in() + kListSlack;
    starts = e.in_w + 1;
    margin = std::max(0, e.g.kernel_w - 1 - e.g.padding);
    tile_cols = margin + std::max(e.out_w, (e.in_w - 1 + e.g.padding) / e.g.stride + 1);
    source_rows = (std::min(Conv2dBand::kRows, e.out_h) - 1) * e.g.stride + e.g.kernel_h;
    source_cols = (e.out_w - 1) * e.g.stride + e.g.kernel_w;
    source = source_rows * source_cols * e.in();
  }
};

template <class Scalar>
struct Weights {
  Scalar* grouped;   ///< each_grouped_weight
  Scalar* arranged;  ///< arrange_for_tap_product, rows (tap, in channel)
  Scalar* bias;      ///< padded with zeros to whole packs
};

/// Adds what input row `row` gives to one output row through kernel row `kernel_row`; `tile` is that output row, a
/// group of `Packs` packs of its channels, with `margin` columns in front.
template <int Packs, class Scalar, class T>
void scatter_row(const Conv2dExtents& e, const RowList& list, const T* row, const Scalar* kernel_row,
                 std::ptrdiff_t margin, Scalar* tile) {
  constexpr std::ptrdiff_t kWidth = Packs * kLanes<Scalar>;
  const std::ptrdiff_t stride = e.g.stride, kernel = e.g.kernel_w, in = e.in();
  const std::ptrdiff_t next = -stride * in * kWidth;
  for (std::ptrdiff_t pixel = 0; pixel < e.in_w; ++pixel) {
    const std::uint32_t* const first = list.positions + list.starts[pixel];
    const std::uint32_t* const last = list.positions + list.starts[pixel + 1];
    if (first == last) continue;
    const std::ptrdiff_t reach = pixel + e.g.padding;
    std::ptrdiff_t column = stride == 1 ? reach - kernel + 1 : ceil_div(reach - kernel + 1, stride);
    const std::ptrdiff_t end = (stride == 1 ? reach : reach / stride) + 1;
    while (column < end) {
      const Scalar* const weights = kernel_row + ((reach - column * stride) * in - pixel * in) * kWidth;
      Scalar* const out = tile + (column + margin) * kWidth;
      if (end - column >= kGroups) {
        add_weight_rows<kGroups, Packs>(first, last, row, weights, next, out);
        column += kGroups;
      } else {
        add_weight_rows<1, Packs>(first, last, row, weights, next, out);
        column += 1;
      }
    }
  }
}

/// Writes a row of pixels, `valid` channels of each, `next` apart.
template <int Packs, class Scalar>
void write_row(const Scalar* tile, std::ptrdiff_t pixels, std::ptrdiff_t valid, bool streams, Scalar* to,
               std::ptrdiff_t next) {
  constexpr std::ptrdiff_t kWidth = Packs * kLanes<Scalar>;
  if (valid < kWidth) {
    for (std::ptrdiff_t j = 0; j < pixels; ++j) std::copy(tile + j * kWidth, tile + j * kWidth + valid, to + j * next);
  } else if (streams) {
    for (std::ptrdiff_t j = 0; j < pixels; ++j) {
      unroll<Packs>(
          [&](auto g) { stream(load(tile + j * kWidth + g * kLanes<Scalar>), to + j * next + g * kLanes<Scalar>); });
    }
  } else {
    for (std::ptrdiff_t j = 0; j < pixels; ++j) {
      unroll<Packs>(
          [&](auto g) { store(load(tile + j * kWidth + g * kLanes<Scalar>), to + j * next + g * kLanes<Scalar>); });
    }
  }
}

/// Output rows [begin, end) of a frame, from the elements of x that are not zero.
template <class Scalar, class T>
void forward_sparse(const Conv2dExtents& e, const Layout& layout, const T* x, std::ptrdiff_t begin, std::ptrdiff_t end,
                    const Weights<Scalar>& weights, const RowList& lists, Scalar* tile, bool streams, Scalar* y) {
  const auto list_of = [&](std::ptrdiff_t row) {
    const std::ptrdiff_t slot = row % e.g.kernel_h;
    return RowList{lists.positions + slot * layout.list, lists.starts + slot * layout.starts};
  };
  std::ptrdiff_t listed = 0;  // input rows before this one have been listed, or are not needed any more
  for (std::ptrdiff_t i = begin; i < end; ++i) {
    const std::ptrdiff_t top = i * e.g.stride - e.g.padding;
    const std::ptrdiff_t first_row = std::max<std::ptrdiff_t>(0, top);
    const std::ptrdiff_t last_row = std::min(e.in_h, top + e.g.kernel_h);
    for (listed = std::max(listed, first_row); listed < last_row; ++listed) {
      list_row(x + listed * e.in_w * e.in(), e.in_w, e.in(), list_of(listed));
    }
    each_group(packs_for<Scalar>(e.out()), [&](std::ptrdiff_t pack, auto packs) {
      constexpr std::ptrdiff_t kWidth = packs * kLanes<Scalar>;
      const std::ptrdiff_t channel = pack * kLanes<Scalar>;
      Pack<Scalar> start[packs];
      unroll<packs>([&](auto g) { start[g] = load(weights.bias + channel + g * kLanes<Scalar>); });
      for (std::ptrdiff_t j = 0; j < layout.tile_cols; ++j) {
        unroll<packs>([&](auto g) { store(start[g], tile + j * kWidth + g * kLanes<Scalar>); });
      }
      const Scalar* const group = weights.grouped + channel * e.taps() * e.in();
      for (std::ptrdiff_t row = first_row; row < last_row; ++row) {
        const Scalar* const kernel_row = group + (row - top) * e.g.kernel_w * e.in() * kWidth;
        scatter_row<packs>(e, list_of(row), x + row * e.in_w * e.in(), kernel_row, layout.margin, tile);
      }
      const std::ptrdiff_t valid = std::min<std::ptrdiff_t>(kWidth, e.out() - channel);
      write_row<packs>(tile + layout.margin * kWidth, e.out_w, valid, streams, y + i * e.out_w * e.out() + channel,
                       e.out());
    });
  }
}

/// The same by a dense product over a copy of the input rows with their padding.
template <class Scalar, class T>
void forward_dense(const Conv2dExtents& e, const Layout& layout, const T* x, std::ptrdiff_t begin, std::ptrdiff_t end,
                   const Weights<Scalar>& weights, std::span<Tap> taps, Scalar* source, Scalar* y) {
  const std::ptrdiff_t row_size = layout.source_cols * e.in();
  const std::ptrdiff_t copied = std::min(e.in_w, layout.source_cols - e.g.padding);
  for (std::ptrdiff_t r = 0; r < (end - begin - 1) * e.g.stride + e.g.kernel_h; ++r) {
    const std::ptrdiff_t row = begin * e.g.stride - e.g.padding + r;
    Scalar* const to = source + r * row_size;
    std::fill(to, to + row_size, Scalar{0});
    if (row < 0 || row >= e.in_h || copied <= 0) continue;
    std::copy(x + row * e.in_w * e.in(), x + (row * e.in_w + copied) * e.in(), to + e.g.padding * e.in());
  }
  for (std::ptrdiff_t t = 0; t < e.taps(); ++t) {
    taps[t] = {(t / e.g.kernel_w * layout.source_cols + t % e.g.kernel_w) * e.in(), t * e.in()};
  }
  tap_product(TapProduct<Scalar>{
      .rows = end - begin,
      .columns = e.out_w,
      .source = {source, e.g.stride * row_size, e.g.stride * e.in()},
      .taps = taps,
      .depth = e.in(),
      .weights = weights.arranged,
      .weight_rows = e.taps() * e.in(),
      .bias = weights.bias,
      .channels = e.out(),
      .out = {y + begin * e.out_w * e.out(), e.out_w * e.out(), e.out()},
  });
}

}  // namespace

template <class Scalar>
std::size_t conv2d_forward_scratch_cpu(const Conv2dExtents& e) {
  const Layout layout(e);
  const std::ptrdiff_t padded = packs_for<Scalar>(e.out()) * kLanes<Scalar>;
  return 2 * scratch_bytes<Scalar>(grouped_weights<Scalar>(e)) + scratch_bytes<Scalar>(padded) +
         scratch_bytes<std::uint32_t>(kChunks * e.g.kernel_h * layout.list) +
         scratch_bytes<std::uint32_t>(kChunks * e.g.kernel_h * layout.starts) +
         scratch_bytes<Scalar>(kChunks * layout.tile_cols * kGroupPacks * kLanes<Scalar>) +
         scratch_bytes<Tap>(kChunks * e.taps()) + scratch_bytes<Scalar>(kChunks * layout.source) + kCacheLine;
}

template <class Scalar, class T>
void conv2d_forward_cpu(const Conv2dExtents& e, const T* x, const Scalar* w, const Scalar* bias, Scalar* y,
                        std::span<std::byte> scratch) {
  const Layout layout(e);
  const std::ptrdiff_t padded = packs_for<Scalar>(e.out()) * kLanes<Scalar>;
  ScratchCursor cursor(scratch);
  Weights<Scalar> weights{cursor.take<Scalar>(grouped_weights<Scalar>(e)),
                          cursor.take<Scalar>(grouped_weights<Scalar>(e)), cursor.take<Scalar>(padded)};
  auto* const positions = cursor.take<std::uint32_t>(kChunks * e.g.kernel_h * layout.list);
  auto* const starts = cursor.take<std::uint32_t>(kChunks * e.g.kernel_h * layout.starts);
  const std::ptrdiff_t tile_size = layout.tile_cols * kGroupPacks * kLanes<Scalar>;
  Scalar* const tiles = cursor.take<Scalar>(kChunks * tile_size);
  Tap* const taps = cursor.take<Tap>(kChunks * e.taps());
  Scalar* const sources = cursor.take<Scalar>(kChunks * layout.source);

  each_grouped_weight<Scalar>(e, [&](std::ptrdiff_t packed, std::ptrdiff_t index) {
    weights.grouped[packed] = index < 0 ? Scalar{0} : w[index];
  });
  arrange_for_tap_product(
      e.taps() * e.in(), e.out(),
      [&](std::ptrdiff_t row, std::ptrdiff_t o) { return w[(o * e.in() + row % e.in()) * e.taps() + row / e.in()]; },
      weights.arranged);
  for (std::ptrdiff_t o = 0; o < padded; ++o) weights.bias[o] = bias != nullptr && o < e.out() ? bias[o] : Scalar{0};

  const std::ptrdiff_t bands = Conv2dBand::count(e);
  const bool streams = can_stream(y, e.frames * e.out_size(), e.out());
  parallel_chunks(e.frames * bands, kChunks, [&](int chunk, std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t k = first; k < last; ++k) {
      const T* const frame = x + k / bands * e.in_size();
      Scalar* const out = y + k / bands * e.out_size();
      const Conv2dBand band(e, k % bands);
      const std::ptrdiff_t nonzeros = count_nonzeros(frame + band.first_row * e.in_w * e.in(), band.elements(e));
      if (!band.is_dense(e, nonzeros)) {
        const std::ptrdiff_t slot = std::ptrdiff_t{chunk} * e.g.kernel_h;
        forward_sparse(e, layout, frame, band.begin, band.end, weights,
                       {positions + slot * layout.list, starts + slot * layout.starts}, tiles + chunk * tile_size,
                       streams, out);
      } else {
        forward_dense(e, layout, frame, band.begin, band.end, weights,
                      std::span(taps + chunk * e.taps(), static_cast<std::size_t>(e.taps())),
                      sources + chunk * layout.source, out);
      }
    }
    end_stream();
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                  \
  template std::size_t conv2d_forward_scratch_cpu<Scalar>(const Conv2dExtents&);                                     \
  template void conv2d_forward_cpu(const Conv2dExtents&, const Scalar*, const Scalar*, const Scalar*, Scalar*,       \
                                   std::span<std::byte>);                                                            \
  template void conv2d_forward_cpu(const Conv2dExtents&, const std::uint8_t*, const Scalar*, const Scalar*, Scalar*, \
                                   std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)

}  // namespace synfire::synapses
