#include "synapses/causal_conv1d.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/scratch.hpp"
#include "synapses/simd.hpp"

namespace synfire::synapses {

namespace {

constexpr int kChunks = 32;  // of the sums over tokens
/// Tokens over which sums stay in Scalar.
constexpr std::ptrdiff_t kRun = 64;

/// Scratch: the taps by tap, [K][E], and for the way back sums over tokens, [K + 1][E] a chunk: of w, then of bias.
template <class Scalar>
struct Memory {
  ScratchCursor cursor;
  Scalar* taps;
  Scalar* run_sums;
  double* sums;

  Memory(std::span<std::byte> scratch, std::ptrdiff_t channels, std::ptrdiff_t num_taps)
      : cursor(scratch),
        taps(cursor.take<Scalar>(num_taps * channels)),
        run_sums(cursor.take<Scalar>(kChunks * (num_taps + 1) * channels)),
        sums(cursor.take<double>(kChunks * (num_taps + 1) * channels)) {}

  void fill(View<const Scalar> w, std::ptrdiff_t channels, std::ptrdiff_t num_taps) {
    for (std::ptrdiff_t e = 0; e < channels; ++e) {
      for (std::ptrdiff_t k = 0; k < num_taps; ++k) taps[k * channels + e] = w[e * num_taps + k];
    }
  }
};

/// Adds b c to a, element by element; a row of `T`, spikes or Scalars.
template <class Scalar, class T>
void add_product(const Scalar* b, const T* c, std::ptrdiff_t count, Scalar* a) {
  std::ptrdiff_t i = 0;
  for (; i + kLanes<Scalar> <= count; i += kLanes<Scalar>) {
    store<Scalar>(multiply_add(load(b + i), load<Scalar>(c + i), load(a + i)), a + i);
  }
  for (; i < count; ++i) a[i] += b[i] * static_cast<Scalar>(c[i]);
}

template <class Scalar>
void check(const char* operation, const Signal<Scalar>& x, View<const Scalar> w) {
  require_cpu(operation, x.device);
  require_rank(operation, "x", x.shape, 3);
  if (w.shape.rank() != 2 || w.shape[0] != x.shape.channels() || w.shape[1] < 1 || w.shape[1] > kMaxConvTaps) {
    throw ShapeError(fmt::format("[{}] w must be [{}, K] with 1 to {} taps, got {}", operation, x.shape.channels(),
                                 kMaxConvTaps, w.shape.text()));
  }
}

}  // namespace

template <class Scalar>
void causal_conv1d_forward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> bias, SequenceOrder order,
                           View<Scalar> y, std::span<std::byte> scratch) {
  constexpr const char* kName = "causal_conv1d_forward";
  check(kName, x, w);
  const std::ptrdiff_t channels = x.shape.channels(), num_taps = w.shape[1];
  if (!bias.empty()) require_per_channel(kName, "bias", bias, channels);
  require_shape(kName, "y", y.shape, x.shape);
  require_scratch(kName, scratch, causal_conv1d_scratch_bytes<Scalar>(channels, num_taps));
  const Sequences sequences(x.shape, order);
  Memory<Scalar> memory(scratch, channels, num_taps);
  memory.fill(w, channels, num_taps);
  with_elements(x, [&](const auto* elements) {
    parallel_for(sequences.count() * sequences.length(), kRun, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t k = begin; k < end; ++k) {
        const std::ptrdiff_t s = k / sequences.length(), token = k % sequences.length();
        Scalar* const to = y.data + sequences.row(s, token) * channels;
        if (bias.empty()) {
          std::fill_n(to, channels, Scalar(0));
        } else {
          std::copy_n(bias.data, channels, to);
        }
        for (std::ptrdiff_t back = std::min(num_taps - 1, token); back >= 0; --back) {
          add_product(memory.taps + (num_taps - 1 - back) * channels,
                      elements + sequences.row(s, token - back) * channels, channels, to);
        }
      }
    });
  });
}

