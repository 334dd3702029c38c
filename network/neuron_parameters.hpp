#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "network/describe.hpp"
#include "neurons/adlif.hpp"
#include "neurons/cuba_lif.hpp"
#include "neurons/lif.hpp"

namespace synfire::network {

using NeuronConfig = std::variant<neurons::LifConfig, neurons::CubaLifConfig, neurons::AdlifConfig>;

/// What C channels of neurons learn, as tensors:
///
///     lif, with learn_tau       leak_logit [1]
///     cuba_lif, with learn_tau  leak_logit [1], syn_leak_logit [1]
///     adlif                     tau_mem_share, tau_adapt_share in [0, 1]; a in [0, 1], b in [0, 2]: [C] each
///
/// A share says where between its bounds a time constant lies.
std::vector<ParameterFacts> neuron_parameters(const NeuronConfig& config, double dt_ms, std::ptrdiff_t num_channels);

}  // namespace synfire::network
