#include "neurons/lif.hpp"

#include <cassert>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"
#include "neurons/checks.hpp"
#include "neurons/lif_backend.hpp"

namespace synfire::neurons {

namespace {

/// More ticks than this would not fit the tiles of the CPU kernels (lif_cpu.cpp).
constexpr std::ptrdiff_t kMaxTicks = std::ptrdiff_t{1} << 24;

[[noreturn]] void bad_value(const char* key, const std::string& problem) { throw ConfigError("", 0, key, problem); }

template <class T>
void check_tensor(const char* operation, const char* name, const View<T>& view, const Shape& expected, Device device) {
  check_like_input(operation, name, view, "y", expected, device);
}

template <class Scalar>
void check_input(const char* operation, const View<const Scalar>& y, const ChannelAffine<Scalar>& affine) {
  check_current(operation, "y", y, kMaxTicks);
  if (affine.scale.empty() && affine.shift.empty()) return;
  check_channels(operation, "scale", affine.scale, "y", y.shape.channels(), y.device);
  check_channels(operation, "shift", affine.shift, "y", y.shape.channels(), y.device);
}

}  // namespace

LifParams lif_params(const LifConfig& config, double dt_ms) {
  if (!(dt_ms > 0.0) || !std::isfinite(dt_ms)) bad_value("dt_ms", fmt::format("must be positive, got {}", dt_ms));
  if (!(config.tau_mem_ms > 0.0)) {
    bad_value("tau_mem_ms", fmt::format("must be positive, got {}", config.tau_mem_ms));
  }
  if (std::isinf(config.tau_mem_ms) && (config.decay_input || config.learn_tau)) {
    bad_value("tau_mem_ms", "can be infinite only with decay_input = false and without learn_tau");
  }
  if (config.decay == Decay::euler && config.tau_mem_ms < dt_ms) {
    bad_value("tau_mem_ms", fmt::format("must be at least one tick of {} ms with decay = \"euler\", got {}", dt_ms,
                                        config.tau_mem_ms));
  }
  if (config.learn_tau && config.decay == Decay::euler && config.tau_mem_ms <= dt_ms) {
    bad_value("tau_mem_ms",
              fmt::format("must be more than one tick of {} ms to be learned, got {}", dt_ms, config.tau_mem_ms));
  }
  const double v_reset = config.v_reset.value_or(0.0);
  if (!std::isfinite(v_reset)) bad_value("v_reset", fmt::format("must be finite, got {}", v_reset));
  if (!std::isfinite(config.v_th) || config.v_th <= v_reset) {
    bad_value("v_th", fmt::format("must be above the reset level {}, got {}", v_reset, config.v_th));
  }
  if (!(config.surrogate.alpha > 0.0) || !std::isfinite(config.surrogate.alpha)) {
    bad_value("alpha", fmt::format("must be positive, got {}", config.surrogate.alpha));
  }

  const double ticks = dt_ms / config.tau_mem_ms;
  LifParams params;
  params.decay = config.decay == Decay::euler ? 1.0 - ticks : std::exp(-ticks);
  // -expm1 keeps the digits that 1 - exp would lose for a long time constant.
  const double leak = config.decay == Decay::euler ? ticks : -std::expm1(-ticks);
  params.gain = config.decay_input ? leak : 1.0;
  params.v_th = config.v_th;
  params.fires_at = config.fires_at;
  params.v_reset = v_reset;
  params.hard_reset = config.v_reset.has_value();
  params.detach_reset = config.detach_reset;
  params.surrogate = config.surrogate;
  return params;
}

std::size_t lif_scratch_bytes(std::ptrdiff_t num_channels) {
  const std::ptrdiff_t of_channels = 2 * num_channels * lif_num_partial_sums(num_channels);
  return static_cast<std::size_t>(of_channels + 2 * lif_num_constant_sums(num_channels)) * sizeof(double);
}

template <class Scalar, class Spike>
void lif_forward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params, View<Spike> spikes,
                 std::uint64_t* changed) {
  check_input("lif_forward", y, affine);
  check_tensor("lif_forward", "spikes", spikes, y.shape, y.device);
  if (changed != nullptr && y.device == Device::cuda)
    throw BackendError("[lif_forward] counts changes on the CPU only");
  if (changed != nullptr) *changed = 0;
  if (y.empty()) return;
  if (y.device == Device::cuda) {
    cuda::lif_forward(y, affine, params, spikes);
  } else {
    cpu::lif_forward(y, affine, params, spikes, changed);
  }
}

template <class Scalar, class Spike>
void lif_backward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                  View<const Scalar> grad_spikes, View<Scalar> grad_x, const ChannelAffineGrad<Scalar>& affine_grad,
                  View<double> grad_constants, std::span<std::byte> scratch) {
  check_input("lif_backward", y, affine);
  check_tensor("lif_backward", "grad_spikes", grad_spikes, y.shape, y.device);
  check_tensor("lif_backward", "grad_x", grad_x, y.shape, y.device);
  const std::ptrdiff_t num_channels = y.shape.channels();
  if (!affine_grad.scale.empty()) {
    check_channels("lif_backward", "gradient of scale", affine_grad.scale, "y", num_channels, y.device);
  }
  if (!affine_grad.shift.empty()) {
    check_channels("lif_backward", "gradient of shift", affine_grad.shift, "y", num_channels, y.device);
  }
  if (!grad_constants.empty() && (grad_constants.size() != 2 || grad_constants.device != y.device)) {
    throw ShapeError(fmt::format("[lif_backward] gradients of the constants must be [2] on the device of y, got {}",
                                 grad_constants.shape.text()));
  }
  const bool sums_wanted = !affine_grad.scale.empty() || !affine_grad.shift.empty() || !grad_constants.empty();
  if (sums_wanted) check_scratch("lif_backward", scratch.size(), lif_scratch_bytes(num_channels));
  assert(reinterpret_cast<std::uintptr_t>(scratch.data()) % alignof(double) == 0);
  if (y.empty() && !sums_wanted) return;
  y.device == Device::cuda
      ? cuda::lif_backward<Scalar, Spike>(y, affine, params, grad_spikes, grad_x, affine_grad, grad_constants, scratch)
      : cpu::lif_backward<Scalar, Spike>(y, affine, params, grad_spikes, grad_x, affine_grad, grad_constants, scratch);
}

template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<std::uint8_t>,
                          std::uint64_t*);
template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<float>,
                          std::uint64_t*);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<std::uint8_t>,
                          std::uint64_t*);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<double>,
                          std::uint64_t*);
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

}  // namespace synfire::neurons
