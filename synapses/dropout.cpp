#include "synapses/dropout.hpp"

#include <algorithm>
#include <array>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

/// Elements of the mask that are drawn together.
constexpr std::ptrdiff_t kMaskElements = 1 << 10;

void check(const char* operation, const Shape& x, Device x_device, const Shape& y, Device y_device, double p) {
  require_rank(operation, "x", x, 2);
  require_shape(operation, "the output", y, x);
  require_cpu(operation, x_device);
  require_cpu(operation, y_device);
  if (!(p >= 0.0 && p < 1.0)) {
    throw ShapeError(fmt::format("[{}] p must be at least 0 and less than 1, got {}", operation, p));
  }
}

/// out[t][i] = in[t][i] mask[i]; the mask is drawn once and used for all ticks. in may be out.
template <class Scalar, class In>
void apply_mask(const Shape& shape, const In* in, double p, const RandomStream& random, Scalar* out) {
  const std::ptrdiff_t ticks = shape[0];
  const std::ptrdiff_t per_tick = shape.size_from(1);
  const Scalar kept = static_cast<Scalar>(1.0 / (1.0 - p));
  parallel_for(per_tick, kMaskElements, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    std::array<Scalar, kMaskElements> mask;
    for (std::ptrdiff_t first = begin; first < end; first += kMaskElements) {
      const std::ptrdiff_t count = std::min(kMaskElements, end - first);
      for (std::ptrdiff_t i = 0; i < count; ++i) {
        mask[static_cast<std::size_t>(i)] =
            random.uniform(static_cast<std::uint64_t>(first + i)) < p ? Scalar{0} : kept;
      }
      for (std::ptrdiff_t t = 0; t < ticks; ++t) {
        const In* const from = in + t * per_tick + first;
        Scalar* const to = out + t * per_tick + first;
        for (std::ptrdiff_t i = 0; i < count; ++i) {
          to[i] = static_cast<Scalar>(from[i]) * mask[static_cast<std::size_t>(i)];
        }
      }
    }
  });
}

}  // namespace

template <class Scalar>
void dropout_forward(const Signal<Scalar>& x, double p, const RandomStream& random, View<Scalar> y) {
  check("dropout_forward", x.shape, x.device, y.shape, y.device, p);
  with_elements(x, [&](const auto* elements) { apply_mask(x.shape, elements, p, random, y.data); });
}

template <class Scalar>
void dropout_backward(View<const Scalar> grad_y, double p, const RandomStream& random, View<Scalar> grad_x) {
  check("dropout_backward", grad_y.shape, grad_y.device, grad_x.shape, grad_x.device, p);
  apply_mask(grad_y.shape, grad_y.data, p, random, grad_x.data);
}

template void dropout_forward(const Signal<float>&, double, const RandomStream&, View<float>);
template void dropout_forward(const Signal<double>&, double, const RandomStream&, View<double>);
template void dropout_backward(View<const float>, double, const RandomStream&, View<float>);
template void dropout_backward(View<const double>, double, const RandomStream&, View<double>);

}  // namespace synfire::synapses
