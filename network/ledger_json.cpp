#include "network/ledger_json.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

namespace synfire::network {

namespace {

using nlohmann::ordered_json;

ordered_json counts_json(const LayerLedger& r) {
  return {
      {"dense_synops", r.dense_synops},
      {"eff_unit", r.eff_unit},
      {"eff_graded", r.eff_graded},
      {"nb_acs", r.nb_acs},
      {"nb_macs", r.nb_macs},
      {"exec_acs", r.exec_acs},
      {"exec_macs", r.exec_macs},
      {"events_in", r.events_in},
      {"input_elems", r.input_elems},
      {"events_out", r.events_out},
      {"output_elems", r.output_elems},
      {"neuron_updates", r.neuron_updates},
      {"replayed_ticks", r.replayed_ticks},
      {"membrane_updates_nb", r.membrane_updates_nb},
      {"ops",
       {{"add", r.add},
        {"mul", r.mul},
        {"cmp", r.cmp},
        {"exp", r.exp},
        {"log", r.log},
        {"div", r.div},
        {"addr", r.addr_ops}}},
      {"bytes",
       {{"w_rd", r.w_rd}, {"state_rd", r.state_rd}, {"state_wr", r.state_wr}, {"io_rd", r.io_rd}, {"io_wr", r.io_wr}}},
      {"path", {{"dense", r.path_dense}, {"scatter", r.path_scatter}, {"bits", r.path_bits}}},
      {"queue", {{"push", r.queue_push}, {"pop", r.queue_pop}, {"stale", r.queue_stale}, {"peak", r.queue_peak}}},
      {"attn", {{"dense", r.attn_dense}, {"acs", r.attn_acs}, {"macs", r.attn_macs}}}};
}

ordered_json energy_json(const EnergyReport::Row& row, double samples) {
  ordered_json json = {
      {"papers", row.spiking.papers_pj},
      {"compute", row.spiking.compute_pj},
      {"memory", row.spiking.memory_pj},
      {"total", row.spiking.total_pj()},
      {"per_sample", row.spiking.total_pj() / samples},
      {"twin_per_sample",
       {{"compute", row.twin.compute_pj}, {"memory", row.twin.memory_pj}, {"total", row.twin.total_pj()}}},
      {"rate", row.rate}};
  json["break_even_rate"] = row.break_even_rate ? ordered_json(*row.break_even_rate) : ordered_json();
  return json;
}

/// A NaN is no number in JSON.
ordered_json finite(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(); }

}  // namespace

std::string ledger_json(const OpLedger& ledger, const LedgerTitle& title, const EnergyTable& table,
                        const EnergyReport& report) {
  const auto samples = static_cast<double>(ledger.samples);
  const bool even = ledger.samples > 0 && ledger.ticks % ledger.samples == 0;
  ordered_json json = {{"synfire_ledger", 1},      {"network", title.network}, {"config_sha256", title.config_sha256},
                       {"engine", ledger.engine},  {"mode", ledger.mode},      {"batch", title.batch},
                       {"samples", ledger.samples}};
  json["ticks_per_sample"] =
      even ? ordered_json(ledger.ticks / ledger.samples) : finite(static_cast<double>(ledger.ticks) / samples);
  json["tick_us"] = std::llround(1000.0 * title.dt_ms);
  json["technology"] = {{"name", table.name}, {"sha256", table.sha256}, {"source", table.source}};
  json["layers"] = ordered_json::array();
  for (std::size_t i = 0; i < ledger.layers.size(); ++i) {
    ordered_json layer = {{"name", ledger.layers[i].name}, {"kind", ledger.layers[i].kind}};
    layer.update(counts_json(ledger.layers[i]));
    if (i < report.layers.size()) layer["energy_pj"] = energy_json(report.layers[i], samples);
    json["layers"].push_back(layer);
  }
  json["total"] = counts_json(ledger.total());

  const NeuroBenchNumbers nb = neurobench_numbers(ledger);
  json["neurobench"] = {{"synaptic_operations",
                         {{"Effective_MACs", finite(nb.effective_macs)},
                          {"Effective_ACs", finite(nb.effective_acs)},
                          {"Dense", finite(nb.dense)}}},
                        {"activation_sparsity", finite(nb.activation_sparsity)},
                        {"connection_sparsity", finite(nb.connection_sparsity)},
                        {"footprint_parameters", nb.footprint_parameters},
                        {"state_bytes", nb.state_bytes},
                        {"parameter_count", nb.parameter_count},
                        {"membrane_updates", finite(nb.membrane_updates)},
                        {"model_execution_rate_hz", 1000.0 / title.dt_ms}};
  json["energy_pj"] = energy_json(report.total, samples);
  json["energy_pj"]["twin_bits"] = report.bits;
  json["energy_pj"]["lemaire"] = title.lemaire_pj ? ordered_json(*title.lemaire_pj) : ordered_json();
  json["measured_j"] = nullptr;
  return json.dump(2) + "\n";
}

}  // namespace synfire::network
