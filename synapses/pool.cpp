#include "synapses/pool.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

/// A whole frame batch as the loops see it.
struct Extents {
  std::ptrdiff_t frames, in_h, in_w, out_h, out_w, channels;
};

Extents check(const char* operation, const Shape& x, const PoolGeometry& geometry, const Shape& y) {
  if (geometry.kernel < 1 || geometry.stride < 1) {
    throw ShapeError(fmt::format("[{}] kernel and stride must be positive, got {} and {}", operation, geometry.kernel,
                                 geometry.stride));
  }
  require_rank(operation, "x", x, 3);
  const int rank = x.rank();
  const std::ptrdiff_t in_h = x[rank - 3], in_w = x[rank - 2];
  if (in_h < geometry.kernel || in_w < geometry.kernel) {
    throw ShapeError(fmt::format("[{}] a window of {} does not fit into {}", operation, geometry.kernel, x.text()));
  }
  const std::ptrdiff_t out_h = geometry.out_extent(static_cast<int>(in_h));
  const std::ptrdiff_t out_w = geometry.out_extent(static_cast<int>(in_w));
  require_shape(operation, "the output", y, with_inner(x, 3, Shape{out_h, out_w, x.channels()}));
  return {frame_count(x, 3), in_h, in_w, out_h, out_w, x.channels()};
}

template <class T>
void max_pool(const Extents& e, const PoolGeometry& geometry, const T* x, T* y) {
  const std::ptrdiff_t c_count = e.channels;
  parallel_for(e.frames * e.out_h, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t row = first; row < last; ++row) {
      const std::ptrdiff_t f = row / e.out_h, i = row % e.out_h;
      for (std::ptrdiff_t j = 0; j < e.out_w; ++j) {
        T* const out = y + (row * e.out_w + j) * c_count;
        for (int a = 0; a < geometry.kernel; ++a) {
          for (int b = 0; b < geometry.kernel; ++b) {
            const T* const in =
                x + ((f * e.in_h + i * geometry.stride + a) * e.in_w + j * geometry.stride + b) * c_count;
            if (a == 0 && b == 0) {
              std::copy(in, in + c_count, out);
            } else {
              for (std::ptrdiff_t c = 0; c < c_count; ++c) out[c] = out[c] < in[c] ? in[c] : out[c];
            }
          }
        }
      }
    }
  });
}

/// A frame is a task: windows of one frame may overlap, windows of two do not.
template <class Scalar, class In>
void max_pool_gradient(const Extents& e, const PoolGeometry& geometry, const In* x, const Scalar* grad_y,
                       Scalar* grad_x) {
  const std::ptrdiff_t c_count = e.channels;
  parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t f = first; f < last; ++f) {
      const In* const in = x + f * e.in_h * e.in_w * c_count;
      Scalar* const out = grad_x + f * e.in_h * e.in_w * c_count;
      const Scalar* grad = grad_y + f * e.out_h * e.out_w * c_count;
      std::fill(out, out + e.in_h * e.in_w * c_count, Scalar{0});
      for (std::ptrdiff_t i = 0; i < e.out_h; ++i) {
        for (std::ptrdiff_t j = 0; j < e.out_w; ++j, grad += c_count) {
          const std::ptrdiff_t corner = (i * geometry.stride * e.in_w + j * geometry.stride) * c_count;
          for (std::ptrdiff_t c = 0; c < c_count; ++c) {
            std::ptrdiff_t best = corner + c;
            for (int a = 0; a < geometry.kernel; ++a) {
              for (int b = 0; b < geometry.kernel; ++b) {
                const std::ptrdiff_t place = corner + (a * e.in_w + b) * c_count + c;
                if (in[place] > in[best]) best = place;
              }
            }
            out[best] += grad[c];
          }
        }
      }
    }
  });
}

}  // namespace

template <class Scalar>
void max_pool_forward(const Signal<Scalar>& x, const PoolGeometry& geometry, View<Scalar> y) {
  const Extents e = check("max_pool_forward", x.shape, geometry, y.shape);
  require_cpu("max_pool_forward", x.device);
  if (x.is_spikes()) {
    throw ShapeError("[max_pool_forward] spikes are pooled to spikes, by max_pool_forward_spikes");
  }
  max_pool(e, geometry, x.real, y.data);
}

