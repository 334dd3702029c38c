#include "synapses/depthwise_conv2d.hpp"

#include <algorithm>
#include <array>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/scratch.hpp"
#include "synapses/simd.hpp"

namespace synfire::synapses {

namespace {

/// Partial sums of the weights' gradients; more than the cores of a machine.
constexpr int kChunks = 32;

struct Extents {
  std::ptrdiff_t frames, height, width, channels;

  std::ptrdiff_t row() const { return width * channels; }
  std::ptrdiff_t frame() const { return height * row(); }
};

template <class Scalar>
Extents check(const char* operation, const Signal<Scalar>& x, const View<const Scalar>& w, const Shape& y) {
  require_rank(operation, "x", x.shape, 3);
  require_cpu(operation, x.device);
  require_shape(operation, "the output", y, x.shape);
  const std::ptrdiff_t channels = x.shape.channels();
  const bool fits = w.shape.rank() == 4 && w.shape[0] == channels && w.shape[1] == 1 && w.shape[2] == w.shape[3] &&
                    w.shape[2] % 2 == 1 && w.shape[2] <= 7;
  if (!fits) {
    throw ShapeError(fmt::format("[{}] w must have shape [{}, 1, K, K] with K = 1, 3, 5 or 7, got {}", operation,
                                 channels, w.shape.text()));
  }
  const int axis = x.shape.rank() - 3;
  return {frame_count(x.shape, 3), x.shape[axis], x.shape[axis + 1], channels};
}

/// Calls `body(integral_constant<int, K>{})`.
template <class Body>
void with_kernel(std::ptrdiff_t kernel, const Body& body) {
  switch (kernel) {
    case 1:
      return body(std::integral_constant<int, 1>{});
    case 3:
      return body(std::integral_constant<int, 3>{});
    case 5:
      return body(std::integral_constant<int, 5>{});
    default:
      return body(std::integral_constant<int, 7>{});
  }
}

/// [tap][C] from [C][tap], the taps in reverse order if `flipped`.
template <class Scalar>
void arrange(const Scalar* w, std::ptrdiff_t taps, std::ptrdiff_t channels, bool flipped, Scalar* arranged) {
  for (std::ptrdiff_t t = 0; t < taps; ++t) {
    const std::ptrdiff_t from = flipped ? taps - 1 - t : t;
    for (std::ptrdiff_t c = 0; c < channels; ++c) arranged[t * channels + c] = w[c * taps + from];
  }
}

/// \param zeros  [C], what lies outside the image
template <int K, class Scalar, class T>
void filter(const Extents& e, const T* x, const T* zeros, const Scalar* w, const Scalar* bias, Scalar* y) {
  constexpr int kTaps = K * K;
  const std::ptrdiff_t channels = e.channels, whole = channels / kLanes<Scalar> * kLanes<Scalar>;
  parallel_for(e.frames * e.height, 4, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    std::array<const T*, kTaps> source;
    for (std::ptrdiff_t k = begin; k < end; ++k) {
      const std::ptrdiff_t i = k % e.height;
      const T* const frame = x + k / e.height * e.frame();
      for (std::ptrdiff_t j = 0; j < e.width; ++j) {
        for (int t = 0; t < kTaps; ++t) {
          const std::ptrdiff_t row = i + t / K - K / 2, column = j + t % K - K / 2;
          const bool inside = row >= 0 && row < e.height && column >= 0 && column < e.width;
          source[static_cast<std::size_t>(t)] = inside ? frame + row * e.row() + column * channels : zeros;
        }
        Scalar* const out = y + k * e.row() + j * channels;
        for (std::ptrdiff_t c = 0; c < whole; c += kLanes<Scalar>) {
          Pack<Scalar> sum = load(bias + c);
          unroll<kTaps>(
              [&](auto t) { sum = multiply_add(load<Scalar>(source[t] + c), load(w + t * channels + c), sum); });
          store(sum, out + c);
        }
        for (std::ptrdiff_t c = whole; c < channels; ++c) {
          Scalar sum = bias[c];
          for (int t = 0; t < kTaps; ++t) {
            sum += static_cast<Scalar>(source[static_cast<std::size_t>(t)][c]) * w[t * channels + c];
          }
          out[c] = sum;
        }
      }
    }
  });
}

/// Adds to sums[tap][C] and, in row `taps`, to the sum of the gradients themselves, what one row of pixels gives.
/// \param rows  of x, K of them: those that the row of the output sees
template <int K, class Scalar, class T>
void add_row(const Extents& e, const std::array<const T*, K>& rows, const Scalar* grad_y, double* sums) {
  constexpr int kTaps = K * K;
  const std::ptrdiff_t channels = e.channels, whole = channels / kLanes<Scalar> * kLanes<Scalar>;
  const auto inside = [&](std::ptrdiff_t column) { return column >= 0 && column < e.width; };
  for (std::ptrdiff_t c = 0; c < whole; c += kLanes<Scalar>) {
    Pack<Scalar> sum[kTaps + 1] = {};
    for (std::ptrdiff_t j = 0; j < e.width; ++j) {
      const Pack<Scalar> gradient = load(grad_y + j * channels + c);
      sum[kTaps] += gradient;
      unroll<K>([&](auto b) {
        const std::ptrdiff_t column = j + b - K / 2;
        if (!inside(column)) return;
        unroll<K>([&](auto a) {
          sum[a * K + b] = multiply_add(load<Scalar>(rows[a] + column * channels + c), gradient, sum[a * K + b]);
        });
      });
    }
    for (int t = 0; t <= kTaps; ++t) {
      for (std::ptrdiff_t k = 0; k < kLanes<Scalar>; ++k) {
        sums[t * channels + c + k] += static_cast<double>(sum[t][k]);
      }
    }
  }
  for (std::ptrdiff_t c = whole; c < channels; ++c) {
    for (std::ptrdiff_t j = 0; j < e.width; ++j) {
      const auto gradient = static_cast<double>(grad_y[j * channels + c]);
      sums[kTaps * channels + c] += gradient;
      for (int t = 0; t < kTaps; ++t) {
        const std::ptrdiff_t column = j + t % K - K / 2;
        if (!inside(column)) continue;
        const T value = rows[static_cast<std::size_t>(t / K)][column * channels + c];
        sums[t * channels + c] += static_cast<double>(value) * gradient;
      }
    }
  }
}

/// \param zeros     [W, C]
/// \param partials  [kChunks, taps + 1, C]
template <int K, class Scalar, class T>
void weight_gradient(const Extents& e, const T* x, const T* zeros, const Scalar* grad_y, double* partials,
                     Scalar* grad_w, Scalar* grad_bias) {
  constexpr std::ptrdiff_t kTaps = K * K;
  const std::ptrdiff_t size = (kTaps + 1) * e.channels;
  std::fill(partials, partials + kChunks * size, 0.0);
  parallel_chunks(e.frames * e.height, kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t k = begin; k < end; ++k) {
      std::array<const T*, K> rows;
      for (std::ptrdiff_t a = 0; a < K; ++a) {
        const std::ptrdiff_t row = k % e.height + a - K / 2;
        const bool inside = row >= 0 && row < e.height;
        rows[static_cast<std::size_t>(a)] = inside ? x + k / e.height * e.frame() + row * e.row() : zeros;
      }
      add_row<K>(e, rows, grad_y + k * e.row(), partials + chunk * size);
    }
  });
  for (std::ptrdiff_t n = 0; n < size; ++n) {
    for (int chunk = 1; chunk < kChunks; ++chunk) partials[n] += partials[chunk * size + n];
    const std::ptrdiff_t t = n / e.channels, c = n % e.channels;
    if (t < kTaps) {
      grad_w[c * kTaps + t] = static_cast<Scalar>(partials[n]);
    } else if (grad_bias != nullptr) {
      grad_bias[c] = static_cast<Scalar>(partials[n]);
    }
  }
}

