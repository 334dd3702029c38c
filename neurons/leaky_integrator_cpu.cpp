#include <algorithm>
#include <cmath>

#include "core/parallel.hpp"
#include "neurons/lif_backend.hpp"

namespace synfire::neurons::cpu {

namespace {

constexpr std::ptrdiff_t kTile = 256;

/// state = fma(a, in, decay state) over the ticks in order or in reverse, each state handed to `write(state)`. The
/// state has memory of its own, so that the input may be the output.
template <class Scalar, class Write>
void integrate(View<const Scalar> in, Scalar decay, Scalar a, bool reverse, Scalar* out, Write write) {
  const std::ptrdiff_t num_ticks = in.shape[0];
  const std::ptrdiff_t num_neurons = in.shape.size_from(1);
  parallel_for((num_neurons + kTile - 1) / kTile, 4, [&](std::ptrdiff_t first_tile, std::ptrdiff_t last_tile) {
    alignas(64) Scalar state[kTile];
    for (std::ptrdiff_t tile = first_tile; tile < last_tile; ++tile) {
      const std::ptrdiff_t first = tile * kTile;
      const std::ptrdiff_t count = std::min(kTile, num_neurons - first);
      std::fill_n(state, count, Scalar(0));
      for (std::ptrdiff_t i = 0; i < num_ticks; ++i) {
        const std::ptrdiff_t at = (reverse ? num_ticks - 1 - i : i) * num_neurons + first;
        for (std::ptrdiff_t j = 0; j < count; ++j) state[j] = std::fma(a, in.data[at + j], decay * state[j]);
        for (std::ptrdiff_t j = 0; j < count; ++j) out[at + j] = write(state[j]);
      }
    }
  });
}

}  // namespace

template <class Scalar>
void leaky_integrator_forward(View<const Scalar> x, Scalar decay, Scalar gain, View<Scalar> v) {
  integrate(x, decay, gain, false, v.data, [](Scalar state) { return state; });
}

template <class Scalar>
void leaky_integrator_backward(View<const Scalar> grad_v, Scalar decay, Scalar gain, View<Scalar> grad_x) {
  integrate(grad_v, decay, Scalar(1), true, grad_x.data, [gain](Scalar state) { return gain * state; });
}

template void leaky_integrator_forward(View<const float>, float, float, View<float>);
template void leaky_integrator_forward(View<const double>, double, double, View<double>);
template void leaky_integrator_backward(View<const float>, float, float, View<float>);
template void leaky_integrator_backward(View<const double>, double, double, View<double>);

}  // namespace synfire::neurons::cpu
