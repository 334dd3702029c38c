#include "synapses/delayed_linear.hpp"

#include <cstring>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/delay_checks.hpp"
#include "synapses/delay_layout.hpp"

namespace synfire::synapses {

namespace {

/// A vector of taps that is added for an event takes as long as so many vectors of samples; bench/delay_step.cpp.
constexpr double kEventCost = 5.0;
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

template <class Scalar>
bool is_by_events(std::ptrdiff_t num_events, const DelayLayout<Scalar>& l) {
  const double by_events = static_cast<double>(num_events) * static_cast<double>(packs_for<Scalar>(l.reach));
  const double by_lanes = static_cast<double>(l.lane_groups * l.in) * static_cast<double>(l.out_ticks * l.reach);
  return kEventCost * by_events < by_lanes;
}

/// Every event adds its synapses' taps to the rows of the neurons that it reaches.
template <class Scalar>
void forward_by_events(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                       const DelayLayout<Scalar>& l, View<Scalar> y, ScratchCursor cursor) {
  TapTable<Scalar> table = l.table(TapOrder::by_input);
  table.take(cursor);
  build_taps(config, p, table);
  auto* const all_events = cursor.take<InputEvent<Scalar>>(l.chunks * l.events());
  auto* const all_counts = cursor.take<std::int32_t>(l.chunks * l.in);
  auto* const all_tiles = cursor.take<Scalar>(l.chunks * l.tile());

  parallel_chunks(l.batch, static_cast<int>(l.chunks), [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    InputEvent<Scalar>* const events = all_events + chunk * l.events();
    std::int32_t* const counts = all_counts + chunk * l.in;
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

/// Every synapse adds the whole row of its input, once for each tap, for kLanes samples at a time.
template <class Scalar>
void forward_by_lanes(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                      const DelayLayout<Scalar>& l, View<Scalar> y, ScratchCursor cursor) {
  const LaneTaps<Scalar> taps(config, p, l, l.table(TapOrder::by_output), cursor);
  auto* const all_rows = cursor.take<Scalar>(l.lane_chunks * l.in_rows());
  auto* const all_blocks = cursor.take<Scalar>(l.lane_chunks * l.out_block());

  const auto body = [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    Scalar* const rows = all_rows + chunk * l.in_rows();
    Scalar* const block = all_blocks + chunk * l.out_block();
    for (std::ptrdiff_t group = begin; group < end; ++group) {
      const std::ptrdiff_t b = group * kLanes<Scalar>, samples = std::min(kLanes<Scalar>, l.batch - b);
      std::fill(rows, rows + l.in_rows(), Scalar(0));
      with_elements(x, [&](const auto* elements) {
        for (std::ptrdiff_t t = 0; t < l.ticks; ++t) {
          transpose(elements + (t * l.batch + b) * l.in, l.in, samples, l.in, rows + (l.lead + t) * kLanes<Scalar>,
                    l.in_lanes * kLanes<Scalar>);
        }
      });
      each_tick_block(l.out_ticks, taps.block_ticks(), [&](std::ptrdiff_t first, std::ptrdiff_t count) {
        std::fill(block, block + l.out * count * kLanes<Scalar>, Scalar(0));
        taps.template add<true>(chunk, rows + (l.lead + first) * kLanes<Scalar>, count, block);
        for (std::ptrdiff_t t = 0; t < count; ++t) {
          transpose(block + t * kLanes<Scalar>, count * kLanes<Scalar>, l.out, samples,
                    y.data + ((first + t) * l.batch + b) * l.out, l.out);
        }
      });
    }
  };
  parallel_chunks(l.lane_groups, static_cast<int>(l.lane_chunks), body);
}

}  // namespace

template <class Scalar>
void delayed_linear_forward(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                            View<Scalar> y, std::span<std::byte> scratch) {
  check_delays("delayed_linear", x, config, p, y.shape);
  const DelayLayout<Scalar> layout(config, delay_reach(config, p), x.shape, y.shape[2]);
  require_scratch("delayed_linear", scratch,
                  delayed_linear_scratch_bytes<Scalar>(config, static_cast<int>(layout.reach), x.shape, y.shape[2]));
  if (is_by_events(count_events(x), layout)) {
    forward_by_events(x, config, p, layout, y, ScratchCursor(scratch));
  } else {
    forward_by_lanes(x, config, p, layout, y, ScratchCursor(scratch));
  }
}

template <class Scalar>
DelayedLinearPath delayed_linear_path(const Shape& x, std::ptrdiff_t events, const DelayConfig& config,
                                      const DelayParameters<Scalar>& p, std::ptrdiff_t out) {
  const DelayLayout<Scalar> layout(config, delay_reach(config, p), x, out);
  if (is_by_events(events, layout)) return {true, layout.reach, 0};
  return {false, layout.reach, lane_rank(config, p, layout)};
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
  return std::max({layout.event_forward_bytes(), layout.lane_forward_bytes(),
                   layout.backward_bytes(config.per != DelayPer::synapse)}) +
         kCacheLine;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                               \
  template void delayed_linear_forward(const Signal<Scalar>&, const DelayConfig&, const DelayParameters<Scalar>&, \
                                       View<Scalar>, std::span<std::byte>);                                       \
  template DelayedLinearPath delayed_linear_path(const Shape&, std::ptrdiff_t, const DelayConfig&,                \
                                                 const DelayParameters<Scalar>&, std::ptrdiff_t);                 \
  template int delay_reach(const DelayConfig&, const DelayParameters<Scalar>&);                                   \
  template std::size_t delayed_linear_scratch_bytes<Scalar>(const DelayConfig&, int, const Shape&, std::ptrdiff_t);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
