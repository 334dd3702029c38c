#include "synapses/mixers/gates.hpp"

#include <cmath>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

constexpr double kGateTemperature = 16.0, kKeyEps = 1e-6;
/// Elements that a task takes at least.
constexpr std::ptrdiff_t kTaskElements = 1 << 12;

template <class Scalar>
Scalar element(const Signal<Scalar>& x, std::ptrdiff_t i) {
  return x.is_spikes() ? static_cast<Scalar>(x.spikes[i]) : x.real[i];
}

/// 1 / |x|, the length of a head's key.
template <class Scalar>
Scalar inverse_length(const Signal<Scalar>& x, std::ptrdiff_t from, std::ptrdiff_t d) {
  Scalar sum(0);
  for (std::ptrdiff_t r = 0; r < d; ++r) sum += element(x, from + r) * element(x, from + r);
  return Scalar(1) / std::sqrt(sum + static_cast<Scalar>(kKeyEps));
}

}  // namespace

template <class Scalar>
void mixer_gate_forward(MixerKind kind, const Signal<Scalar>& x, View<Scalar> gate) {
  require_shape("mixer_gate_forward", "gate", gate.shape, x.shape);
  require_cpu("mixer_gate_forward", x.device);
  parallel_for(gate.size(), kTaskElements, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      const Scalar value = element(x, i), small = std::exp(-std::abs(value));
      if (kind == MixerKind::delta) {
        gate[i] = (value >= Scalar(0) ? Scalar(1) : small) / (Scalar(1) + small);
      } else {
        gate[i] = (std::min(value, Scalar(0)) - std::log1p(small)) / static_cast<Scalar>(kGateTemperature);
      }
    }
  });
}

template <class Scalar>
void mixer_gate_backward(MixerKind kind, View<const Scalar> gate, View<Scalar> grad) {
  require_shape("mixer_gate_backward", "grad", grad.shape, gate.shape);
  constexpr auto kTemperature = static_cast<Scalar>(kGateTemperature);
  parallel_for(gate.size(), kTaskElements, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      grad[i] *= kind == MixerKind::delta ? gate[i] * (Scalar(1) - gate[i])
                                          : -std::expm1(kTemperature * gate[i]) / kTemperature;
    }
  });
}

template <class Scalar>
void unit_keys_forward(const Signal<Scalar>& x, int heads, View<Scalar> k) {
  require_shape("unit_keys_forward", "k", k.shape, x.shape);
  require_cpu("unit_keys_forward", x.device);
  const std::ptrdiff_t d = x.shape.channels() / heads;
  parallel_for(x.shape.size() / d, kTaskElements / d + 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t from = begin * d; from < end * d; from += d) {
      const Scalar factor = inverse_length(x, from, d);
      for (std::ptrdiff_t r = 0; r < d; ++r) k[from + r] = factor * element(x, from + r);
    }
  });
}

template <class Scalar>
void unit_keys_backward(const Signal<Scalar>& x, int heads, View<const Scalar> k, View<Scalar> grad) {
  require_shape("unit_keys_backward", "grad", grad.shape, x.shape);
  const std::ptrdiff_t d = x.shape.channels() / heads;
  parallel_for(x.shape.size() / d, kTaskElements / d + 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t from = begin * d; from < end * d; from += d) {
      const Scalar factor = inverse_length(x, from, d);
      Scalar dot(0);
      for (std::ptrdiff_t r = 0; r < d; ++r) dot += k[from + r] * grad[from + r];
      for (std::ptrdiff_t r = 0; r < d; ++r) grad[from + r] = factor * (grad[from + r] - k[from + r] * dot);
    }
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                 \
  template void mixer_gate_forward(MixerKind, const Signal<Scalar>&, View<Scalar>); \
  template void mixer_gate_backward(MixerKind, View<const Scalar>, View<Scalar>);   \
  template void unit_keys_forward(const Signal<Scalar>&, int, View<Scalar>);        \
  template void unit_keys_backward(const Signal<Scalar>&, int, View<const Scalar>, View<Scalar>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
