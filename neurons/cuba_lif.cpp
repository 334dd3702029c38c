#include "neurons/cuba_lif.hpp"

#include <cmath>

#include "neurons/checks.hpp"
#include "neurons/row_scan.hpp"

namespace synfire::neurons {

namespace {

constexpr std::ptrdiff_t kNumSums = 3;

template <class Spike, class Scalar>
constexpr bool kSmooth = std::is_same_v<Spike, Scalar>;

}  // namespace

CubaLifParams cuba_lif_params(const CubaLifConfig& config, double dt_ms) {
  CubaLifParams params;
  params.membrane = lif_params(config.membrane, dt_ms);
  LifConfig synapse = config.membrane;
  synapse.tau_mem_ms = config.tau_syn_ms;
  try {
    params.syn_decay = lif_params(synapse, dt_ms).decay;
  } catch (const ConfigError& error) {
    throw ConfigError("", 0, "tau_syn_ms", std::string(error.what()).substr(error.key.size() + 2));
  }
  return params;
}

template <class Scalar, class Spike>
void cuba_lif_forward(View<const Scalar> x, const CubaLifParams& params, View<Spike> spikes) {
  check_current("cuba_lif_forward", "x", x, kMaxScanTicks);
  check_like_input("cuba_lif_forward", "spikes", spikes, "x", x.shape, x.device);
  check_host("cuba_lif_forward", x.device);
  if (x.empty()) return;
  row_scan_forward(cuba_lif_rows<Scalar>(params, kSmooth<Spike, Scalar>), x, spikes);
}

template <class Scalar, class Spike>
void cuba_lif_backward(View<const Scalar> x, const CubaLifParams& params, View<const Scalar> grad_spikes,
                       View<Scalar> grad_x, std::span<double> grad_constants, std::span<std::byte> scratch) {
  check_current("cuba_lif_backward", "x", x, kMaxScanTicks);
  check_like_input("cuba_lif_backward", "grad_spikes", grad_spikes, "x", x.shape, x.device);
  check_like_input("cuba_lif_backward", "grad_x", grad_x, "x", x.shape, x.device);
  check_host("cuba_lif_backward", x.device);
  if (!grad_constants.empty() && grad_constants.size() != kNumSums) {
    throw ShapeError(
        fmt::format("[cuba_lif_backward] the constants have 3 gradients, got room for {}", grad_constants.size()));
  }
  if (!grad_constants.empty()) check_scratch("cuba_lif_backward", scratch.size(), cuba_lif_scratch_bytes());
  std::fill(grad_constants.begin(), grad_constants.end(), 0.0);
  if (x.empty()) return;
  row_scan_backward(cuba_lif_rows<Scalar>(params, kSmooth<Spike, Scalar>), x, grad_spikes, grad_x, grad_constants,
                    scratch);
}

std::size_t cuba_lif_scratch_bytes() { return row_scan_scratch_bytes(kNumSums); }

#define SYNFIRE_INSTANTIATE(Scalar, Spike)                                                                     \
  template void cuba_lif_forward<Scalar, Spike>(View<const Scalar>, const CubaLifParams&, View<Spike>);        \
  template void cuba_lif_backward<Scalar, Spike>(View<const Scalar>, const CubaLifParams&, View<const Scalar>, \
                                                 View<Scalar>, std::span<double>, std::span<std::byte>);
SYNFIRE_INSTANTIATE(float, std::uint8_t)
SYNFIRE_INSTANTIATE(float, float)
SYNFIRE_INSTANTIATE(double, std::uint8_t)
SYNFIRE_INSTANTIATE(double, double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::neurons
