#include "synapses/linear.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/scratch.hpp"

namespace synfire::synapses {

namespace {

struct Extents {
  std::ptrdiff_t frames, in, out;
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

}  // namespace

template <class Scalar>
std::size_t linear_scratch_bytes(std::ptrdiff_t /*num_frames*/, std::ptrdiff_t in, std::ptrdiff_t out) {
  return scratch_bytes<Scalar>(in * out) + kCacheLine;
}

template <class Scalar>
void linear_forward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> bias, View<Scalar> y,
                    std::span<std::byte> scratch) {
  const char* const operation = "linear_forward";
  const Extents e = check(operation, x, w, y.shape);
  if (!bias.empty()) require_per_channel(operation, "bias", bias, e.out);
  require_scratch(operation, scratch, linear_scratch_bytes<Scalar>(e.frames, e.in, e.out));
  Scalar* const columns = ScratchCursor(scratch).take<Scalar>(e.in * e.out);
  for (std::ptrdiff_t o = 0; o < e.out; ++o) {
    for (std::ptrdiff_t i = 0; i < e.in; ++i) columns[i * e.out + o] = w[o * e.in + i];
  }
  with_elements(x, [&](const auto* elements) {
    parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      for (std::ptrdiff_t f = first; f < last; ++f) {
        Scalar* const out = y.data + f * e.out;
        for (std::ptrdiff_t o = 0; o < e.out; ++o) out[o] = bias.empty() ? Scalar{0} : bias[o];
        for (std::ptrdiff_t i = 0; i < e.in; ++i) {
          const Scalar value = static_cast<Scalar>(elements[f * e.in + i]);
          if (value == Scalar{0}) continue;
          const Scalar* const column = columns + i * e.out;
          for (std::ptrdiff_t o = 0; o < e.out; ++o) out[o] += value * column[o];
        }
      }
    });
  });
}

template <class Scalar>
void linear_backward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> grad_y, View<Scalar> grad_w,
                     View<Scalar> grad_bias, View<Scalar> grad_x, std::span<std::byte> scratch) {
  const char* const operation = "linear_backward";
  const Extents e = check(operation, x, w, grad_y.shape);
  require_shape(operation, "grad_w", grad_w.shape, w.shape);
  if (!grad_bias.empty()) require_per_channel(operation, "grad_bias", grad_bias, e.out);
  if (!grad_x.empty()) require_shape(operation, "grad_x", grad_x.shape, x.shape);
  require_scratch(operation, scratch, linear_scratch_bytes<Scalar>(e.frames, e.in, e.out));
  Scalar* const columns = ScratchCursor(scratch).take<Scalar>(e.in * e.out);
  with_elements(x, [&](const auto* elements) {
    parallel_for(e.in, 16, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      std::fill(columns + first * e.out, columns + last * e.out, Scalar{0});
      for (std::ptrdiff_t f = 0; f < e.frames; ++f) {
        for (std::ptrdiff_t i = first; i < last; ++i) {
          const Scalar value = static_cast<Scalar>(elements[f * e.in + i]);
          if (value == Scalar{0}) continue;
          for (std::ptrdiff_t o = 0; o < e.out; ++o) columns[i * e.out + o] += value * grad_y[f * e.out + o];
        }
      }
      for (std::ptrdiff_t i = first; i < last; ++i) {
        for (std::ptrdiff_t o = 0; o < e.out; ++o) grad_w[o * e.in + i] = columns[i * e.out + o];
      }
    });
  });
  if (!grad_bias.empty()) {
    std::fill(grad_bias.data, grad_bias.data + e.out, Scalar{0});
    for (std::ptrdiff_t f = 0; f < e.frames; ++f) {
      for (std::ptrdiff_t o = 0; o < e.out; ++o) grad_bias[o] += grad_y[f * e.out + o];
    }
  }
  if (grad_x.empty()) return;
  parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t f = first; f < last; ++f) {
      Scalar* const out = grad_x.data + f * e.in;
      std::fill(out, out + e.in, Scalar{0});
      for (std::ptrdiff_t o = 0; o < e.out; ++o) {
        const Scalar gradient = grad_y[f * e.out + o];
        for (std::ptrdiff_t i = 0; i < e.in; ++i) out[i] += gradient * w[o * e.in + i];
      }
    }
  });
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
