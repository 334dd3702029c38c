#pragma once

#include <optional>
#include <string>

#include "core/energy_table.hpp"
#include "core/op_ledger.hpp"
#include "network/energy.hpp"

namespace synfire::network {

/// What a ledger does not know of itself.
struct LedgerTitle {
  std::string network;
  std::string config_sha256;
  int batch = 0;  ///< samples that were evaluated together: NeuroBench's MACs and ACs depend on it
  double dt_ms = 1.0;
  std::optional<double> lemaire_pj;  ///< of all samples, where the model of [Lemaire2022] knows a layer
};

/// A counted run as a JSON object, the fields as in docs/energy.md: every counter of every layer, the sums,
/// NeuroBench's numbers, and the energies with those of the dense twin. \param report  of the same ledger and table
std::string ledger_json(const OpLedger& ledger, const LedgerTitle& title, const EnergyTable& table,
                        const EnergyReport& report);

}  // namespace synfire::network
