#pragma once

#include <optional>
#include <vector>

#include "core/energy_table.hpp"
#include "core/op_ledger.hpp"

/// Counts times prices: docs/energy.md. All energies in picojoules.
namespace synfire::network {

/// Of all samples that a record counted.
struct LayerEnergy {
  double papers_pj = 0.0;  ///< 4.6 nb_macs + 0.9 nb_acs, whatever the table
  double compute_pj = 0.0;
  double memory_pj = 0.0;

  double total_pj() const { return compute_pj + memory_pj; }
  LayerEnergy& operator+=(const LayerEnergy& other);
};
LayerEnergy energy_of(const LayerLedger& record, const EnergyTable& table);

/// The layer as a part of a dense network that sees its input once, with ReLUs instead of neurons that spike, and
/// activations of as many bits as T ticks can tell apart.
struct TwinEnergy {
  double compute_pj = 0.0;
  double memory_pj = 0.0;

  double total_pj() const { return compute_pj + memory_pj; }
  TwinEnergy& operator+=(const TwinEnergy& other);
};

/// Bits of the twin's activations: ceil(log2(T + 1)) [Yan2024].
int twin_bits(double ticks_per_sample);

/// A run beside its dense twin.
struct EnergyReport {
  struct Row {
    LayerEnergy spiking;  ///< of all samples
    TwinEnergy twin;      ///< of one sample
    double rate = 0.0;    ///< events an input and tick
    /// The rate at which the layer, event-driven, costs as much as its twin: 0 if its neurons alone cost more, and no
    /// more than 1. None for layers without weights, or where nothing is priced that follows events.
    std::optional<double> break_even_rate;
  };
  std::vector<Row> layers;
  Row total;
  int bits = 1;  ///< of the twin's activations
  std::uint64_t samples = 0;

  double per_sample_pj() const;
};
EnergyReport energy_report(const OpLedger& ledger, const EnergyTable& table);

}  // namespace synfire::network
