#include "network/neuron_rows.hpp"

#include <cmath>

#include "neurons/parametric_lif.hpp"

namespace synfire::network {

namespace {

using neurons::AdlifConfig;
using neurons::CubaLifConfig;
using neurons::LifConfig;

/// A time constant between its bounds, and the decay of a tick.
struct Between {
  double low_ms, high_ms, dt_ms;

  double tau_ms(double share) const { return share * high_ms + (1.0 - share) * low_ms; }
  double decay(double share) const { return std::exp(-dt_ms / tau_ms(share)); }
  double slope(double share) const {
    return decay(share) * dt_ms / (tau_ms(share) * tau_ms(share)) * (high_ms - low_ms);
  }
};

Between membrane_of(const AdlifConfig& config, double dt_ms) {
  return {config.tau_mem_min_ms, config.tau_mem_max_ms, dt_ms};
}
Between adaptation_of(const AdlifConfig& config, double dt_ms) {
  return {config.tau_adapt_min_ms, config.tau_adapt_max_ms, dt_ms};
}

/// Of the membrane, which lif and cuba_lif have in common.
const LifConfig& membrane_config(const NeuronConfig& config) {
  const auto* const lif = std::get_if<LifConfig>(&config);
  return lif != nullptr ? *lif : std::get<CubaLifConfig>(config).membrane;
}

double sigmoid(double w) { return 1.0 / (1.0 + std::exp(-w)); }

}  // namespace

template <class Scalar>
NeuronRows<Scalar>::NeuronRows(const NeuronConfig& config, double dt_ms, std::ptrdiff_t num_channels)
    : config_(config), dt_ms_(dt_ms), num_channels_(num_channels) {}

template <class Scalar>
std::ptrdiff_t NeuronRows<Scalar>::num_constants() const {
  return std::holds_alternative<AdlifConfig>(config_) ? 4 * num_channels_ : 0;
}

template <class Scalar>
std::ptrdiff_t NeuronRows<Scalar>::num_totals() const {
  if (std::holds_alternative<AdlifConfig>(config_)) return 4 * num_channels_;
  return membrane_config(config_).learn_tau ? 3 : 0;
}

template <class Scalar>
neurons::CubaLifParams NeuronRows<Scalar>::cuba_params(Tensors tensors) const {
  const LifConfig& membrane = membrane_config(config_);
  const auto* const cuba = std::get_if<CubaLifConfig>(&config_);
  neurons::CubaLifParams params = cuba != nullptr ? neurons::cuba_lif_params(*cuba, dt_ms_)
                                                  : neurons::CubaLifParams{neurons::lif_params(membrane, dt_ms_), 0.0};
  if (membrane.learn_tau) {
    const auto w = [&](std::size_t k) { return static_cast<double>(tensors[k].value[0]); };
    params.membrane = neurons::with_leak_logit(params.membrane, membrane.decay_input, w(0));
    if (cuba != nullptr) params.syn_decay = sigmoid(-w(1));
  }
  return params;
}

template <class Scalar>
neurons::RowModel<Scalar> NeuronRows<Scalar>::model(Tensors tensors, Scalar* constants, bool smooth) const {
  const auto* const adlif = std::get_if<AdlifConfig>(&config_);
  if (adlif == nullptr) return neurons::cuba_lif_rows<Scalar>(cuba_params(tensors), smooth);

  const Between membrane = membrane_of(*adlif, dt_ms_), adaptation = adaptation_of(*adlif, dt_ms_);
  const auto row = [&](int k) {
    return View<Scalar>{constants + k * num_channels_, Shape{num_channels_}, Device::cpu};
  };
  for (std::ptrdiff_t c = 0; c < num_channels_; ++c) {
    row(0)[c] = static_cast<Scalar>(membrane.decay(static_cast<double>(tensors[0].value[c])));
    row(1)[c] = static_cast<Scalar>(adaptation.decay(static_cast<double>(tensors[1].value[c])));
    row(2)[c] = tensors[2].value[c];
    row(3)[c] = tensors[3].value[c];
  }
  return neurons::adlif_rows<Scalar>({row(0), row(1), row(2), row(3)}, *adlif, smooth);
}

template <class Scalar>
void NeuronRows<Scalar>::write_gradients(std::span<const double> totals, Tensors tensors,
                                         std::span<const View<Scalar>> gradients) const {
  const auto* const adlif = std::get_if<AdlifConfig>(&config_);
  if (adlif == nullptr) {
    const neurons::CubaLifParams params = cuba_params(tensors);
    gradients[0][0] = static_cast<Scalar>(
        neurons::leak_logit_gradient(params.membrane, membrane_config(config_).decay_input, totals[1], totals[2]));
    if (std::holds_alternative<CubaLifConfig>(config_)) {
      gradients[1][0] = static_cast<Scalar>(-totals[0] * params.syn_decay * (1.0 - params.syn_decay));
    }
    return;
  }
  const Between membrane = membrane_of(*adlif, dt_ms_), adaptation = adaptation_of(*adlif, dt_ms_);
  const auto total = [&](int k, std::ptrdiff_t c) { return totals[static_cast<std::size_t>(k * num_channels_ + c)]; };
  for (std::ptrdiff_t c = 0; c < num_channels_; ++c) {
    gradients[0][c] = static_cast<Scalar>(total(0, c) * membrane.slope(static_cast<double>(tensors[0].value[c])));
    gradients[1][c] = static_cast<Scalar>(total(1, c) * adaptation.slope(static_cast<double>(tensors[1].value[c])));
    gradients[2][c] = static_cast<Scalar>(total(2, c));
    gradients[3][c] = static_cast<Scalar>(total(3, c));
  }
}

template class NeuronRows<float>;
template class NeuronRows<double>;

}  // namespace synfire::network
