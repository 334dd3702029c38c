#pragma once

#include <optional>

#include "core/energy_table.hpp"
#include "core/op_ledger.hpp"
#include "core/shape.hpp"
#include "network/spec.hpp"

/// The energy model of [Lemaire2022]: arithmetic, addresses and memory of a layer, from its spikes. It ignores borders
/// and memory larger than SRAM; docs/energy.md.
namespace synfire::network {

/// A linear layer or a convolution with the neurons that it drives, over T ticks.
struct LemaireLayer {
  bool is_conv = false;
  bool binary_input = true;
  bool has_bias = false;
  bool has_neurons = true;
  bool leaks = true;  ///< a multiplication a neuron and tick
  double ticks = 1.0;
  double spikes_in = 0.0, spikes_out = 0.0;  ///< over all ticks
  double fan_out = 0.0;                      ///< of weights: C_out k^2, or N_out
  double fan_out_stride = 0.0;               ///< of targets: C_out ceil(k / stride)^2, or N_out
  double inputs = 0.0, outputs = 0.0;        ///< of a tick
  double kernel_weights = 0.0;               ///< C_out k^2; 0 for linear
  double dense_macs = 0.0;                   ///< of a tick, padding included
  double parameters = 0.0;
};

struct LemaireEnergy {
  double arithmetic_pj = 0.0, address_pj = 0.0, parameters_pj = 0.0, potentials_pj = 0.0, input_pj = 0.0,
         output_pj = 0.0;

  double total_pj() const { return arithmetic_pj + address_pj + parameters_pj + potentials_pj + input_pj + output_pj; }
};

/// \param table  its prices: open_energy_table("lemaire")
LemaireEnergy lemaire_energy(const LemaireLayer& layer, const EnergyTable& table);

/// The layer of a ledger, with all its samples behind each other; none if it does not begin with a linear layer or a
/// convolution.
/// \param input, output  of the first node, one tick of one sample
std::optional<LemaireLayer> lemaire_layer(const Operation& first, const Shape& input, const Shape& output,
                                          const LayerLedger& record);

}  // namespace synfire::network
