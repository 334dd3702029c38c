#include "synapses/pool.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/simd.hpp"

namespace synfire::synapses {

namespace {

/// A batch of frames in numbers.
struct Extents {
  std::ptrdiff_t frames, in_h, in_w, out_h, out_w, channels, kernel, stride;

  std::ptrdiff_t in_size() const { return in_h * in_w * channels; }
  std::ptrdiff_t out_size() const { return out_h * out_w * channels; }
  /// The corner of the window of an output pixel, in its frame.
  std::ptrdiff_t corner(std::ptrdiff_t i, std::ptrdiff_t j) const { return (i * in_w + j) * stride * channels; }
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
  return {frame_count(x, 3), in_h, in_w, out_h, out_w, x.channels(), geometry.kernel, geometry.stride};
}

/// Calls `body(offset, number)` for the places of a window in row-major order, `offset` from its corner. `Kernel` is
/// e.kernel where that is known, else 0.
template <int Kernel, class Body>
void each_place(const Extents& e, const Body& body) {
  const std::ptrdiff_t kernel = Kernel > 0 ? Kernel : e.kernel;
  int number = 0;
  for (std::ptrdiff_t a = 0; a < kernel; ++a) {
    for (std::ptrdiff_t b = 0; b < kernel; ++b) body((a * e.in_w + b) * e.channels, number++);
  }
}

/// Calls `body(integral_constant<int, Kernel>)` for each_place: windows of 2 x 2, which networks use most, are
/// unrolled.
template <class Body>
void with_kernel(const Extents& e, const Body& body) {
  if (e.kernel == 2) {
    body(std::integral_constant<int, 2>{});
  } else {
    body(std::integral_constant<int, 0>{});
  }
}

/// Calls `body(window, out, lanes)` for pieces of the channels of every window: first whole vectors of `Lanes`, then
/// single elements. `window` and `out` count elements from the start of x and y.
template <std::ptrdiff_t Lanes, class Body>
void each_window(const Extents& extents, const Body& shared_body) {
  parallel_for(extents.frames * extents.out_h, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    // Copies that no store can reach, so that their members stay in registers.
    const Extents e = extents;
    const Body body = shared_body;
    for (std::ptrdiff_t row = first; row < last; ++row) {
      for (std::ptrdiff_t j = 0; j < e.out_w; ++j) {
        const std::ptrdiff_t window = row / e.out_h * e.in_size() + e.corner(row % e.out_h, j);
        const std::ptrdiff_t out = (row * e.out_w + j) * e.channels;
        std::ptrdiff_t c = 0;
        for (; c + Lanes <= e.channels; c += Lanes) {
          body(window + c, out + c, std::integral_constant<std::ptrdiff_t, Lanes>{});
        }
        for (; c < e.channels; ++c) body(window + c, out + c, std::integral_constant<std::ptrdiff_t, 1>{});
      }
    }
  });
}

template <int Kernel, class T>
void max_pool(const Extents& e, const T* x, T* y) {
  each_window<kLanes<T>>(e, [=](std::ptrdiff_t window, std::ptrdiff_t out, auto lanes) {
    using Values = std::conditional_t<lanes == 1, T, Pack<T>>;
    Values best;
    std::memcpy(&best, x + window, sizeof(best));
    each_place<Kernel>(e, [&](std::ptrdiff_t offset, int) {
      Values next;
      std::memcpy(&next, x + window + offset, sizeof(next));
      best = best < next ? next : best;
    });
    std::memcpy(y + out, &best, sizeof(best));
  });
}

/// One real value, or a Pack of neighbouring ones.
template <class Values, class Scalar, class T>
Values real_values(const T* x) {
  if constexpr (std::is_arithmetic_v<Values>) {
    return static_cast<Values>(*x);
  } else {
    return load<Scalar>(x);
  }
}

/// Windows that neither overlap nor leave gaps: every element of a window is written once, the rest of the frame is
/// zeroed.
template <int Kernel, class Scalar, class T>
void max_pool_gradient_tiled(const Extents& e, const T* x, const Scalar* grad_y, Scalar* grad_x) {
  each_window<kLanes<Scalar>>(e, [=](std::ptrdiff_t window, std::ptrdiff_t out, auto lanes) {
    using Values = std::conditional_t<lanes == 1, Scalar, Pack<Scalar>>;
    const Values gradient = real_values<Values, Scalar>(grad_y + out);
    Values best = real_values<Values, Scalar>(x + window);
    Values winner{};
    each_place<Kernel>(e, [&](std::ptrdiff_t offset, int number) {
      const Values next = real_values<Values, Scalar>(x + window + offset);
      const auto better = next > best;
      best = better ? next : best;
      winner = better ? static_cast<Scalar>(number) - Values{} : winner;
    });
    each_place<Kernel>(e, [=](std::ptrdiff_t offset, int number) {
      const Values part = winner == static_cast<Scalar>(number) - Values{} ? gradient : Values{};
      std::memcpy(grad_x + window + offset, &part, sizeof(part));
    });
  });
  const std::ptrdiff_t row_size = e.in_w * e.channels;
  parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t f = first; f < last; ++f) {
      Scalar* const frame = grad_x + f * e.in_size();
      const std::ptrdiff_t covered = e.out_w * e.stride * e.channels;
      for (std::ptrdiff_t row = 0; row < e.out_h * e.stride && covered < row_size; ++row) {
        std::fill(frame + row * row_size + covered, frame + (row + 1) * row_size, Scalar{0});
      }
      std::fill(frame + e.out_h * e.stride * row_size, frame + e.in_size(), Scalar{0});
    }
  });
}

