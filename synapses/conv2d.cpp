#include "synapses/conv2d.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/scratch.hpp"

namespace synfire::synapses {

namespace {

/// Partial weight gradients, added in order.
constexpr int kChunks = 16;

struct Extents {
  std::ptrdiff_t frames, in_h, in_w, out_h, out_w, in, out, taps;
};

template <class Scalar>
Extents check(const char* operation, const Signal<Scalar>& x, const Conv2dGeometry& g, const View<const Scalar>& w,
              const Shape& y) {
  if (g.in_channels < 1 || g.out_channels < 1 || g.kernel_h < 1 || g.kernel_w < 1 || g.stride < 1 || g.padding < 0) {
    throw ShapeError(
        fmt::format("[{}] channels, kernel and stride must be positive and padding not negative, got {} "
                    "-> {} channels, kernel {} x {}, stride {}, padding {}",
                    operation, g.in_channels, g.out_channels, g.kernel_h, g.kernel_w, g.stride, g.padding));
  }
  require_rank(operation, "x", x.shape, 3);
  require_cpu(operation, x.device);
  const int rank = x.shape.rank();
  const std::ptrdiff_t in_h = x.shape[rank - 3], in_w = x.shape[rank - 2];
  if (x.shape.channels() != g.in_channels || in_h + 2 * g.padding < g.kernel_h || in_w + 2 * g.padding < g.kernel_w) {
    throw ShapeError(fmt::format("[{}] x must have {} channels and hold a kernel of {} x {} with padding {}, got {}",
                                 operation, g.in_channels, g.kernel_h, g.kernel_w, g.padding, x.shape.text()));
  }
  require_shape(operation, "w", w.shape, Shape{g.out_channels, g.in_channels, g.kernel_h, g.kernel_w});
  const std::ptrdiff_t out_h = g.out_extent(static_cast<int>(in_h), g.kernel_h);
  const std::ptrdiff_t out_w = g.out_extent(static_cast<int>(in_w), g.kernel_w);
  require_shape(operation, "the output", y, with_inner(x.shape, 3, Shape{out_h, out_w, g.out_channels}));
  return {frame_count(x.shape, 3), in_h, in_w, out_h, out_w, g.in_channels, g.out_channels, g.kernel_h * g.kernel_w};
}

/// Calls `body(in_pixel, out_pixel, tap)` for every pair of pixels of a frame that a tap of the kernel connects.
template <class Body>
void each_connection(const Extents& e, const Conv2dGeometry& g, const Body& body) {
  for (std::ptrdiff_t i = 0; i < e.out_h; ++i) {
    for (std::ptrdiff_t j = 0; j < e.out_w; ++j) {
      for (int a = 0; a < g.kernel_h; ++a) {
        const std::ptrdiff_t row = i * g.stride + a - g.padding;
        if (row < 0 || row >= e.in_h) continue;
        for (int b = 0; b < g.kernel_w; ++b) {
          const std::ptrdiff_t column = j * g.stride + b - g.padding;
          if (column < 0 || column >= e.in_w) continue;
          body(row * e.in_w + column, i * e.out_w + j, a * g.kernel_w + b);
        }
      }
    }
  }
}

/// [Co, Ci, Kh, Kw] -> [Kh, Kw, Ci, Co]
template <class Scalar>
void pack(const Extents& e, const Scalar* w, Scalar* packed) {
  for (std::ptrdiff_t o = 0; o < e.out; ++o) {
    for (std::ptrdiff_t c = 0; c < e.in; ++c) {
      for (std::ptrdiff_t tap = 0; tap < e.taps; ++tap) {
        packed[(tap * e.in + c) * e.out + o] = w[(o * e.in + c) * e.taps + tap];
      }
    }
  }
}

}  // namespace

template <class Scalar>
std::size_t conv2d_scratch_bytes(const Conv2dGeometry& g, std::ptrdiff_t /*num_frames*/, const Shape& /*in*/) {
  const std::ptrdiff_t weights = std::ptrdiff_t{g.in_channels} * g.out_channels * g.kernel_h * g.kernel_w;
  return scratch_bytes<Scalar>(weights * (kChunks + 1)) + kCacheLine;
}

template <class Scalar>
void conv2d_forward(const Signal<Scalar>& x, const Conv2dGeometry& geometry, View<const Scalar> w,
                    View<const Scalar> bias, View<Scalar> y, std::span<std::byte> scratch) {
  const char* const operation = "conv2d_forward";
  const Extents e = check(operation, x, geometry, w, y.shape);
  if (!bias.empty()) require_per_channel(operation, "bias", bias, e.out);
  require_scratch(operation, scratch, conv2d_scratch_bytes<Scalar>(geometry, e.frames, Shape{e.in_h, e.in_w, e.in}));
  Scalar* const packed = ScratchCursor(scratch).take<Scalar>(w.size());
  pack(e, w.data, packed);
  with_elements(x, [&](const auto* elements) {
    parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      for (std::ptrdiff_t f = first; f < last; ++f) {
        const auto* const in = elements + f * e.in_h * e.in_w * e.in;
        Scalar* const out = y.data + f * e.out_h * e.out_w * e.out;
        for (std::ptrdiff_t k = 0; k < e.out_h * e.out_w * e.out; ++k) {
          out[k] = bias.empty() ? Scalar{0} : bias[k % e.out];
        }
        each_connection(e, geometry, [&](std::ptrdiff_t from, std::ptrdiff_t to, std::ptrdiff_t tap) {
          for (std::ptrdiff_t c = 0; c < e.in; ++c) {
            const Scalar value = static_cast<Scalar>(in[from * e.in + c]);
            if (value == Scalar{0}) continue;
            const Scalar* const weights = packed + (tap * e.in + c) * e.out;
            for (std::ptrdiff_t o = 0; o < e.out; ++o) out[to * e.out + o] += value * weights[o];
          }
        });
      }
    });
  });
}

