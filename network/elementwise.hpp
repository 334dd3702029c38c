#pragma once

#include <cstdint>

#include "core/signal.hpp"
#include "core/tensor.hpp"

/// The small operations between nodes that belong to the graph rather than to a synapse. Host memory.
namespace synfire::network {

/// 0 and 1 as numbers.
template <class Scalar>
void spikes_to_real(View<const std::uint8_t> spikes, View<Scalar> real);

/// Sum of all elements: of spikes their number. In a fixed order, whatever the number of threads.
template <class Scalar>
double sum_of(const Signal<Scalar>& x);

}  // namespace synfire::network
