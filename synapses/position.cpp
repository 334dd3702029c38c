#include "synapses/position.hpp"

#include <algorithm>
#include <array>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/scratch.hpp"

namespace synfire::synapses {

namespace {

/// Elements of a frame whose gradients are summed together.
constexpr std::ptrdiff_t kBlock = 512;

void check_tables(const char* operation, const Shape& x, bool has_space, const Shape& space, bool has_time,
                  const Shape& time) {
  require_rank(operation, "x", x, 5);
  if (has_space) require_shape(operation, "the table of space", space, x.drop_front(2));
  if (has_time && (time.rank() != 2 || time[0] < x[0] || time[1] != x.channels())) {
    throw ShapeError(fmt::format("[{}] the table of time must be [at least {} ticks, {}], got {}", operation, x[0],
                                 x.channels(), time.text()));
  }
}

}  // namespace

std::size_t position_scratch_bytes(std::ptrdiff_t num_ticks, std::ptrdiff_t num_channels) {
  return scratch_bytes<double>(num_ticks * num_channels) + kCacheLine;
}

template <class Scalar>
void position_forward(const Signal<Scalar>& x, View<const Scalar> space, View<const Scalar> time, View<Scalar> y) {
  const char* const operation = "position_forward";
  check_tables(operation, x.shape, space.data != nullptr, space.shape, time.data != nullptr, time.shape);
  require_cpu(operation, x.device);
  require_shape(operation, "the output", y.shape, x.shape);
  const std::ptrdiff_t batch = x.shape[1], channels = x.shape.channels();
  const std::ptrdiff_t tokens = x.shape[2] * x.shape[3];
  with_elements(x, [&](const auto* elements) {
    parallel_for(x.shape[0] * batch * tokens, 64, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t row = begin; row < end; ++row) {
        const auto* const in = elements + row * channels;
        Scalar* const out = y.data + row * channels;
        for (std::ptrdiff_t c = 0; c < channels; ++c) out[c] = static_cast<Scalar>(in[c]);
        if (space.data != nullptr) {
          const Scalar* const place = space.data + row % tokens * channels;
          for (std::ptrdiff_t c = 0; c < channels; ++c) out[c] += place[c];
        }
        if (time.data != nullptr) {
          const Scalar* const tick = time.data + row / (tokens * batch) * channels;
          for (std::ptrdiff_t c = 0; c < channels; ++c) out[c] += tick[c];
        }
      }
    });
  });
}

template <class Scalar>
void position_backward(View<const Scalar> grad_y, View<Scalar> grad_space, View<Scalar> grad_time,
                       std::span<std::byte> scratch) {
  const char* const operation = "position_backward";
  const Shape& shape = grad_y.shape;
  check_tables(operation, shape, grad_space.data != nullptr, grad_space.shape, grad_time.data != nullptr,
               grad_time.shape);
  require_cpu(operation, grad_y.device);
  const std::ptrdiff_t frames = shape[0] * shape[1], frame = shape.size_from(2), channels = shape.channels();
  if (grad_space.data != nullptr) {
    parallel_for(frame, kBlock, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      std::array<double, kBlock> sums;
      for (std::ptrdiff_t first = begin; first < end; first += kBlock) {
        const std::ptrdiff_t count = std::min(kBlock, end - first);
        std::fill(sums.begin(), sums.begin() + count, 0.0);
        for (std::ptrdiff_t f = 0; f < frames; ++f) {
          const Scalar* const from = grad_y.data + f * frame + first;
          for (std::ptrdiff_t i = 0; i < count; ++i) sums[static_cast<std::size_t>(i)] += static_cast<double>(from[i]);
        }
        for (std::ptrdiff_t i = 0; i < count; ++i) {
          grad_space.data[first + i] = static_cast<Scalar>(sums[static_cast<std::size_t>(i)]);
        }
      }
    });
  }
  if (grad_time.data == nullptr) return;
  require_scratch(operation, scratch, position_scratch_bytes(shape[0], channels));
  double* const sums = ScratchCursor(scratch).take<double>(shape[0] * channels);
  std::fill(grad_time.data, grad_time.data + grad_time.shape.size(), Scalar{0});
  parallel_for(shape[0], 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t t = begin; t < end; ++t) {
      double* const sum = sums + t * channels;
      std::fill(sum, sum + channels, 0.0);
      const std::ptrdiff_t rows = shape.size_from(1) / channels;
      for (std::ptrdiff_t row = 0; row < rows; ++row) {
        const Scalar* const from = grad_y.data + (t * rows + row) * channels;
        for (std::ptrdiff_t c = 0; c < channels; ++c) sum[c] += static_cast<double>(from[c]);
      }
      for (std::ptrdiff_t c = 0; c < channels; ++c) grad_time.data[t * channels + c] = static_cast<Scalar>(sum[c]);
    }
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                            \
  template void position_forward(const Signal<Scalar>&, View<const Scalar>, View<const Scalar>, View<Scalar>); \
  template void position_backward(View<const Scalar>, View<Scalar>, View<Scalar>, std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
