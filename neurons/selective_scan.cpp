#include "neurons/selective_scan.hpp"

#include "core/parallel.hpp"
#include "neurons/checks.hpp"
#include "neurons/scan_chunk.hpp"

namespace synfire::neurons {

namespace {

constexpr const char* kForward = "selective_scan_forward";

template <class Scalar>
std::size_t task_bytes(const ScanLayout<Scalar>& layout) {
  return ScanChunk<Scalar>::bytes() + scratch_bytes<Scalar>(layout.block_tiles * layout.tile_size());
}

/// A task's tiles, and their states on the way through a sequence.
template <class Scalar>
class ForwardTask {
 public:
  ForwardTask(const ScanLayout<Scalar>& layout, const ScanInput<Scalar>& input, const ScanConstants<Scalar>& constants,
              std::ptrdiff_t block, std::byte* memory)
      : cursor_({memory, task_bytes(layout)}),
        layout_(layout),
        chunk_(layout, input, constants, cursor_),
        h_(cursor_.take<Scalar>(layout.block_tiles * layout.tile_size())),
        first_tile_(block * layout.block_tiles),
        last_tile_(std::min(layout.tiles, first_tile_ + layout.block_tiles)) {}

  /// \param states  [sequences, N, E] or null: zeros
  void begin(std::ptrdiff_t sequence, const Scalar* states) {
    each_tile([&](std::ptrdiff_t tile, Scalar* h) { chunk_.load_states(states, sequence, tile, h); });
  }
  void end(std::ptrdiff_t sequence, Scalar* states) {
    each_tile([&](std::ptrdiff_t tile, Scalar* h) { chunk_.store_states(h, sequence, tile, states); });
  }
  void run(std::ptrdiff_t sequence, std::ptrdiff_t chunk, Scalar* y) {
    chunk_.select(sequence, chunk);
    each_tile([&](std::ptrdiff_t tile, Scalar* h) {
      scan_tile_forward(chunk_.gather(tile), h, chunk_.y);
      chunk_.scatter_rows(chunk_.y, tile, y);
    });
  }
  /// As run, for the states alone. \param sum_steps  [sequences, E] out: the sum of D over the chunk
  void run_states(std::ptrdiff_t sequence, std::ptrdiff_t chunk, Scalar* sum_steps) {
    chunk_.select(sequence, chunk);
    each_tile([&](std::ptrdiff_t tile, Scalar* h) {
      scan_tile_forward(chunk_.gather(tile), h, chunk_.y);
      constexpr std::ptrdiff_t kWidth = ScanLayout<Scalar>::kWidth;
      for (std::ptrdiff_t e = tile * kWidth; e < std::min(layout_.channels, (tile + 1) * kWidth); ++e) {
        Scalar sum = 0;
        for (std::ptrdiff_t t = 0; t < chunk_.tokens; ++t) sum += chunk_.step[t * kWidth + e % kWidth];
        sum_steps[sequence * layout_.channels + e] = sum;
      }
    });
  }

 private:
  template <class Body>
  void each_tile(const Body& body) {
    for (std::ptrdiff_t tile = first_tile_; tile < last_tile_; ++tile) {
      body(tile, h_ + (tile - first_tile_) * layout_.tile_size());
    }
  }

  ScratchCursor cursor_;
  const ScanLayout<Scalar>& layout_;
  ScanChunk<Scalar> chunk_;
  Scalar* h_;
  std::ptrdiff_t first_tile_, last_tile_;
};

/// Memory of a forward pass.
template <class Scalar>
struct ForwardMemory {
  ScratchCursor cursor;
  ScanConstants<Scalar> constants;
  Scalar* sum_steps;  ///< [chunks - 1, sequences, E], of the chunked form
  std::byte* tasks;