/// What either pass takes of its scratch.
template <class Scalar>
struct Workspace {
  Workspace(const Extents& e, std::ptrdiff_t taps, std::span<std::byte> scratch) {
    ScratchCursor cursor(scratch);
    weights = cursor.take<Scalar>(taps * e.channels);
    bias = cursor.take<Scalar>(e.channels);
    zeros = cursor.take<Scalar>(e.row());
    partials = cursor.take<double>(kChunks * (taps + 1) * e.channels);
    std::fill(zeros, zeros + e.row(), Scalar{0});
  }
  /// Zero bytes are also spikes that are not there.
  template <class T>
  const T* zeros_of() const {
    return reinterpret_cast<const T*>(zeros);
  }

  Scalar *weights, *bias, *zeros;
  double* partials;
};

}  // namespace

template <class Scalar>
std::size_t depthwise_conv2d_scratch_bytes(const Shape& image, int kernel) {
  const std::ptrdiff_t taps = std::ptrdiff_t{kernel} * kernel, channels = image.channels();
  return scratch_bytes<Scalar>(taps * channels) + scratch_bytes<Scalar>(channels) +
         scratch_bytes<Scalar>(image[1] * channels) + scratch_bytes<double>(kChunks * (taps + 1) * channels) +
         kCacheLine;
}

