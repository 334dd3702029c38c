#include "synapses/delayed_linear.hpp"

#include <cstring>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/delay_checks.hpp"
#include "synapses/delay_layout.hpp"

namespace synfire::synapses {

namespace {

/// One vector of taps scattered for an event takes as long as so many multiply-adds of a dense row; bench/delays.cpp.
constexpr double kScatterCost = 1.6;
constexpr int kCountChunks = 64;

template <class Scalar>
std::ptrdiff_t count_events(const Signal<Scalar>& x) {
  std::array<std::ptrdiff_t, kCountChunks> counts{};
  with_elements(x, [&](const auto* elements) {
    parallel_chunks(x.shape.size(), kCountChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      counts[static_cast<std::size_t>(chunk)] = count_nonzeros(elements + begin, end - begin);
    });
  });
  std::ptrdiff_t total = 0;
  for (const std::ptrdiff_t count : counts) total += count;
  return total;
}

/// Every event adds its synapses' taps to the rows of the neurons that it reaches.
template <class Scalar>
void forward_by_events(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                       const DelayLayout<Scalar>& l, View<Scalar> y, ScratchCursor cursor) {
  TapTable<Scalar> table = l.table(TapOrder::by_input);
  table.take(cursor);
  build_taps(config, p, table);
  auto* const all_events = cursor.take<InputEvent<Scalar>>(l.chunks * l.events());
  auto* const all_counts = cursor.take<std::int32_t>(l.chunks * l.together * l.in);
  auto* const all_tiles = cursor.take<Scalar>(l.chunks * l.tile());

  parallel_chunks(l.batch, static_cast<int>(l.chunks), [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    InputEvent<Scalar>* const events = all_events + chunk * l.events();
    std::int32_t* const counts = all_counts + chunk * l.together * l.in;
    Scalar* const tile_rows = all_tiles + chunk * l.tile();
    const std::ptrdiff_t sample_rows = kTileNeurons * l.out_length;
    for (std::ptrdiff_t first = begin; first < end; first += l.together) {
      const std::ptrdiff_t samples = std::min(l.together, end - first);
      // The events of a neuron in all samples stand in one list; each knows the rows of its sample.
      std::fill(counts, counts + l.in, 0);
      for (std::ptrdiff_t s = 0; s < samples; ++s) {
        with_elements(x, [&](const auto* elements) {
          append_events(elements + (first + s) * l.in, l.batch * l.in, l.ticks, l.in, s * sample_rows,
                        l.together * l.ticks, events, counts);
        });
      }
      for (std::ptrdiff_t tile = 0; tile < table.tiles(); ++tile) {
        std::fill(tile_rows, tile_rows + samples * sample_rows, Scalar(0));
        for (std::ptrdiff_t i = 0; i < l.in; ++i) {
          const std::ptrdiff_t list = table.list(tile, i);
          const Scalar* const taps = table.taps + list * table.slots() * table.width;
          each_pack_group<Scalar>(table.width, [&](std::ptrdiff_t shift, auto packs) {
            scatter<packs>(events + i * l.together * l.ticks, counts[i], table.offset + list * table.slots(),
                           taps + shift, table.width, table.count[list], tile_rows + shift);
          });
        }
        for (std::ptrdiff_t s = 0; s < samples; ++s) {
          transpose(tile_rows + s * sample_rows, l.out_length, table.tile_size(tile), l.out_ticks,
                    y.data + (first + s) * l.out + tile * kTileNeurons, l.batch * l.out);
        }
      }
    }
  });
}

/// Every synapse adds the whole row of its input, once for each tap.
template <class Scalar>
void forward_by_rows(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                     const DelayLayout<Scalar>& l, View<Scalar> y, ScratchCursor cursor) {
  TapTable<Scalar> table = l.table(TapOrder::by_output);
  table.take(cursor);
  build_taps(config, p, table);
  auto* const all_in = cursor.take<Scalar>(l.chunks * l.in_rows());
  auto* const all_out = cursor.take<Scalar>(l.chunks * l.out_rows());

  parallel_chunks(l.batch, static_cast<int>(l.chunks), [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    Scalar* const in_rows = all_in + chunk * l.in_rows();
    Scalar* const out_rows = all_out + chunk * l.out_rows();
    const std::ptrdiff_t out_row = l.out_packs * kLanes<Scalar>;
    std::fill(in_rows, in_rows + l.in_rows(), Scalar(0));
    for (std::ptrdiff_t b = begin; b < end; ++b) {
      with_elements(x, [&](const auto* elements) {
        transpose(elements + b * l.in, l.batch * l.in, l.ticks, l.in, in_rows + l.lead, l.in_length);
      });
      std::fill(out_rows, out_rows + l.out_rows(), Scalar(0));
      for (std::ptrdiff_t tile = 0; tile < table.tiles(); ++tile) {
        const Scalar* const tile_rows = in_rows + tile * kTileNeurons * l.in_length + l.lead;
        for (std::ptrdiff_t o = 0; o < l.out; ++o) {
          const std::ptrdiff_t list = table.list(tile, o);
          add_taps_to_row<true>(table.offset + list * table.slots(), table.taps + list * table.slots() * table.width,
                                table.width, l.reach, table.count[list], tile_rows, out_rows + o * out_row,
                                l.out_packs);
        }
      }
      transpose(out_rows, out_row, l.out, l.out_ticks, y.data + b * l.out, l.batch * l.out);
    }
  });
}

}  // namespace

template <class Scalar>
void delayed_linear_forward(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                            View<Scalar> y, std::span<std::byte> scratch) {
  check_delays("delayed_linear", x, config, p, y.shape);
  const DelayLayout<Scalar> layout(config, delay_reach(config, p), x.shape, y.shape[2]);
  require_scratch("delayed_linear", scratch,
                  delayed_linear_scratch_bytes<Scalar>(config, static_cast<int>(layout.reach), x.shape, y.shape[2]));
  const double events = static_cast<double>(count_events(x)) * static_cast<double>(packs_for<Scalar>(layout.reach));
  const double rows =
      static_cast<double>(layout.batch * layout.in) * static_cast<double>(layout.out_packs * layout.reach);
  if (kScatterCost * events < rows) {
    forward_by_events(x, config, p, layout, y, ScratchCursor(scratch));
  } else {
    forward_by_rows(x, config, p, layout, y, ScratchCursor(scratch));
  }
}

template <class Scalar>
int delay_reach(const DelayConfig& config, const DelayParameters<Scalar>& p) {
  if (p.rounded) return 1;
  Scalar widest(0);
  for (const Scalar width : p.width.span()) widest = std::max(widest, std::abs(width));
  return BumpShape(config, static_cast<double>(widest), false).reach();
}

template <class Scalar>
std::size_t delayed_linear_scratch_bytes(const DelayConfig& config, int reach, const Shape& x, std::ptrdiff_t out) {
  const DelayLayout<Scalar> layout(config, reach, x, out);
  return std::max({layout.sparse_forward_bytes(), layout.dense_forward_bytes(),
                   layout.backward_bytes(config.per != DelayPer::synapse)}) +
         kCacheLine;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                               \
  template void delayed_linear_forward(const Signal<Scalar>&, const DelayConfig&, const DelayParameters<Scalar>&, \
                                       View<Scalar>, std::span<std::byte>);                                       \
  template int delay_reach(const DelayConfig&, const DelayParameters<Scalar>&);                                   \
  template std::size_t delayed_linear_scratch_bytes<Scalar>(const DelayConfig&, int, const Shape&, std::ptrdiff_t);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
