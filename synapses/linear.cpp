#include "synapses/linear.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/row_sums.hpp"
#include "synapses/scratch.hpp"
#include "synapses/sparse_sums.hpp"
#include "synapses/tap_product.hpp"

namespace synfire::synapses {

namespace {

/// Scratch that is used at the same time; more than the cores of a machine.
constexpr int kChunks = 32;
/// Input columns whose weight gradients belong together.
constexpr std::ptrdiff_t kBlockColumns = 64;
/// Frames that are listed at a time.
constexpr std::ptrdiff_t kBlockFrames = 512;
/// Part of real values that is not zero from which the dense product is faster; bench/linear.cpp.
constexpr double kDenseFrom = 0.3;

struct Extents {
  std::ptrdiff_t frames, in, out;
};

/// Sizes in scratch.
template <class Scalar>
struct Layout {
  std::ptrdiff_t out_padded, in_padded;  ///< whole packs
  std::ptrdiff_t positions;              ///< of a frame
  std::ptrdiff_t list;                   ///< of an input column
  std::ptrdiff_t padded_rows;            ///< copies of the output's gradient, where it does not come in whole packs
  int column_chunks;                     ///< of blocks of input columns

  explicit Layout(const Extents& e)
      : out_padded(packs_for<Scalar>(e.out) * kLanes<Scalar>),
        in_padded(packs_for<Scalar>(e.in) * kLanes<Scalar>),
        positions(e.in + kListSlack),
        list(std::min(e.frames, kBlockFrames) + kListSlack),
        padded_rows(out_padded == e.out ? 0 : e.frames),
        column_chunks(static_cast<int>(std::min<std::ptrdiff_t>(kChunks, (e.in + kBlockColumns - 1) / kBlockColumns))) {
  }

  std::size_t forward_bytes(const Extents& e) const {
    return scratch_bytes<Scalar>(e.in * out_padded) + scratch_bytes<Scalar>(out_padded) +
           scratch_bytes<std::uint32_t>(kChunks * positions) + scratch_bytes<Scalar>(kChunks * out_padded) + kCacheLine;
  }
  std::size_t backward_bytes(const Extents& e) const {
    const std::ptrdiff_t columns = column_chunks * kBlockColumns;
    return scratch_bytes<Scalar>(e.out * in_padded) + scratch_bytes<Scalar>(padded_rows * out_padded) +
           scratch_bytes<std::uint32_t>(columns * list) + scratch_bytes<Scalar>(columns * list) +
           scratch_bytes<std::uint32_t>(columns) + scratch_bytes<std::uint8_t>(columns) +
           scratch_bytes<Scalar>(columns * out_padded) + scratch_bytes<double>(kChunks * e.out) + kCacheLine;
  }
};

template <class Scalar>
Extents check(const char* operation, const Signal<Scalar>& x, const View<const Scalar>& w, const Shape& y) {
  require_rank(operation, "x", x.shape, 1);
  require_cpu(operation, x.device);
  if (w.shape.rank() != 2 || w.shape[1] != x.shape.channels()) {
    throw ShapeError(
        fmt::format("[{}] w must have shape [out, {}], got {}", operation, x.shape.channels(), w.shape.text()));
  }
  require_shape(operation, "the output", y, with_inner(x.shape, 1, Shape{w.shape[0]}));
  return {frame_count(x.shape, 1), w.shape[1], w.shape[0]};
}

/// Calls `body(pack, groups, packs)` for runs of up to kGroups groups of equal width, as compile-time constants.
template <class Body>
void each_run_of_groups(std::ptrdiff_t packs, const Body& body) {
  constexpr std::ptrdiff_t kRun = kGroups * kGroupPacks;
  std::ptrdiff_t pack = 0;
  for (; packs - pack >= kRun; pack += kRun) {
    body(pack, std::integral_constant<int, kGroups>{}, std::integral_constant<int, kGroupPacks>{});
  }
  each_group(packs - pack,
             [&](std::ptrdiff_t more, auto width) { body(pack + more, std::integral_constant<int, 1>{}, width); });
}

/// w in groups of output channels, [group][in][width of the group], with zeros for channels that are not there.
template <class Scalar>
void group_weights(const Extents& e, const Scalar* w, Scalar* grouped) {
  each_group(packs_for<Scalar>(e.out), [&](std::ptrdiff_t pack, auto packs) {
    constexpr std::ptrdiff_t kWidth = packs * kLanes<Scalar>;
    const std::ptrdiff_t begin = pack * kLanes<Scalar>, count = std::min<std::ptrdiff_t>(kWidth, e.out - begin);
    Scalar* const group = grouped + begin * e.in;
    parallel_for(e.in, kBlockColumns, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      for (std::ptrdiff_t i = first; i < last; ++i) {
        for (std::ptrdiff_t o = 0; o < kWidth; ++o) {
          group[i * kWidth + o] = o < count ? w[(begin + o) * e.in + i] : Scalar{0};
        }
      }
    });
  });
}

template <class Scalar, class T>
void forward_sparse(const Extents& e, const Layout<Scalar>& layout, const T* x, const Scalar* grouped,
                    const Scalar* bias, std::uint32_t* all_positions, Scalar* rows, Scalar* y) {
  parallel_chunks(e.frames, kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    std::uint32_t* const positions = all_positions + chunk * layout.positions;
    Scalar* const row = rows + chunk * layout.out_padded;
    for (std::ptrdiff_t f = begin; f < end; ++f) {
      const std::uint32_t* const last = positions + find_nonzeros(x + f * e.in, e.in, positions);
      std::copy(bias, bias + layout.out_padded, row);
      each_run_of_groups(packs_for<Scalar>(e.out), [&](std::ptrdiff_t pack, auto groups, auto packs) {
        const std::ptrdiff_t channel = pack * kLanes<Scalar>;
        add_weight_rows<groups, packs>(positions, last, x + f * e.in, grouped + channel * e.in,
                                       e.in * packs * kLanes<Scalar>, row + channel);
      });
      std::copy(row, row + e.out, y + f * e.out);
    }
  });
}