template <class Scalar>
void conv2d_backward(const Signal<Scalar>& x, const Conv2dGeometry& geometry, View<const Scalar> w,
                     View<const Scalar> grad_y, View<Scalar> grad_w, View<Scalar> grad_bias, View<Scalar> grad_x,
                     std::span<std::byte> scratch) {
  const char* const operation = "conv2d_backward";
  const Extents e = check(operation, x, geometry, w, grad_y.shape);
  require_shape(operation, "grad_w", grad_w.shape, w.shape);
  if (!grad_bias.empty()) require_per_channel(operation, "grad_bias", grad_bias, e.out);
  if (!grad_x.empty()) require_shape(operation, "grad_x", grad_x.shape, x.shape);
  require_scratch(operation, scratch, conv2d_scratch_bytes<Scalar>(geometry, e.frames, Shape{e.in_h, e.in_w, e.in}));
  ScratchCursor cursor(scratch);
  Scalar* const partials = cursor.take<Scalar>(kChunks * w.size());
  Scalar* const packed = partials + kChunks * w.size();
  std::fill(partials, packed, Scalar{0});
  pack(e, w.data, packed);
  const std::ptrdiff_t in_size = e.in_h * e.in_w * e.in, out_size = e.out_h * e.out_w * e.out;
  with_elements(x, [&](const auto* elements) {
    parallel_chunks(e.frames, kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      Scalar* const partial = partials + chunk * w.size();
      for (std::ptrdiff_t f = begin; f < end; ++f) {
        const auto* const in = elements + f * in_size;
        const Scalar* const gradient = grad_y.data + f * out_size;
        each_connection(e, geometry, [&](std::ptrdiff_t from, std::ptrdiff_t to, std::ptrdiff_t tap) {
          for (std::ptrdiff_t c = 0; c < e.in; ++c) {
            const Scalar value = static_cast<Scalar>(in[from * e.in + c]);
            if (value == Scalar{0}) continue;
            Scalar* const sums = partial + (tap * e.in + c) * e.out;
            for (std::ptrdiff_t o = 0; o < e.out; ++o) sums[o] += value * gradient[to * e.out + o];
          }
        });
      }
    });
  });
  for (std::ptrdiff_t o = 0; o < e.out; ++o) {
    for (std::ptrdiff_t c = 0; c < e.in; ++c) {
      for (std::ptrdiff_t tap = 0; tap < e.taps; ++tap) {
        Scalar sum{0};
        for (int chunk = 0; chunk < kChunks; ++chunk) {
          sum += partials[chunk * w.size() + (tap * e.in + c) * e.out + o];
        }
        grad_w[(o * e.in + c) * e.taps + tap] = sum;
      }
    }
  }
  if (!grad_bias.empty()) {
    std::fill(grad_bias.data, grad_bias.data + e.out, Scalar{0});
    for (std::ptrdiff_t k = 0; k < e.frames * out_size; ++k) grad_bias[k % e.out] += grad_y[k];
  }
  if (grad_x.empty()) return;
  parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t f = first; f < last; ++f) {
      Scalar* const out = grad_x.data + f * in_size;
      const Scalar* const gradient = grad_y.data + f * out_size;
      std::fill(out, out + in_size, Scalar{0});
      each_connection(e, geometry, [&](std::ptrdiff_t from, std::ptrdiff_t to, std::ptrdiff_t tap) {
        for (std::ptrdiff_t c = 0; c < e.in; ++c) {
          const Scalar* const weights = packed + (tap * e.in + c) * e.out;
          Scalar sum{0};
          for (std::ptrdiff_t o = 0; o < e.out; ++o) sum += weights[o] * gradient[to * e.out + o];
          out[from * e.in + c] += sum;
        }
      });
    }
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                   \
  template std::size_t conv2d_scratch_bytes<Scalar>(const Conv2dGeometry&, std::ptrdiff_t, const Shape&);             \
  template void conv2d_forward(const Signal<Scalar>&, const Conv2dGeometry&, View<const Scalar>, View<const Scalar>,  \
                               View<Scalar>, std::span<std::byte>);                                                   \
  template void conv2d_backward(const Signal<Scalar>&, const Conv2dGeometry&, View<const Scalar>, View<const Scalar>, \
                                View<Scalar>, View<Scalar>, View<Scalar>, std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)

}  // namespace synfire::synapses
