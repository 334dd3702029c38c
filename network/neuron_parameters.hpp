#pragma once

#include <vector>

#include "network/describe.hpp"
#include "neurons/lif.hpp"

/// What the neurons of a node learn, as tensors.
namespace synfire::network {

/// leak_logit [1] if the time constant is learned.
std::vector<ParameterFacts> neuron_parameters(const neurons::LifConfig& config, double dt_ms);

}  // namespace synfire::network
