#include "core/parallel.hpp"
#include "neurons/checks.hpp"
#include "neurons/scan_chunk.hpp"
#include "neurons/selective_scan.hpp"

namespace synfire::neurons {

namespace {

constexpr const char* kBackward = "selective_scan_backward";

/// What a task of the way back holds.
template <class Scalar>
struct BackwardMemory {
  ScratchCursor cursor;
  ScanChunk<Scalar> chunk;
  Scalar *grad_y, *grad_drive, *grad_decay;  ///< [tokens] rows
  Scalar *h, *a;                             ///< [tokens + 1], [tokens] of [states] rows
  Scalar* carry;                             ///< [tiles of the block] of [states] rows
  Scalar* grad_rate;                         ///< [states] rows
  Scalar* grad_bc;                           ///< [tokens][2 states] packs

  BackwardMemory(const ScanLayout<Scalar>& layout, const ScanInput<Scalar>& input,
                 const ScanConstants<Scalar>& constants, std::byte* memory)
      : cursor({memory, bytes(layout)}),
        chunk(layout, input, constants, cursor),
        grad_y(cursor.take<Scalar>(kTileSize)),
        grad_drive(cursor.take<Scalar>(kTileSize)),
        grad_decay(cursor.take<Scalar>(kTileSize)),
        h(cursor.take<Scalar>((kScanChunk + 1) * layout.tile_size())),
        a(cursor.take<Scalar>(kScanChunk * layout.tile_size())),
        carry(cursor.take<Scalar>(layout.block_tiles * layout.tile_size())),
        grad_rate(cursor.take<Scalar>(layout.tile_size())),
        grad_bc(cursor.take<Scalar>(bc_size(layout))) {}
  static std::size_t bytes(const ScanLayout<Scalar>& layout) {
    return ScanChunk<Scalar>::bytes() + 3 * scratch_bytes<Scalar>(kTileSize) +
           scratch_bytes<Scalar>((kScanChunk + 1) * layout.tile_size()) +
           scratch_bytes<Scalar>(kScanChunk * layout.tile_size()) +
           scratch_bytes<Scalar>(layout.block_tiles * layout.tile_size()) + scratch_bytes<Scalar>(layout.tile_size()) +
           scratch_bytes<Scalar>(bc_size(layout));
  }
  static constexpr std::ptrdiff_t kTileSize = ScanChunk<Scalar>::kTileSize;
  static std::ptrdiff_t bc_size(const ScanLayout<Scalar>& layout) {
    return kScanChunk * 2 * layout.states * kLanes<Scalar>;
  }
};

/// Sums over the tokens of a group of sequences, in double: for each channel one a rate, then of d and of dt_bias.
struct Totals {
  double* values;
  std::ptrdiff_t states;

  double& rate(std::ptrdiff_t e, std::ptrdiff_t n) const { return values[e * (states + 2) + n]; }
  double& skip(std::ptrdiff_t e) const { return values[e * (states + 2) + states]; }
  double& bias(std::ptrdiff_t e) const { return values[e * (states + 2) + states + 1]; }
};

template <class Scalar>
struct SharedMemory {
  ScratchCursor cursor;
  ScanConstants<Scalar> constants;
  double* totals;  ///< [groups, E, states + 2]
  Scalar* bc;      ///< [blocks - 1, rows, 2 states]: what the blocks behind the first add to dL/dB and dL/dC
  std::byte* tasks;

  SharedMemory(const ScanLayout<Scalar>& layout, std::span<std::byte> scratch)
      : cursor(scratch),
        constants(layout, cursor),
        totals(cursor.take<double>(num_totals(layout))),
        bc(cursor.take<Scalar>(num_bc(layout))),
        tasks(cursor.take<std::byte>(layout.tasks() *
                                     static_cast<std::ptrdiff_t>(BackwardMemory<Scalar>::bytes(layout)))) {}
  static std::size_t bytes(const ScanLayout<Scalar>& layout) {
    return ScanConstants<Scalar>::bytes(layout) + scratch_bytes<double>(num_totals(layout)) +
           scratch_bytes<Scalar>(num_bc(layout)) +
           static_cast<std::size_t>(layout.tasks()) * BackwardMemory<Scalar>::bytes(layout) + kCacheLine;
  }
  static std::ptrdiff_t num_totals(const ScanLayout<Scalar>& layout) {
    return layout.groups * layout.channels * (layout.states + 2);
  }
  static std::ptrdiff_t num_bc(const ScanLayout<Scalar>& layout) {
    return std::max<std::ptrdiff_t>(0, layout.blocks - 1) * layout.rows * 2 * layout.states;
  }
  Totals totals_of(const ScanLayout<Scalar>& layout, std::ptrdiff_t group) const {
    return {totals + group * layout.channels * (layout.states + 2), layout.states};
  }
};

/// A group of sequences and a block of channels on the way back.
template <class Scalar>
class BackwardTask {
 public:
  static constexpr std::ptrdiff_t kWidth = ScanLayout<Scalar>::kWidth;

