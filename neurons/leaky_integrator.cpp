#include "neurons/leaky_integrator.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "neurons/lif_backend.hpp"

namespace synfire::neurons {

namespace {

template <class From, class To>
void check_pair(const char* operation, const char* from_name, const View<From>& from, const char* to_name,
                const View<To>& to) {
  if (from.shape.rank() < 2) {
    throw ShapeError(fmt::format("[{}] {} must be [T, ..., C], got {}", operation, from_name, from.shape.text()));
  }
  if (from.shape != to.shape) {
    throw ShapeError(fmt::format("[{}] {} and {} must have equal shapes, got {} and {}", operation, from_name, to_name,
                                 from.shape.text(), to.shape.text()));
  }
  if (from.shape.size() > 0 && (from.data == nullptr || to.data == nullptr)) {
    throw ShapeError(
        fmt::format("[{}] {} or {} of shape {} has no memory", operation, from_name, to_name, from.shape.text()));
  }
  if (from.device != to.device) {
    throw ShapeError(fmt::format("[{}] {} and {} must be on one device", operation, from_name, to_name));
  }
}

}  // namespace

template <class Scalar>
void leaky_integrator_forward(View<const Scalar> x, double decay, double gain, View<Scalar> v) {
  check_pair("leaky_integrator_forward", "x", x, "v", v);
  if (x.empty()) return;
  const auto run =
      x.device == Device::cuda ? &cuda::leaky_integrator_forward<Scalar> : &cpu::leaky_integrator_forward<Scalar>;
  run(x, static_cast<Scalar>(decay), static_cast<Scalar>(gain), v);
}

template <class Scalar>
void leaky_integrator_backward(View<const Scalar> grad_v, double decay, double gain, View<Scalar> grad_x) {
  check_pair("leaky_integrator_backward", "grad_v", grad_v, "grad_x", grad_x);
  if (grad_v.empty()) return;
  const auto run = grad_v.device == Device::cuda ? &cuda::leaky_integrator_backward<Scalar>
                                                 : &cpu::leaky_integrator_backward<Scalar>;
  run(grad_v, static_cast<Scalar>(decay), static_cast<Scalar>(gain), grad_x);
}

template void leaky_integrator_forward(View<const float>, double, double, View<float>);
template void leaky_integrator_forward(View<const double>, double, double, View<double>);
template void leaky_integrator_backward(View<const float>, double, double, View<float>);
template void leaky_integrator_backward(View<const double>, double, double, View<double>);

}  // namespace synfire::neurons
