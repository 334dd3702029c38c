#pragma once

#include "core/op_ledger.hpp"
#include "core/tensor.hpp"
#include "network/spec.hpp"

/// The rules by which neurons, pools and sums are counted: docs/energy.md.
namespace synfire::network {

/// What one neuron does in one tick, and for a spike.
struct NeuronWork {
  int states = 1;  ///< variables that are read and written
  int add = 0, mul = 0, cmp = 0;
  int add_per_spike = 0;
};
NeuronWork neuron_work(const NeuronConfig& config);
NeuronWork neuron_work(const LeakyIntegratorSpec& spec);

/// \param updates  neurons times ticks, over all samples
/// \param neurons  of one sample
void count_neurons(const NeuronWork& work, std::uint64_t updates, std::uint64_t spikes, std::uint64_t neurons,
                   std::size_t scalar_bytes, LayerLedger& record);

/// Values [T, B, ...] that are membranes: all of the first tick, and every later one that is another number than the
/// one before it. NeuroBench's membrane updates.
template <class Scalar>
std::uint64_t changed_values(View<const Scalar> membranes);

}  // namespace synfire::network