void max_pool_forward_spikes(View<const std::uint8_t> x, const PoolGeometry& geometry, View<std::uint8_t> y) {
  const Extents e = check("max_pool_forward_spikes", x.shape, geometry, y.shape);
  require_cpu("max_pool_forward_spikes", x.device);
  max_pool(e, geometry, x.data, y.data);
}

template <class Scalar>
void max_pool_backward(const Signal<Scalar>& x, const PoolGeometry& geometry, View<const Scalar> grad_y,
                       View<Scalar> grad_x) {
  const Extents e = check("max_pool_backward", x.shape, geometry, grad_y.shape);
  require_shape("max_pool_backward", "grad_x", grad_x.shape, x.shape);
  require_cpu("max_pool_backward", x.device);
  with_elements(x, [&](const auto* in) { max_pool_gradient(e, geometry, in, grad_y.data, grad_x.data); });
}

template <class Scalar>
void avg_pool_forward(const Signal<Scalar>& x, const PoolGeometry& geometry, View<Scalar> y) {
  const Extents e = check("avg_pool_forward", x.shape, geometry, y.shape);
  require_cpu("avg_pool_forward", x.device);
  const std::ptrdiff_t c_count = e.channels;
  const Scalar part = Scalar{1} / static_cast<Scalar>(geometry.kernel * geometry.kernel);
  with_elements(x, [&](const auto* elements) {
    parallel_for(e.frames * e.out_h, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      for (std::ptrdiff_t row = first; row < last; ++row) {
        const std::ptrdiff_t f = row / e.out_h, i = row % e.out_h;
        for (std::ptrdiff_t j = 0; j < e.out_w; ++j) {
          Scalar* const out = y.data + (row * e.out_w + j) * c_count;
          std::fill(out, out + c_count, Scalar{0});
          for (int a = 0; a < geometry.kernel; ++a) {
            for (int b = 0; b < geometry.kernel; ++b) {
              const auto* const in =
                  elements + ((f * e.in_h + i * geometry.stride + a) * e.in_w + j * geometry.stride + b) * c_count;
              for (std::ptrdiff_t c = 0; c < c_count; ++c) out[c] += static_cast<Scalar>(in[c]);
            }
          }
          for (std::ptrdiff_t c = 0; c < c_count; ++c) out[c] *= part;
        }
      }
    });
  });
}

template <class Scalar>
void avg_pool_backward(const PoolGeometry& geometry, View<const Scalar> grad_y, View<Scalar> grad_x) {
  const Extents e = check("avg_pool_backward", grad_x.shape, geometry, grad_y.shape);
  require_cpu("avg_pool_backward", grad_x.device);
  const std::ptrdiff_t c_count = e.channels;
  const Scalar part = Scalar{1} / static_cast<Scalar>(geometry.kernel * geometry.kernel);
  parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t f = first; f < last; ++f) {
      Scalar* const out = grad_x.data + f * e.in_h * e.in_w * c_count;
      const Scalar* grad = grad_y.data + f * e.out_h * e.out_w * c_count;
      std::fill(out, out + e.in_h * e.in_w * c_count, Scalar{0});
      for (std::ptrdiff_t i = 0; i < e.out_h; ++i) {
        for (std::ptrdiff_t j = 0; j < e.out_w; ++j, grad += c_count) {
          for (int a = 0; a < geometry.kernel; ++a) {
            for (int b = 0; b < geometry.kernel; ++b) {
              Scalar* const place = out + ((i * geometry.stride + a) * e.in_w + j * geometry.stride + b) * c_count;
              for (std::ptrdiff_t c = 0; c < c_count; ++c) place[c] += grad[c] * part;
            }
          }
        }
      }
    }
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                              \
  template void max_pool_forward(const Signal<Scalar>&, const PoolGeometry&, View<Scalar>);                      \
  template void max_pool_backward(const Signal<Scalar>&, const PoolGeometry&, View<const Scalar>, View<Scalar>); \
  template void avg_pool_forward(const Signal<Scalar>&, const PoolGeometry&, View<Scalar>);                      \
  template void avg_pool_backward(const PoolGeometry&, View<const Scalar>, View<Scalar>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)

}  // namespace synfire::synapses