template <class Scalar>
void depthwise_conv2d_forward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> bias, View<Scalar> y,
                              std::span<std::byte> scratch) {
  const char* const operation = "depthwise_conv2d_forward";
  const Extents e = check(operation, x, w, y.shape);
  if (!bias.empty()) require_per_channel(operation, "bias", bias, e.channels);
  const int kernel = static_cast<int>(w.shape[2]);
  require_scratch(operation, scratch,
                  depthwise_conv2d_scratch_bytes<Scalar>(Shape{e.height, e.width, e.channels}, kernel));
  const std::ptrdiff_t taps = w.shape[2] * w.shape[3];
  const Workspace<Scalar> space(e, taps, scratch);
  arrange(w.data, taps, e.channels, false, space.weights);
  for (std::ptrdiff_t c = 0; c < e.channels; ++c) space.bias[c] = bias.empty() ? Scalar{0} : bias[c];
  with_kernel(kernel, [&](auto k) {
    with_elements(x, [&]<class T>(const T* elements) {
      filter<k>(e, elements, space.template zeros_of<T>(), space.weights, space.bias, y.data);
    });
  });
}

template <class Scalar>
void depthwise_conv2d_backward(const Signal<Scalar>& x, View<const Scalar> w, View<const Scalar> grad_y,
                               View<Scalar> grad_w, View<Scalar> grad_bias, View<Scalar> grad_x,
                               std::span<std::byte> scratch) {
  const char* const operation = "depthwise_conv2d_backward";
  const Extents e = check(operation, x, w, grad_y.shape);
  require_shape(operation, "grad_w", grad_w.shape, w.shape);
  if (!grad_bias.empty()) require_per_channel(operation, "grad_bias", grad_bias, e.channels);
  if (!grad_x.empty()) require_shape(operation, "grad_x", grad_x.shape, x.shape);
  const int kernel = static_cast<int>(w.shape[2]);
  require_scratch(operation, scratch,
                  depthwise_conv2d_scratch_bytes<Scalar>(Shape{e.height, e.width, e.channels}, kernel));
  const std::ptrdiff_t taps = w.shape[2] * w.shape[3];
  const Workspace<Scalar> space(e, taps, scratch);
  with_kernel(kernel, [&](auto k) {
    with_elements(x, [&]<class T>(const T* elements) {
      weight_gradient<k>(e, elements, space.template zeros_of<T>(), grad_y.data, space.partials, grad_w.data,
                         grad_bias.data);
    });
    if (grad_x.empty()) return;
    arrange(w.data, taps, e.channels, true, space.weights);
    std::fill(space.bias, space.bias + e.channels, Scalar{0});
    filter<k>(e, grad_y.data, space.zeros, space.weights, space.bias, grad_x.data);
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                    \
  template std::size_t depthwise_conv2d_scratch_bytes<Scalar>(const Shape&, int);                                      \
  template void depthwise_conv2d_forward(const Signal<Scalar>&, View<const Scalar>, View<const Scalar>, View<Scalar>,  \
                                         std::span<std::byte>);                                                        \
  template void depthwise_conv2d_backward(const Signal<Scalar>&, View<const Scalar>, View<const Scalar>, View<Scalar>, \
                                          View<Scalar>, View<Scalar>, std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