/// y = x w + bias by the dense product; w as arranged for it.
template <class Scalar>
void multiply_dense(std::ptrdiff_t frames, std::ptrdiff_t in, std::ptrdiff_t out, const Scalar* x,
                    const Scalar* arranged, const Scalar* bias, Scalar* y) {
  const Tap tap{0, 0};
  parallel_for(frames, 2 * kTilePixels, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    tap_product(TapProduct<Scalar>{
        .rows = end - begin,
        .columns = 1,
        .source = {x + begin * in, in, 0},
        .taps = std::span(&tap, 1),
        .depth = in,
        .weights = arranged,
        .weight_rows = in,
        .bias = bias,
        .channels = out,
        .out = {y + begin * out, out, 0},
    });
  });
}

/// grad_w = grad_y^T x, a block of input columns at a time: for each column the sum of the gradients of the frames in
/// which it is not zero.
template <class Scalar, class T>
void weight_gradient(const Extents& e, const Layout<Scalar>& layout, const T* x, const Scalar* padded_grad_y,
                     const ChannelLists<Scalar>& all_lists, Scalar* all_sums, Scalar* grad_w) {
  const std::ptrdiff_t blocks = (e.in + kBlockColumns - 1) / kBlockColumns;
  parallel_chunks(blocks, layout.column_chunks, [&](int chunk, std::ptrdiff_t first, std::ptrdiff_t last) {
    const std::ptrdiff_t slot = chunk * kBlockColumns;
    const ChannelLists<Scalar> lists{all_lists.places + slot * layout.list, all_lists.values + slot * layout.list,
                                     all_lists.counts + slot, all_lists.masks + slot, layout.list};
    Scalar* const sums = all_sums + slot * layout.out_padded;
    for (std::ptrdiff_t block = first; block < last; ++block) {
      const std::ptrdiff_t begin = block * kBlockColumns, columns = std::min(kBlockColumns, e.in - begin);
      std::fill(sums, sums + columns * layout.out_padded, Scalar{0});
      for (std::ptrdiff_t f = 0; f < e.frames; f += kBlockFrames) {
        const PixelSteps steps{.rows = 1,
                               .columns = std::min(kBlockFrames, e.frames - f),
                               .row_step = 0,
                               .column_step = e.in,
                               .place_row_step = 0};
        list_channels(x + f * e.in + begin, columns, steps, lists);
        each_run_of_groups(packs_for<Scalar>(e.out), [&](std::ptrdiff_t pack, auto groups, auto packs) {
          constexpr std::ptrdiff_t kWidth = packs * kLanes<Scalar>;
          const std::ptrdiff_t channel = pack * kLanes<Scalar>;
          for (std::ptrdiff_t c = 0; c < columns; ++c) {
            add_listed_rows<groups, packs, std::is_same_v<T, std::uint8_t>>(
                lists, c, padded_grad_y + f * layout.out_padded + channel, layout.out_padded, kWidth,
                sums + c * layout.out_padded + channel, kWidth);
          }
        });
      }
      for (std::ptrdiff_t o = 0; o < e.out; ++o) {
        for (std::ptrdiff_t c = 0; c < columns; ++c) grad_w[o * e.in + begin + c] = sums[c * layout.out_padded + o];
      }
    }
  });
}

}  // namespace

template <class Scalar>
std::size_t linear_scratch_bytes(std::ptrdiff_t num_frames, std::ptrdiff_t in, std::ptrdiff_t out) {
  const Extents e{num_frames, in, out};
  const Layout<Scalar> layout(e);
  return std::max(layout.forward_bytes(e), layout.backward_bytes(e));
}