template <class Scalar>
void causal_conv1d_backward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> grad_y,
                            SequenceOrder order, View<Scalar> grad_w, View<Scalar> grad_bias, View<Scalar> grad_x,
                            std::span<std::byte> scratch) {
  constexpr const char* kName = "causal_conv1d_backward";
  check(kName, x, w);
  const std::ptrdiff_t channels = x.shape.channels(), num_taps = w.shape[1];
  require_shape(kName, "grad_y", grad_y.shape, x.shape);
  require_shape(kName, "grad_w", grad_w.shape, w.shape);
  if (!grad_bias.empty()) require_per_channel(kName, "grad_bias", grad_bias, channels);
  if (grad_x.data != nullptr) require_shape(kName, "grad_x", grad_x.shape, x.shape);
  require_scratch(kName, scratch, causal_conv1d_scratch_bytes<Scalar>(channels, num_taps));
  const Sequences sequences(x.shape, order);
  const std::ptrdiff_t length = sequences.length(), sums_size = (num_taps + 1) * channels;
  Memory<Scalar> memory(scratch, channels, num_taps);
  memory.fill(w, channels, num_taps);
  std::fill_n(memory.sums, kChunks * sums_size, 0.0);

  with_elements(x, [&](const auto* elements) {
    parallel_chunks(sequences.count() * length, kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      Scalar* const run_sums = memory.run_sums + chunk * sums_size;
      double* const sums = memory.sums + chunk * sums_size;
      for (std::ptrdiff_t first = begin; first < end; first += kRun) {
        std::fill_n(run_sums, sums_size, Scalar(0));
        for (std::ptrdiff_t k = first; k < std::min(end, first + kRun); ++k) {
          const std::ptrdiff_t s = k / length, token = k % length, row = sequences.row(s, token) * channels;
          for (std::ptrdiff_t back = std::min(num_taps - 1, token); back >= 0; --back) {
            add_product(grad_y.data + row, elements + sequences.row(s, token - back) * channels, channels,
                        run_sums + (num_taps - 1 - back) * channels);
          }
          Scalar* const of_bias = run_sums + num_taps * channels;
          for (std::ptrdiff_t e = 0; e < channels; ++e) of_bias[e] += grad_y[row + e];
          if (grad_x.data == nullptr) continue;
          std::fill_n(grad_x.data + row, channels, Scalar(0));
          for (std::ptrdiff_t on = std::min(num_taps - 1, length - 1 - token); on >= 0; --on) {
            add_product(memory.taps + (num_taps - 1 - on) * channels,
                        grad_y.data + sequences.row(s, token + on) * channels, channels, grad_x.data + row);
          }
        }
        for (std::ptrdiff_t i = 0; i < sums_size; ++i) sums[i] += static_cast<double>(run_sums[i]);
      }
    });
  });
  for (std::ptrdiff_t k = 0; k < num_taps + (grad_bias.empty() ? 0 : 1); ++k) {
    for (std::ptrdiff_t e = 0; e < channels; ++e) {
      double sum = 0.0;
      for (std::ptrdiff_t chunk = 0; chunk < kChunks; ++chunk) sum += memory.sums[chunk * sums_size + k * channels + e];
      (k < num_taps ? grad_w[e * num_taps + k] : grad_bias[e]) = static_cast<Scalar>(sum);
    }
  }
}

template <class Scalar>
std::size_t causal_conv1d_scratch_bytes(std::ptrdiff_t num_channels, std::ptrdiff_t num_taps) {
  const std::ptrdiff_t sums = kChunks * (num_taps + 1) * num_channels;
  return scratch_bytes<Scalar>(num_taps * num_channels) + scratch_bytes<Scalar>(sums) + scratch_bytes<double>(sums) +
         kCacheLine;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                  \
  template void causal_conv1d_forward(const Signal<Scalar>&, View<const Scalar>, View<const Scalar>, SequenceOrder,  \
                                      View<Scalar>, std::span<std::byte>);                                           \
  template void causal_conv1d_backward(const Signal<Scalar>&, View<const Scalar>, View<const Scalar>, SequenceOrder, \
                                       View<Scalar>, View<Scalar>, View<Scalar>, std::span<std::byte>);              \
  template std::size_t causal_conv1d_scratch_bytes<Scalar>(std::ptrdiff_t, std::ptrdiff_t);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
