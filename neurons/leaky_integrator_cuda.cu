#include "core/cuda/check.cuh"
#include "neurons/lif_backend.hpp"

namespace synfire::neurons::cuda {

namespace {

using synfire::cuda::check;

constexpr int kBlockSize = 128;

// One thread per neuron; `first` and `stride` walk its ticks in order or in reverse. out may be in.
template <class Scalar>
__global__ void integrate_kernel(const Scalar* in, Scalar* out, std::ptrdiff_t num_ticks, std::ptrdiff_t num_neurons,
                                 std::ptrdiff_t first, std::ptrdiff_t stride, Scalar decay, Scalar gain_in,
                                 Scalar gain_out) {
  const std::ptrdiff_t n = static_cast<std::ptrdiff_t>(blockIdx.x) * kBlockSize + threadIdx.x;
  if (n >= num_neurons) return;
  Scalar state = Scalar(0);
  for (std::ptrdiff_t i = 0; i < num_ticks; ++i) {
    const std::ptrdiff_t at = first + i * stride + n;
    state = std::fma(gain_in, in[at], decay * state);
    out[at] = gain_out * state;
  }
}

unsigned blocks_for(std::ptrdiff_t num_neurons) {
  return static_cast<unsigned>((num_neurons + kBlockSize - 1) / kBlockSize);
}

}  // namespace

template <class Scalar>
void leaky_integrator_forward(View<const Scalar> x, Scalar decay, Scalar gain, View<Scalar> v) {
  const std::ptrdiff_t num_neurons = x.shape.size_from(1);
  integrate_kernel<<<blocks_for(num_neurons), kBlockSize>>>(x.data, v.data, x.shape[0], num_neurons, std::ptrdiff_t{0},
                                                            num_neurons, decay, gain, Scalar(1));
  check(cudaGetLastError(), "leaky_integrator_forward");
}

template <class Scalar>
void leaky_integrator_backward(View<const Scalar> grad_v, Scalar decay, Scalar gain, View<Scalar> grad_x) {
  const std::ptrdiff_t num_neurons = grad_v.shape.size_from(1);
  integrate_kernel<<<blocks_for(num_neurons), kBlockSize>>>(grad_v.data, grad_x.data, grad_v.shape[0], num_neurons,
                                                            (grad_v.shape[0] - 1) * num_neurons, -num_neurons, decay,
                                                            Scalar(1), gain);
  check(cudaGetLastError(), "leaky_integrator_backward");
}

template void leaky_integrator_forward(View<const float>, float, float, View<float>);
template void leaky_integrator_forward(View<const double>, double, double, View<double>);
template void leaky_integrator_backward(View<const float>, float, float, View<float>);
template void leaky_integrator_backward(View<const double>, double, double, View<double>);

}  // namespace synfire::neurons::cuda