bool linear_is_dense(bool spikes, std::ptrdiff_t nonzeros, std::ptrdiff_t elements) {
  return !spikes && static_cast<double>(nonzeros) >= kDenseFrom * static_cast<double>(elements);
}

template <class Scalar>
void linear_forward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> bias, View<Scalar> y,
                    std::span<std::byte> scratch) {
  const char* const operation = "linear_forward";
  const Extents e = check(operation, x, w, y.shape);
  const Layout<Scalar> layout(e);
  if (!bias.empty()) require_per_channel(operation, "bias", bias, e.out);
  require_scratch(operation, scratch, layout.forward_bytes(e));
  ScratchCursor cursor(scratch);
  Scalar* const weights = cursor.take<Scalar>(e.in * layout.out_padded);
  Scalar* const padded_bias = cursor.take<Scalar>(layout.out_padded);
  auto* const positions = cursor.take<std::uint32_t>(kChunks * layout.positions);
  Scalar* const rows = cursor.take<Scalar>(kChunks * layout.out_padded);
  for (std::ptrdiff_t o = 0; o < layout.out_padded; ++o) {
    padded_bias[o] = !bias.empty() && o < e.out ? bias[o] : Scalar{0};
  }
  if (!x.is_spikes() && linear_is_dense(false, count_nonzeros(x.real, x.shape.size()), x.shape.size())) {
    arrange_for_tap_product(
        e.in, e.out, [&](std::ptrdiff_t i, std::ptrdiff_t o) { return w[o * e.in + i]; }, weights);
    multiply_dense(e.frames, e.in, e.out, x.real, weights, padded_bias, y.data);
    return;
  }
  group_weights(e, w.data, weights);
  with_elements(x, [&](const auto* elements) {
    forward_sparse(e, layout, elements, weights, padded_bias, positions, rows, y.data);
  });
}

template <class Scalar>
void linear_backward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> grad_y, View<Scalar> grad_w,
                     View<Scalar> grad_bias, View<Scalar> grad_x, std::span<std::byte> scratch) {
  const char* const operation = "linear_backward";
  const Extents e = check(operation, x, w, grad_y.shape);
  const Layout<Scalar> layout(e);
  require_shape(operation, "grad_w", grad_w.shape, w.shape);
  if (!grad_bias.empty()) require_per_channel(operation, "grad_bias", grad_bias, e.out);
  if (!grad_x.empty()) require_shape(operation, "grad_x", grad_x.shape, x.shape);
  require_scratch(operation, scratch, layout.backward_bytes(e));
  ScratchCursor cursor(scratch);
  Scalar* const arranged = cursor.take<Scalar>(e.out * layout.in_padded);
  Scalar* const padded = cursor.take<Scalar>(layout.padded_rows * layout.out_padded);
  const std::ptrdiff_t columns = layout.column_chunks * kBlockColumns;
  const ChannelLists<Scalar> lists{cursor.take<std::uint32_t>(columns * layout.list),
                                   cursor.take<Scalar>(columns * layout.list), cursor.take<std::uint32_t>(columns),
                                   cursor.take<std::uint8_t>(columns), layout.list};
  Scalar* const sums = cursor.take<Scalar>(columns * layout.out_padded);
  double* const partials = cursor.take<double>(kChunks * e.out);

  parallel_for(layout.padded_rows, 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t f = begin; f < end; ++f) {
      Scalar* const row = padded + f * layout.out_padded;
      std::copy(grad_y.data + f * e.out, grad_y.data + (f + 1) * e.out, row);
      std::fill(row + e.out, row + layout.out_padded, Scalar{0});
    }
  });
  with_elements(x, [&](const auto* elements) {
    const Scalar* const rows = layout.padded_rows > 0 ? padded : grad_y.data;
    weight_gradient(e, layout, elements, rows, lists, sums, grad_w.data);
  });
  if (!grad_bias.empty()) sum_rows(grad_y.data, e.frames, e.out, kChunks, partials, grad_bias.data);
  if (grad_x.empty()) return;
  arrange_for_tap_product(
      e.out, e.in, [&](std::ptrdiff_t o, std::ptrdiff_t i) { return w[o * e.in + i]; }, arranged);
  multiply_dense<Scalar>(e.frames, e.out, e.in, grad_y.data, arranged, nullptr, grad_x.data);
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                          \
  template std::size_t linear_scratch_bytes<Scalar>(std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t);         \
  template void linear_forward(const Signal<Scalar>&, View<const Scalar>, View<const Scalar>, View<Scalar>,  \
                               std::span<std::byte>);                                                        \
  template void linear_backward(const Signal<Scalar>&, View<const Scalar>, View<const Scalar>, View<Scalar>, \
                                View<Scalar>, View<Scalar>, std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)

}  // namespace synfire::synapses