  ForwardMemory(const ScanLayout<Scalar>& layout, std::span<std::byte> scratch)
      : cursor(scratch),
        constants(layout, cursor),
        sum_steps(cursor.take<Scalar>(num_sums(layout))),
        tasks(cursor.take<std::byte>(slots(layout) * static_cast<std::ptrdiff_t>(task_bytes(layout)))) {}
  static std::size_t bytes(const ScanLayout<Scalar>& layout) {
    return ScanConstants<Scalar>::bytes(layout) + scratch_bytes<Scalar>(num_sums(layout)) +
           static_cast<std::size_t>(slots(layout)) * task_bytes(layout) + kCacheLine;
  }
  static std::ptrdiff_t num_sums(const ScanLayout<Scalar>& layout) {
    return std::max<std::ptrdiff_t>(0, layout.chunks - 1) * layout.sequences.count() * layout.channels;
  }
  static std::ptrdiff_t slots(const ScanLayout<Scalar>& layout) {
    return std::max(ScanLayout<Scalar>::kMaxTasks, layout.tasks());
  }
  std::byte* task(const ScanLayout<Scalar>& layout, std::ptrdiff_t slot) const {
    return tasks + slot * static_cast<std::ptrdiff_t>(task_bytes(layout));
  }
};

template <class Scalar>
ScanLayout<Scalar> checked(const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                           SequenceOrder order, View<const Scalar> y, View<const Scalar> state,
                           std::span<std::byte> scratch) {
  check_scan<Scalar>(kForward, input, parameters, order, state);
  check_like_input(kForward, "y", y, "u", input.u.shape, Device::cpu);
  const ScanLayout<Scalar> layout(input.u.shape, order, parameters.a_log.shape[1]);
  check_scratch(kForward, scratch.size(), ForwardMemory<Scalar>::bytes(layout));
  return layout;
}

}  // namespace

template <class Scalar>
void check_scan(const char* operation, const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                SequenceOrder order, View<const Scalar> state) {
  check_host(operation, input.u.device);
  const Shape& u = input.u.shape;
  const Sequences sequences(u, order);
  if (input.u.real == nullptr && input.u.spikes == nullptr && u.size() > 0) {
    throw ShapeError(fmt::format("[{}] u of shape {} has no memory", operation, u.text()));
  }
  check_like_input(operation, "delta", input.delta, "u", u, Device::cpu);
  const Shape& a_log = parameters.a_log.shape;
  if (a_log.rank() != 2 || a_log[0] != u.channels() || a_log[1] < 1 || a_log[1] > kMaxScanStates) {
    throw ShapeError(fmt::format("[{}] a_log must be [{}, N] with 1 to {} states, got {}", operation, u.channels(),
                                 kMaxScanStates, a_log.text()));
  }
  check_like_input(operation, "a_log", parameters.a_log, "a_log", a_log, Device::cpu);
  check_channels(operation, "d", parameters.d, "u", u.channels(), Device::cpu);
  check_channels(operation, "dt_bias", parameters.dt_bias, "u", u.channels(), Device::cpu);
  const std::ptrdiff_t rows = u.channels() == 0 ? 0 : u.size() / u.channels();
  const std::ptrdiff_t width = input.bc.shape.channels();
  if (width < 2 * a_log[1] || input.bc.shape.size() != rows * width || input.bc.size() != rows * width) {
    throw ShapeError(fmt::format("[{}] bc must end in B and C of {} tokens, {} values each, got {}", operation, rows,
                                 a_log[1], input.bc.shape.text()));
  }
  if (!state.empty()) {
    check_like_input(operation, "state", state, "the sequences", Shape{sequences.count(), a_log[1], u.channels()},
                     Device::cpu);
  }
}

Shape scan_chunk_states_shape(const Shape& u, SequenceOrder order, std::ptrdiff_t num_states) {
  const Sequences sequences(u, order);
  const std::ptrdiff_t chunks = (sequences.length() + kScanChunk - 1) / kScanChunk;
  return {std::max<std::ptrdiff_t>(0, chunks - 1), sequences.count(), num_states, u.channels()};
}

template <class Scalar>
void selective_scan_forward(const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                            SequenceOrder order, View<Scalar> y, View<Scalar> chunk_states, View<Scalar> state,
                            std::span<std::byte> scratch) {
  const ScanLayout<Scalar> layout = checked<Scalar>(input, parameters, order, y, state, scratch);
  if (chunk_states.data != nullptr) {
    check_like_input(kForward, "chunk_states", chunk_states, "the chunks",
                     scan_chunk_states_shape(input.u.shape, order, layout.states), Device::cpu);
  }
  ForwardMemory<Scalar> memory(layout, scratch);
  memory.constants.fill(layout, parameters);
  const std::ptrdiff_t states_of_chunk = layout.sequences.count() * layout.states * layout.channels;
  parallel_for(layout.tasks(), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t k = begin; k < end; ++k) {
      ForwardTask<Scalar> task(layout, input, memory.constants, k % layout.blocks, memory.task(layout, k));
      const std::ptrdiff_t group = k / layout.blocks;
      for (std::ptrdiff_t s = layout.first_sequence(group); s < layout.first_sequence(group + 1); ++s) {
        task.begin(s, state.data);
        for (std::ptrdiff_t chunk = 0; chunk < layout.chunks; ++chunk) {
          if (chunk > 0 && chunk_states.data != nullptr) {
            task.end(s, chunk_states.data + (chunk - 1) * states_of_chunk);
          }
          task.run(s, chunk, y.data);
        }
        if (state.data != nullptr) task.end(s, state.data);
      }
    }
  });
}