  BackwardTask(const ScanLayout<Scalar>& layout, const ScanInput<Scalar>& input, const SharedMemory<Scalar>& shared,
               View<const Scalar> grad_y, const ScanGradients<Scalar>& gradients, std::ptrdiff_t task)
      : layout_(layout),
        memory_(layout, input, shared.constants,
                shared.tasks + task * static_cast<std::ptrdiff_t>(BackwardMemory<Scalar>::bytes(layout))),
        constants_(shared.constants),
        grad_y_(grad_y),
        gradients_(gradients),
        totals_(shared.totals_of(layout, task / layout.blocks)) {
    const std::ptrdiff_t block = task % layout.blocks;
    first_tile_ = block * layout.block_tiles;
    last_tile_ = std::min(layout.tiles, first_tile_ + layout.block_tiles);
    // The first block writes where the sum will be.
    const std::ptrdiff_t size = 2 * layout.states;
    bc_width_ = block == 0 ? gradients.bc.shape.channels() : size;
    grad_bc_ = block == 0 ? gradients.bc.data + bc_width_ - size : shared.bc + (block - 1) * layout.rows * size;
  }

  void clear_totals() {
    const std::ptrdiff_t last = std::min(layout_.channels, last_tile_ * kWidth);
    std::fill(&totals_.rate(first_tile_ * kWidth, 0), &totals_.rate(last, 0), 0.0);
  }

  /// \param states  h before the chunk, [sequences, N, E], for each chunk; null: zeros
  template <class StatesOf>
  void run(std::ptrdiff_t sequence, const StatesOf& states_of, Scalar* grad_state) {
    each_tile(
        [&](std::ptrdiff_t tile, Scalar* carry) { memory_.chunk.load_states(grad_state, sequence, tile, carry); });
    for (std::ptrdiff_t chunk = layout_.chunks - 1; chunk >= 0; --chunk) {
      memory_.chunk.select(sequence, chunk);
      std::fill_n(memory_.grad_bc, memory_.chunk.tokens * 2 * layout_.states * kLanes<Scalar>, Scalar(0));
      each_tile([&](std::ptrdiff_t tile, Scalar* carry) {
        memory_.chunk.load_states(states_of(chunk), sequence, tile, memory_.h);
        run_tile(tile, carry);
      });
      sum_lanes();
    }
    if (grad_state == nullptr) return;
    each_tile(
        [&](std::ptrdiff_t tile, Scalar* carry) { memory_.chunk.store_states(carry, sequence, tile, grad_state); });
  }

 private:
  template <class Body>
  void each_tile(const Body& body) {
    for (std::ptrdiff_t tile = first_tile_; tile < last_tile_; ++tile) {
      body(tile, memory_.carry + (tile - first_tile_) * layout_.tile_size());
    }
  }

  void run_tile(std::ptrdiff_t tile, Scalar* carry) {
    BackwardMemory<Scalar>& m = memory_;
    const ScanTile<Scalar> of_chunk = m.chunk.gather(tile);
    m.chunk.gather_rows(grad_y_.data, tile, m.grad_y);
    scan_tile_again(of_chunk, m.h, m.a);
    std::fill_n(m.grad_rate, layout_.tile_size(), Scalar(0));
    scan_tile_backward<Scalar>(of_chunk,
                               {m.h, m.a, m.grad_y, carry, m.grad_rate, m.grad_bc, m.grad_drive, m.grad_decay});
    finish_rows(tile);
  }

