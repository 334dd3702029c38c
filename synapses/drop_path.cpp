#include "synapses/drop_path.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

template <class Scalar>
void check(const char* operation, const Shape& x, double p, const View<Scalar>& y) {
  require_rank(operation, "x", x, 2);
  require_shape(operation, "the output", y.shape, x);
  require_cpu(operation, y.device);
  if (!(p >= 0.0 && p < 1.0)) {
    throw ShapeError(fmt::format("[{}] p must be at least 0 and less than 1, got {}", operation, p));
  }
}

/// in may be out.
template <class Scalar, class In>
void apply_mask(const Shape& shape, const In* in, double p, const RandomStream& random, Scalar* out) {
  const std::ptrdiff_t batch = shape[1], size = shape.size_from(2);
  const auto kept = static_cast<Scalar>(1.0 / (1.0 - p));
  parallel_for(shape[0] * batch, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t k = begin; k < end; ++k) {
      const Scalar factor = random.uniform(static_cast<std::uint64_t>(k % batch)) < p ? Scalar{0} : kept;
      for (std::ptrdiff_t i = k * size; i < (k + 1) * size; ++i) out[i] = static_cast<Scalar>(in[i]) * factor;
    }
  });
}

}  // namespace

template <class Scalar>
void drop_path_forward(const Signal<Scalar>& x, double p, const RandomStream& random, View<Scalar> y) {
  check("drop_path_forward", x.shape, p, y);
  with_elements(x, [&](const auto* elements) { apply_mask(x.shape, elements, p, random, y.data); });
}

template <class Scalar>
void drop_path_backward(View<const Scalar> grad_y, double p, const RandomStream& random, View<Scalar> grad_x) {
  check("drop_path_backward", grad_y.shape, p, grad_x);
  apply_mask(grad_y.shape, grad_y.data, p, random, grad_x.data);
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                  \
  template void drop_path_forward(const Signal<Scalar>&, double, const RandomStream&, View<Scalar>); \
  template void drop_path_backward(View<const Scalar>, double, const RandomStream&, View<Scalar>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
