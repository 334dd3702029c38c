#include "core/error.hpp"
#include "neurons/lif_backend.hpp"

namespace synfire::neurons::cuda {

namespace {

[[noreturn]] void no_backend(const char* operation) {
  throw BackendError("[" + std::string(operation) +
                     "] this build has no CUDA backend; configure with -DSYNFIRE_ENABLE_CUDA=ON");
}

}  // namespace

template <class Scalar, class Spike>
void lif_forward(View<const Scalar>, const ChannelAffine<Scalar>&, const LifParams&, View<Spike>) {
  no_backend("lif_forward");
}

template <class Scalar, class Spike>
void lif_backward(View<const Scalar>, const ChannelAffine<Scalar>&, const LifParams&, View<const Scalar>, View<Scalar>,
                  const ChannelAffineGrad<Scalar>&, View<double>, std::span<std::byte>) {
  no_backend("lif_backward");
}

template <class Scalar>
void leaky_integrator_forward(View<const Scalar>, Scalar, Scalar, View<Scalar>) {
  no_backend("leaky_integrator_forward");
}

template <class Scalar>
void leaky_integrator_backward(View<const Scalar>, Scalar, Scalar, View<Scalar>) {
  no_backend("leaky_integrator_backward");
}

template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<std::uint8_t>);
template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<float>);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<std::uint8_t>);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<double>);
template void lif_backward<float, std::uint8_t>(View<const float>, const ChannelAffine<float>&, const LifParams&,
                                                View<const float>, View<float>, const ChannelAffineGrad<float>&,
                                                View<double>, std::span<std::byte>);
template void lif_backward<float, float>(View<const float>, const ChannelAffine<float>&, const LifParams&,
                                         View<const float>, View<float>, const ChannelAffineGrad<float>&, View<double>,
                                         std::span<std::byte>);
template void lif_backward<double, std::uint8_t>(View<const double>, const ChannelAffine<double>&, const LifParams&,
                                                 View<const double>, View<double>, const ChannelAffineGrad<double>&,
                                                 View<double>, std::span<std::byte>);
template void lif_backward<double, double>(View<const double>, const ChannelAffine<double>&, const LifParams&,
                                           View<const double>, View<double>, const ChannelAffineGrad<double>&,
                                           View<double>, std::span<std::byte>);
template void leaky_integrator_forward(View<const float>, float, float, View<float>);
template void leaky_integrator_forward(View<const double>, double, double, View<double>);
template void leaky_integrator_backward(View<const float>, float, float, View<float>);
template void leaky_integrator_backward(View<const double>, double, double, View<double>);

}  // namespace synfire::neurons::cuda