/// Any windows. A frame is a task: windows of one frame may overlap, windows of two do not.
template <class Scalar, class T>
void max_pool_gradient(const Extents& e, const T* x, const Scalar* grad_y, Scalar* grad_x) {
  parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t f = first; f < last; ++f) {
      const T* const in = x + f * e.in_size();
      Scalar* const out = grad_x + f * e.in_size();
      const Scalar* grad = grad_y + f * e.out_size();
      std::fill(out, out + e.in_size(), Scalar{0});
      for (std::ptrdiff_t pixel = 0; pixel < e.out_h * e.out_w; ++pixel, grad += e.channels) {
        const std::ptrdiff_t corner = e.corner(pixel / e.out_w, pixel % e.out_w);
        for (std::ptrdiff_t c = 0; c < e.channels; ++c) {
          std::ptrdiff_t best = corner + c;
          each_place<0>(e, [&](std::ptrdiff_t offset, int) {
            if (in[corner + c + offset] > in[best]) best = corner + c + offset;
          });
          out[best] += grad[c];
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
  with_kernel(e, [&](auto kernel) { max_pool<kernel>(e, x.real, y.data); });
}

void max_pool_forward_spikes(View<const std::uint8_t> x, const PoolGeometry& geometry, View<std::uint8_t> y) {
  const Extents e = check("max_pool_forward_spikes", x.shape, geometry, y.shape);
  require_cpu("max_pool_forward_spikes", x.device);
  with_kernel(e, [&](auto kernel) { max_pool<kernel>(e, x.data, y.data); });
}

template <class Scalar>
void max_pool_backward(const Signal<Scalar>& x, const PoolGeometry& geometry, View<const Scalar> grad_y,
                       View<Scalar> grad_x) {
  const Extents e = check("max_pool_backward", x.shape, geometry, grad_y.shape);
  require_shape("max_pool_backward", "grad_x", grad_x.shape, x.shape);
  require_cpu("max_pool_backward", x.device);
  with_elements(x, [&](const auto* elements) {
    if (e.kernel == e.stride) {
      with_kernel(e, [&](auto kernel) { max_pool_gradient_tiled<kernel>(e, elements, grad_y.data, grad_x.data); });
    } else {
      max_pool_gradient(e, elements, grad_y.data, grad_x.data);
    }
  });
}

template <class Scalar>
void avg_pool_forward(const Signal<Scalar>& x, const PoolGeometry& geometry, View<Scalar> y) {
  const Extents e = check("avg_pool_forward", x.shape, geometry, y.shape);
  require_cpu("avg_pool_forward", x.device);
  const Scalar part = Scalar{1} / static_cast<Scalar>(e.kernel * e.kernel);
  with_elements(x, [&](const auto* elements) {
    each_window<kLanes<Scalar>>(e, [=](std::ptrdiff_t window, std::ptrdiff_t out, auto lanes) {
      using Values = std::conditional_t<lanes == 1, Scalar, Pack<Scalar>>;
      Values sum{};
      each_place<0>(
          e, [&](std::ptrdiff_t offset, int) { sum += real_values<Values, Scalar>(elements + window + offset); });
      sum *= part;
      std::memcpy(y.data + out, &sum, sizeof(sum));
    });
  });
}

template <class Scalar>
void avg_pool_backward(const PoolGeometry& geometry, View<const Scalar> grad_y, View<Scalar> grad_x) {
  const Extents e = check("avg_pool_backward", grad_x.shape, geometry, grad_y.shape);
  require_cpu("avg_pool_backward", grad_x.device);
  const Scalar part = Scalar{1} / static_cast<Scalar>(e.kernel * e.kernel);
  parallel_for(e.frames, 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t f = first; f < last; ++f) {
      Scalar* const out = grad_x.data + f * e.in_size();
      const Scalar* grad = grad_y.data + f * e.out_size();
      std::fill(out, out + e.in_size(), Scalar{0});
      for (std::ptrdiff_t pixel = 0; pixel < e.out_h * e.out_w; ++pixel, grad += e.channels) {
        Scalar* const corner = out + e.corner(pixel / e.out_w, pixel % e.out_w);
        each_place<0>(e, [&](std::ptrdiff_t offset, int) {
          for (std::ptrdiff_t c = 0; c < e.channels; ++c) corner[offset + c] += grad[c] * part;
        });
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
