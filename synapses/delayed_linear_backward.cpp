#include "core/parallel.hpp"
#include "synapses/delay_checks.hpp"
#include "synapses/delay_layout.hpp"
#include "synapses/delayed_linear.hpp"

namespace synfire::synapses {

namespace {

/// dL/dx: every synapse adds the row of its output's gradient, once for each tap, for kLanes samples at a time.
template <class Scalar>
void input_gradient(const DelayConfig& config, const DelayParameters<Scalar>& p, const DelayLayout<Scalar>& l,
                    View<const Scalar> grad_y, View<Scalar> grad_x, ScratchCursor cursor) {
  const LaneTaps<Scalar> taps(config, p, l, l.lane_table(), cursor);
  auto* const all_rows = cursor.take<Scalar>(l.lane_chunks * l.out_rows());
  auto* const all_blocks = cursor.take<Scalar>(l.lane_chunks * l.in_block());

  const auto body = [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    Scalar* const rows = all_rows + chunk * l.out_rows();
    Scalar* const block = all_blocks + chunk * l.in_block();
    for (std::ptrdiff_t group = begin; group < end; ++group) {
      const std::ptrdiff_t b = group * kLanes<Scalar>, samples = std::min(kLanes<Scalar>, l.batch - b);
      std::fill(rows, rows + l.out_rows(), Scalar(0));
      for (std::ptrdiff_t t = 0; t < l.out_ticks; ++t) {
        transpose(grad_y.data + (t * l.batch + b) * l.out, l.out, samples, l.out, rows + t * kLanes<Scalar>,
                  l.out_lanes * kLanes<Scalar>);
      }
      each_tick_block(l.ticks, taps.block_ticks(), [&](std::ptrdiff_t first, std::ptrdiff_t count) {
        std::fill(block, block + l.in * count * kLanes<Scalar>, Scalar(0));
        taps.template add<false>(chunk, rows + first * kLanes<Scalar>, count, block);
        for (std::ptrdiff_t t = 0; t < count; ++t) {
          transpose(block + t * kLanes<Scalar>, count * kLanes<Scalar>, l.in, samples,
                    grad_x.data + ((first + t) * l.batch + b) * l.in, l.in);
        }
      });
    }
  };
  parallel_chunks(l.lane_groups, static_cast<int>(l.lane_chunks), body);
}

/// G of the inputs [first, first + count) with all outputs: `sums` is laid out as the table's taps.
template <class Scalar>
void correlate_inputs(const Signal<Scalar>& x, const TapTable<Scalar>& table, const DelayLayout<Scalar>& l,
                      std::ptrdiff_t first, std::ptrdiff_t count, const Scalar* grad_rows, InputEvent<Scalar>* events,
                      std::int32_t* counts, Scalar* sums) {
  const std::ptrdiff_t capacity = l.together * l.ticks, list_sums = table.slots() * table.width;
  for (std::ptrdiff_t tile = 0; tile < table.tiles(); ++tile) {
    Scalar* const from = sums + table.list(tile, first) * list_sums;
    std::fill(from, from + count * list_sums, Scalar(0));
  }
  for (std::ptrdiff_t b = 0; b < l.batch; b += l.together) {
    const std::ptrdiff_t samples = std::min(l.together, l.batch - b);
    std::fill(counts, counts + count, 0);
    for (std::ptrdiff_t s = 0; s < samples; ++s) {
      with_elements(x, [&](const auto* elements) {
        append_events(elements + (b + s) * l.in + first, l.batch * l.in, l.ticks, count, s * l.out * l.out_length,
                      capacity, events, counts);
      });
    }
    for (std::ptrdiff_t tile = 0; tile < table.tiles(); ++tile) {
      const Scalar* const tile_rows = grad_rows + (b * l.out + tile * kTileNeurons) * l.out_length;
      for (std::ptrdiff_t k = 0; k < count; ++k) {
        const std::ptrdiff_t list = table.list(tile, first + k);
        each_pack_group<Scalar>(table.width, [&](std::ptrdiff_t shift, auto packs) {
          correlate<packs>(events + k * capacity, counts[k], table.offset + list * table.slots(), tile_rows + shift,
                           table.width, table.count[list], sums + list * list_sums + shift);
        });
      }
    }
  }
}

/// Gradients of the synapses of one list from its G. Those of shared positions go into `position` and `width`, one for
/// each synapse.
template <class Scalar>
void finish_list(const DelayConfig& config, const DelayParameters<Scalar>& p, const TapTable<Scalar>& table,
                 std::ptrdiff_t tile, std::ptrdiff_t i, const Scalar* sums, ShapeCache& shapes,
                 const DelayGradients<Scalar>& grads, double* position, double* width) {
  each_of_list(table, p, tile, i, [&](std::ptrdiff_t slot, std::ptrdiff_t o, std::ptrdiff_t, std::ptrdiff_t m) {
    const std::ptrdiff_t synapse = (o * table.in + i) * table.kernels + m;
    const std::ptrdiff_t shared = shared_index(config, o, i, m, table.in);
    const Bump bump(shapes.of(static_cast<double>(p.width[shared])),
                    centre_of(config, static_cast<double>(p.position[shared]), p.rounded));
    const std::ptrdiff_t row = (o % kTileNeurons) * table.row_length;
    const std::ptrdiff_t first = table.offset[table.list(tile, i) * table.slots() + slot] - row;
    const Scalar* const g = sums + slot * table.width - first;
    const Bump::Sums s = bump.against([&](int d) { return g[d]; });
    grads.weight[synapse] = static_cast<Scalar>(s.share);
    if (p.rounded) return;
    const auto w = static_cast<double>(p.weight[synapse]), old_width = static_cast<double>(p.width[shared]);
    const double sign = old_width > 0.0 ? 1.0 : old_width < 0.0 ? -1.0 : 0.0;
    if (position != nullptr) {
      position[synapse] = w * s.position;
      width[synapse] = sign * w * s.width;
      return;
    }
    if (!grads.position.empty()) grads.position[synapse] = static_cast<Scalar>(w * s.position);
    if (!grads.width.empty()) grads.width[synapse] = static_cast<Scalar>(sign * w * s.width);
  });
}

/// Sums over the synapses that share a position, in the order of the outputs and inputs.
template <class Scalar>
void sum_shared(const DelayConfig& config, const DelayLayout<Scalar>& l, const double* synapses, View<Scalar> grad) {
  if (grad.empty()) return;
  const std::ptrdiff_t inner = l.in * l.kernels;
  parallel_for(grad.size(), 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t k = begin; k < end; ++k) {
      const std::ptrdiff_t m = k % l.kernels, neuron = k / l.kernels;
      double sum = 0.0;
      if (config.per == DelayPer::input) {
        for (std::ptrdiff_t o = 0; o < l.out; ++o) sum += synapses[o * inner + k];
      } else {
        for (std::ptrdiff_t i = 0; i < l.in; ++i) sum += synapses[neuron * inner + i * l.kernels + m];
      }
      grad[k] = static_cast<Scalar>(sum);
    }
  });
}

