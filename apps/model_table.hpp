#pragma once

#include "apps/text_table.hpp"
#include "network/network.hpp"

namespace synfire::apps {

/// A row per node of a network: name, type, output of one tick, parameters, dense multiply-accumulates of one sample of
/// `num_ticks`; and a last row with the sums.
TextTable model_table(const network::Network<float>& network, std::ptrdiff_t num_ticks);

}  // namespace synfire::apps
