#include "neurons/adlif.hpp"

#include <cmath>

#include "neurons/checks.hpp"
#include "neurons/row_scan.hpp"

namespace synfire::neurons {

namespace {

constexpr std::ptrdiff_t kNumSums = 4;

void check_range(const char* low_key, double low, const char* high_key, double high) {
  if (!(low > 0.0) || !std::isfinite(low))
    throw ConfigError("", 0, low_key, fmt::format("must be positive, got {}", low));
  if (!(high >= low) || !std::isfinite(high)) {
    throw ConfigError("", 0, high_key, fmt::format("must be at least {} ({}), got {}", low_key, low, high));
  }
}

template <class Scalar>
void check_input(const char* operation, const View<const Scalar>& x, const AdlifParameters<Scalar>& p) {
  check_current(operation, "x", x, kMaxScanTicks);
  check_host(operation, x.device);
  const std::ptrdiff_t channels = x.shape.channels();
  check_channels(operation, "alpha", p.alpha, "x", channels, x.device);
  check_channels(operation, "beta", p.beta, "x", channels, x.device);
  check_channels(operation, "a", p.a, "x", channels, x.device);
  check_channels(operation, "b", p.b, "x", channels, x.device);
}

}  // namespace

void check_adlif(const AdlifConfig& config, double dt_ms) {
  if (!(dt_ms > 0.0) || !std::isfinite(dt_ms)) {
    throw ConfigError("", 0, "dt_ms", fmt::format("must be positive, got {}", dt_ms));
  }
  check_range("tau_mem_min_ms", config.tau_mem_min_ms, "tau_mem_max_ms", config.tau_mem_max_ms);
  check_range("tau_adapt_min_ms", config.tau_adapt_min_ms, "tau_adapt_max_ms", config.tau_adapt_max_ms);
  if (!(config.adaptation >= 0.0) || !std::isfinite(config.adaptation)) {
    throw ConfigError("", 0, "adaptation", fmt::format("must be 0 or more, got {}", config.adaptation));
  }
  if (!(config.v_th > 0.0) || !std::isfinite(config.v_th)) {
    throw ConfigError("", 0, "v_th", fmt::format("must be positive, got {}", config.v_th));
  }
}

template <class Scalar, class Spike>
void adlif_forward(View<const Scalar> x, const AdlifParameters<Scalar>& parameters, const AdlifConfig& config,
                   View<Spike> spikes) {
  check_input("adlif_forward", x, parameters);
  check_like_input("adlif_forward", "spikes", spikes, "x", x.shape, x.device);
  if (x.empty()) return;
  row_scan_forward(adlif_rows<Scalar>(parameters, config, std::is_same_v<Spike, Scalar>), x, spikes);
}

template <class Scalar, class Spike>
void adlif_backward(View<const Scalar> x, const AdlifParameters<Scalar>& parameters, const AdlifConfig& config,
                    View<const Scalar> grad_spikes, View<Scalar> grad_x, const AdlifGradients<Scalar>& gradients,
                    std::span<std::byte> scratch) {
  check_input("adlif_backward", x, parameters);
  check_like_input("adlif_backward", "grad_spikes", grad_spikes, "x", x.shape, x.device);
  check_like_input("adlif_backward", "grad_x", grad_x, "x", x.shape, x.device);
  const std::ptrdiff_t channels = x.shape.channels();
  for (const View<Scalar>& gradient : {gradients.alpha, gradients.beta, gradients.a, gradients.b}) {
    check_channels("adlif_backward", "each gradient", gradient, "x", channels, x.device);
  }
  check_scratch("adlif_backward", scratch.size(), adlif_scratch_bytes(channels));
  const std::span<double> totals(reinterpret_cast<double*>(scratch.data()),
                                 static_cast<std::size_t>(kNumSums * channels));
  std::fill(totals.begin(), totals.end(), 0.0);
  if (!x.empty()) {
    row_scan_backward(adlif_rows<Scalar>(parameters, config, std::is_same_v<Spike, Scalar>), x, grad_spikes, grad_x,
                      totals, scratch.subspan(totals.size_bytes()));
  }
  std::size_t k = 0;
  for (const View<Scalar>& gradient : {gradients.alpha, gradients.beta, gradients.a, gradients.b}) {
    for (Scalar& g : gradient.span()) g = static_cast<Scalar>(totals[k++]);
  }
}

std::size_t adlif_scratch_bytes(std::ptrdiff_t num_channels) {
  const std::ptrdiff_t num_totals = kNumSums * num_channels;
  return static_cast<std::size_t>(num_totals) * sizeof(double) + row_scan_scratch_bytes(num_totals);
}

#define SYNFIRE_INSTANTIATE(Scalar, Spike)                                                                            \
  template void adlif_forward<Scalar, Spike>(View<const Scalar>, const AdlifParameters<Scalar>&, const AdlifConfig&,  \
                                             View<Spike>);                                                            \
  template void adlif_backward<Scalar, Spike>(View<const Scalar>, const AdlifParameters<Scalar>&, const AdlifConfig&, \
                                              View<const Scalar>, View<Scalar>, const AdlifGradients<Scalar>&,        \
                                              std::span<std::byte>);
SYNFIRE_INSTANTIATE(float, std::uint8_t)
SYNFIRE_INSTANTIATE(float, float)
SYNFIRE_INSTANTIATE(double, std::uint8_t)
SYNFIRE_INSTANTIATE(double, double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::neurons