  /// From the sums over the states to the gradients of u and delta, over m.grad_y and m.grad_decay; the totals.
  void finish_rows(std::ptrdiff_t tile) {
    constexpr Scalar kLn2 = Scalar(0.693147180559945309417);  // rates are by powers of 2
    BackwardMemory<Scalar>& m = memory_;
    using Row = TileRow<Scalar>;
    const Row skip = Row::at(constants_.skip + tile * kWidth);
    Row sum_skip{}, sum_bias{};
    for (std::ptrdiff_t i = 0; i < m.chunk.tokens * kWidth; i += kWidth) {
      const Row u = Row::at(m.chunk.u + i), raw = Row::at(m.chunk.raw + i), step = Row::at(m.chunk.step + i);
      const Row drive = Row::at(m.grad_drive + i), decay = Row::at(m.grad_decay + i);
      Row grad_u = Row::at(m.grad_y + i), grad_raw;
      unroll<kTilePacks>([&](auto p) {
        const Pack<Scalar> grad_y = grad_u.pack[p];
        sum_skip.pack[p] = multiply_add(grad_y, u.pack[p], sum_skip.pack[p]);
        grad_u.pack[p] = multiply_add(step.pack[p], drive.pack[p], skip.pack[p] * grad_y);
        grad_raw.pack[p] =
            multiply_add(u.pack[p], drive.pack[p], -kLn2 * decay.pack[p]) * softplus_slope_pack<Scalar>(raw.pack[p]);
        sum_bias.pack[p] += grad_raw.pack[p];
      });
      grad_u.store_at(m.grad_y + i);
      grad_raw.store_at(m.grad_decay + i);
    }
    if (gradients_.u.data != nullptr) m.chunk.scatter_rows(m.grad_y, tile, gradients_.u.data);
    m.chunk.scatter_rows(m.grad_decay, tile, gradients_.delta.data);

    Scalar skips[kWidth], biases[kWidth];
    sum_skip.store_at(skips);
    sum_bias.store_at(biases);
    for (std::ptrdiff_t e = tile * kWidth; e < std::min(layout_.channels, (tile + 1) * kWidth); ++e) {
      const std::ptrdiff_t lane = e % kWidth;
      for (std::ptrdiff_t n = 0; n < layout_.states; ++n) {
        totals_.rate(e, n) += static_cast<double>(m.grad_rate[n * kWidth + lane]);
      }
      totals_.skip(e) += static_cast<double>(skips[lane]);
      totals_.bias(e) += static_cast<double>(biases[lane]);
    }
  }

  /// dL/dB and dL/dC of the chunk's tokens, of this block of channels.
  void sum_lanes() {
    const std::ptrdiff_t count = 2 * layout_.states;
    const Scalar* from = memory_.grad_bc;
    for (std::ptrdiff_t t = 0; t < memory_.chunk.tokens; ++t) {
      Scalar* const to = grad_bc_ + memory_.chunk.row(t) * bc_width_;
      for (std::ptrdiff_t k = 0; k < count; ++k, from += kLanes<Scalar>) {
        Scalar sums[kLanes<Scalar>];
        std::copy_n(from, kLanes<Scalar>, sums);
        for (std::ptrdiff_t half = kLanes<Scalar> / 2; half > 0; half /= 2) {
          for (std::ptrdiff_t i = 0; i < half; ++i) sums[i] += sums[i + half];
        }
        to[k] = sums[0];
      }
    }
  }

  const ScanLayout<Scalar>& layout_;
  BackwardMemory<Scalar> memory_;
  const ScanConstants<Scalar>& constants_;
  View<const Scalar> grad_y_;
  const ScanGradients<Scalar>& gradients_;
  Totals totals_;
  std::ptrdiff_t first_tile_, last_tile_;
  Scalar* grad_bc_;
  std::ptrdiff_t bc_width_;  ///< of a row there
};

/// Adds what the groups and blocks came to, in their order.
template <class Scalar>
void join(const ScanLayout<Scalar>& layout, const SharedMemory<Scalar>& shared,
          const ScanParameters<Scalar>& parameters, const ScanGradients<Scalar>& gradients) {
  const std::ptrdiff_t states = layout.states;
  parallel_for(layout.channels, 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    const auto sum = [&](const auto& of_group) {
      double result = 0.0;
      for (std::ptrdiff_t g = 0; g < layout.groups; ++g) result += of_group(shared.totals_of(layout, g));
      return result;
    };
    for (std::ptrdiff_t e = begin; e < end; ++e) {
      for (std::ptrdiff_t n = 0; n < states; ++n) {
        const double a = -std::exp(static_cast<double>(parameters.a_log[e * states + n]));
        gradients.a_log[e * states + n] = static_cast<Scalar>(a * sum([&](Totals t) { return t.rate(e, n); }));
      }
      gradients.d[e] = static_cast<Scalar>(sum([&](Totals t) { return t.skip(e); }));
      gradients.dt_bias[e] = static_cast<Scalar>(sum([&](Totals t) { return t.bias(e); }));
    }
  });
  const std::ptrdiff_t size = 2 * states;
  parallel_for(layout.blocks > 1 ? layout.rows : 0, 64, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t row = begin; row < end; ++row) {
      Scalar* const to = gradients.bc.data + (row + 1) * gradients.bc.shape.channels() - size;
      for (std::ptrdiff_t block = 0; block + 1 < layout.blocks; ++block) {
        const Scalar* const from = shared.bc + (block * layout.rows + row) * size;
        for (std::ptrdiff_t k = 0; k < size; ++k) to[k] += from[k];
      }
    }
  });
}