template <class Scalar>
void selective_scan_forward_chunked(const ScanInput<Scalar>& input, const ScanParameters<Scalar>& parameters,
                                    SequenceOrder order, View<Scalar> y, View<Scalar> chunk_states,
                                    std::span<std::byte> scratch) {
  const ScanLayout<Scalar> layout = checked<Scalar>(input, parameters, order, y, {}, scratch);
  check_like_input(kForward, "chunk_states", chunk_states, "the chunks",
                   scan_chunk_states_shape(input.u.shape, order, layout.states), Device::cpu);
  ForwardMemory<Scalar> memory(layout, scratch);
  memory.constants.fill(layout, parameters);
  const std::ptrdiff_t sequences = layout.sequences.count();
  const std::ptrdiff_t sums_of_chunk = sequences * layout.channels, states_of_chunk = sums_of_chunk * layout.states;

  /// Calls body(task, sequence, chunk) for every chunk before `last_chunk` of every sequence and block.
  const auto each_chunk = [&](std::ptrdiff_t last_chunk, const auto& body) {
    const std::ptrdiff_t of_chunk = sequences * layout.blocks;
    parallel_chunks(last_chunk * of_chunk, static_cast<int>(ScanLayout<Scalar>::kMaxTasks),
                    [&](int slot, std::ptrdiff_t begin, std::ptrdiff_t end) {
                      for (std::ptrdiff_t k = begin; k < end; ++k) {
                        ForwardTask<Scalar> task(layout, input, memory.constants, k % layout.blocks,
                                                 memory.task(layout, slot));
                        body(task, k % of_chunk / layout.blocks, k / of_chunk);
                      }
                    });
  };
  each_chunk(layout.chunks - 1, [&](ForwardTask<Scalar>& task, std::ptrdiff_t s, std::ptrdiff_t chunk) {
    task.begin(s, nullptr);
    task.run_states(s, chunk, memory.sum_steps + chunk * sums_of_chunk);
    task.end(s, chunk_states.data + chunk * states_of_chunk);
  });
  parallel_for(sums_of_chunk, 64, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t chunk = 1; chunk + 1 < layout.chunks; ++chunk) {
      for (std::ptrdiff_t i = begin; i < end; ++i) {
        const std::ptrdiff_t s = i / layout.channels, e = i % layout.channels;
        const Scalar sum = memory.sum_steps[chunk * sums_of_chunk + i];
        for (std::ptrdiff_t n = 0; n < layout.states; ++n) {
          const Scalar rate = std::exp(parameters.a_log[e * layout.states + n]);
          Scalar* const at =
              chunk_states.data + chunk * states_of_chunk + (s * layout.states + n) * layout.channels + e;
          *at = std::fma(std::exp(-rate * sum), *(at - states_of_chunk), *at);
        }
      }
    }
  });
  each_chunk(layout.chunks, [&](ForwardTask<Scalar>& task, std::ptrdiff_t s, std::ptrdiff_t chunk) {
    task.begin(s, chunk == 0 ? nullptr : chunk_states.data + (chunk - 1) * states_of_chunk);
    task.run(s, chunk, y.data);
  });
}

template <class Scalar>
std::size_t scan_forward_scratch_bytes(const Shape& u, SequenceOrder order, std::ptrdiff_t num_states) {
  return ForwardMemory<Scalar>::bytes(ScanLayout<Scalar>(u, order, num_states));
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                    \
  template void check_scan(const char*, const ScanInput<Scalar>&, const ScanParameters<Scalar>&, SequenceOrder,        \
                           View<const Scalar>);                                                                        \
  template void selective_scan_forward(const ScanInput<Scalar>&, const ScanParameters<Scalar>&, SequenceOrder,         \
                                       View<Scalar>, View<Scalar>, View<Scalar>, std::span<std::byte>);                \
  template void selective_scan_forward_chunked(const ScanInput<Scalar>&, const ScanParameters<Scalar>&, SequenceOrder, \
                                               View<Scalar>, View<Scalar>, std::span<std::byte>);                      \
  template std::size_t scan_forward_scratch_bytes<Scalar>(const Shape&, SequenceOrder, std::ptrdiff_t);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::neurons
