#include "synapses/multiply.hpp"

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

/// Elements that a task takes at least.
constexpr std::ptrdiff_t kTaskElements = 1 << 14;

template <class Body>
void each(const Shape& shape, const Body& body) {
  parallel_for(shape.size(), kTaskElements, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) body(i);
  });
}

}  // namespace

template <class Scalar>
void multiply_forward(const Signal<Scalar>& a, const Signal<Scalar>& b, View<Scalar> y) {
  require_cpu("multiply_forward", y.device);
  require_shape("multiply_forward", "a", a.shape, y.shape);
  require_shape("multiply_forward", "b", b.shape, y.shape);
  with_elements(a, [&](const auto* left) {
    with_elements(b, [&](const auto* right) {
      each(y.shape,
           [&](std::ptrdiff_t i) { y.data[i] = static_cast<Scalar>(left[i]) * static_cast<Scalar>(right[i]); });
    });
  });
}

void multiply_spikes(View<const std::uint8_t> a, View<const std::uint8_t> b, View<std::uint8_t> y) {
  require_cpu("multiply_spikes", y.device);
  require_shape("multiply_spikes", "a", a.shape, y.shape);
  require_shape("multiply_spikes", "b", b.shape, y.shape);
  each(y.shape, [&](std::ptrdiff_t i) { y.data[i] = static_cast<std::uint8_t>(a.data[i] & b.data[i]); });
}

template <class Scalar>
void multiply_backward(const Signal<Scalar>& a, const Signal<Scalar>& b, View<const Scalar> grad_y, View<Scalar> grad_a,
                       View<Scalar> grad_b) {
  const char* const operation = "multiply_backward";
  require_cpu(operation, grad_y.device);
  require_shape(operation, "a", a.shape, grad_y.shape);
  require_shape(operation, "b", b.shape, grad_y.shape);
  if (!grad_a.empty()) require_shape(operation, "grad_a", grad_a.shape, grad_y.shape);
  if (!grad_b.empty()) require_shape(operation, "grad_b", grad_b.shape, grad_y.shape);
  // dL/db first: dL/da may lie over dL/dy.
  if (!grad_b.empty()) {
    with_elements(a, [&](const auto* left) {
      each(grad_y.shape, [&](std::ptrdiff_t i) { grad_b.data[i] = grad_y.data[i] * static_cast<Scalar>(left[i]); });
    });
  }
  if (!grad_a.empty()) {
    with_elements(b, [&](const auto* right) {
      each(grad_y.shape, [&](std::ptrdiff_t i) { grad_a.data[i] = grad_y.data[i] * static_cast<Scalar>(right[i]); });
    });
  }
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                               \
  template void multiply_forward(const Signal<Scalar>&, const Signal<Scalar>&, View<Scalar>);                     \
  template void multiply_backward(const Signal<Scalar>&, const Signal<Scalar>&, View<const Scalar>, View<Scalar>, \
                                  View<Scalar>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