template <class Scalar>
void check_gradients(const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                     const ScanGradients<Scalar>& gradients) {
  const Shape& u = input.u.shape;
  if (gradients.u.data != nullptr) check_like_input(kBackward, "grad_u", gradients.u, "u", u, Device::cpu);
  check_like_input(kBackward, "grad_delta", gradients.delta, "u", u, Device::cpu);
  check_like_input(kBackward, "grad_bc", gradients.bc, "bc", input.bc.shape, Device::cpu);
  check_like_input(kBackward, "grad_a_log", gradients.a_log, "a_log", parameters.a_log.shape, Device::cpu);
  check_channels(kBackward, "grad_d", gradients.d, "u", u.channels(), Device::cpu);
  check_channels(kBackward, "grad_dt_bias", gradients.dt_bias, "u", u.channels(), Device::cpu);
}

}  // namespace

template <class Scalar>
void selective_scan_backward(const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                             SequenceOrder order, View<const Scalar> chunk_states, View<const Scalar> state,
                             View<const Scalar> grad_y, const ScanGradients<Scalar>& gradients, View<Scalar> grad_state,
                             std::span<std::byte> scratch) {
  check_scan<Scalar>(kBackward, input, parameters, order, state);
  check_scan<Scalar>(kBackward, input, parameters, order, grad_state);
  check_like_input(kBackward, "grad_y", grad_y, "u", input.u.shape, Device::cpu);
  check_gradients(input, parameters, gradients);
  const ScanLayout<Scalar> layout(input.u.shape, order, parameters.a_log.shape[1]);
  check_like_input(kBackward, "chunk_states", chunk_states, "the chunks",
                   scan_chunk_states_shape(input.u.shape, order, layout.states), Device::cpu);
  check_scratch(kBackward, scratch.size(), SharedMemory<Scalar>::bytes(layout));

  SharedMemory<Scalar> shared(layout, scratch);
  shared.constants.fill(layout, parameters);
  const std::ptrdiff_t states_of_chunk = layout.sequences.count() * layout.states * layout.channels;
  const auto states_of = [&](std::ptrdiff_t chunk) {
    return chunk == 0 ? state.data : chunk_states.data + (chunk - 1) * states_of_chunk;
  };
  parallel_for(layout.tasks(), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t k = begin; k < end; ++k) {
      BackwardTask<Scalar> task(layout, input, shared, grad_y, gradients, k);
      task.clear_totals();
      const std::ptrdiff_t group = k / layout.blocks;
      for (std::ptrdiff_t s = layout.first_sequence(group); s < layout.first_sequence(group + 1); ++s) {
        task.run(s, states_of, grad_state.data);
      }
    }
  });
  join(layout, shared, parameters, gradients);
}

template <class Scalar>
std::size_t scan_backward_scratch_bytes(const Shape& u, SequenceOrder order, std::ptrdiff_t num_states) {
  return SharedMemory<Scalar>::bytes(ScanLayout<Scalar>(u, order, num_states));
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                             \
  template void selective_scan_backward(const ScanInput<Scalar>&, const ScanParameters<Scalar>&, SequenceOrder, \
                                        View<const Scalar>, View<const Scalar>, View<const Scalar>,             \
                                        const ScanGradients<Scalar>&, View<Scalar>, std::span<std::byte>);      \
  template std::size_t scan_backward_scratch_bytes<Scalar>(const Shape&, SequenceOrder, std::ptrdiff_t);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::neurons