template <class Scalar>
void clear(View<Scalar> view) {
  std::fill(view.data, view.data + view.size(), Scalar(0));
}

}  // namespace

template <class Scalar>
void delayed_linear_backward(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                             View<const Scalar> grad_y, const DelayGradients<Scalar>& grads, View<Scalar> grad_x,
                             std::span<std::byte> scratch) {
  check_delays("delayed_linear_backward", x, config, p, grad_y.shape);
  require_shape("delayed_linear_backward", "the gradient of the weights", grads.weight.shape, p.weight.shape);
  const DelayLayout<Scalar> l(config, delay_reach(config, p), x.shape, grad_y.shape[2]);
  const bool shared = config.per != DelayPer::synapse;
  require_scratch("delayed_linear_backward", scratch, l.backward_bytes(shared) + kCacheLine);

  if (!grad_x.empty()) input_gradient(config, p, l, grad_y, grad_x, ScratchCursor(scratch));

  ScratchCursor cursor(scratch);
  TapTable<Scalar> table = l.table(TapOrder::by_input);
  table.take(cursor);
  build_taps(config, p, table);
  auto* const grad_rows = cursor.take<Scalar>(l.grad_rows());
  auto* const events = cursor.take<InputEvent<Scalar>>(l.events());
  auto* const counts = cursor.take<std::int32_t>(l.in);
  auto* const sums = cursor.take<Scalar>(table.tiles() * l.in * table.slots() * table.width);
  double* const position = shared ? cursor.take<double>(l.out * l.in * l.kernels) : nullptr;
  double* const width = shared ? cursor.take<double>(l.out * l.in * l.kernels) : nullptr;

  parallel_for(l.batch, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t b = begin; b < end; ++b) {
      Scalar* const rows = grad_rows + b * l.out * l.out_length;
      transpose(grad_y.data + b * l.out, l.batch * l.out, l.out_ticks, l.out, rows, l.out_length);
      for (std::ptrdiff_t o = 0; o < l.out; ++o) {
        std::fill(rows + o * l.out_length + l.out_ticks, rows + (o + 1) * l.out_length, Scalar(0));
      }
    }
  });

  // What the loop below does not reach: pruned synapses, and everything but the weights if the delays are rounded.
  clear(grads.weight);
  clear(grads.position);
  clear(grads.width);
  if (shared) {
    std::fill(position, position + l.out * l.in * l.kernels, 0.0);
    std::fill(width, width + l.out * l.in * l.kernels, 0.0);
  }
  parallel_for((l.in + kTileNeurons - 1) / kTileNeurons, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    ShapeCache shapes(config, p.rounded);
    for (std::ptrdiff_t block = begin; block < end; ++block) {
      const std::ptrdiff_t first = block * kTileNeurons, count = std::min(kTileNeurons, l.in - first);
      correlate_inputs(x, table, l, first, count, grad_rows, events + first * l.together * l.ticks, counts + first,
                       sums);
      for (std::ptrdiff_t tile = 0; tile < table.tiles(); ++tile) {
        for (std::ptrdiff_t i = first; i < first + count; ++i) {
          finish_list(config, p, table, tile, i, sums + table.list(tile, i) * table.slots() * table.width, shapes,
                      grads, position, width);
        }
      }
    }
  });
  if (shared && !p.rounded) {
    sum_shared(config, l, position, grads.position);
    sum_shared(config, l, width, grads.width);
  }
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                \
  template void delayed_linear_backward(const Signal<Scalar>&, const DelayConfig&, const DelayParameters<Scalar>&, \
                                        View<const Scalar>, const DelayGradients<Scalar>&, View<Scalar>,           \
                                        std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
