#include "network/energy.hpp"

#include <algorithm>
#include <cmath>

namespace synfire::network {

namespace {

constexpr double kPapersMacPj = 4.6, kPapersAcPj = 0.9;
constexpr double kWordBytes = 4.0;

double number(std::uint64_t count) { return static_cast<double>(count); }

/// Arithmetic outside synapses.
double arithmetic_pj(const LayerLedger& r, const EnergyTable& table) {
  return table.add_pj * (number(r.add) + number(r.cmp)) + table.mul_pj * number(r.mul) +
         table.special_pj() * (number(r.exp) + number(r.log) + number(r.div));
}

double state_pj(const LayerLedger& r, const EnergyTable& table) {
  return table.traffic_pj(number(r.state_rd) + number(r.state_wr), number(r.sizes.state_bytes));
}
double output_pj(const LayerLedger& r, const EnergyTable& table) {
  return table.traffic_pj(number(r.io_wr), number(r.sizes.output_bytes));
}

/// A product of a number with one of `bits`, and its sum.
double narrow_mac_pj(const EnergyTable& table, int bits) {
  return table.add_pj + table.mul_pj * std::min(1.0, static_cast<double>(bits) / table.factor_bits);
}

TwinEnergy twin_of(const LayerLedger& r, const EnergyTable& table, int bits) {
  const double inputs = number(r.sizes.input_bytes) / kWordBytes, outputs = number(r.sizes.output_bytes) / kWordBytes;
  const double bytes_in = inputs * bits / 8.0, bytes_out = outputs * bits / 8.0;
  TwinEnergy twin;
  if (r.sizes.weights > 0) {
    // A bias (a folded norm) and a comparison with 0 for each output.
    twin.compute_pj = number(r.sizes.once_macs) * narrow_mac_pj(table, bits) + 2.0 * outputs * table.add_pj;
  } else if (r.neuron_updates > 0) {
    twin.compute_pj = outputs * table.add_pj;
  } else if (r.ticks > 0) {
    twin.compute_pj = arithmetic_pj(r, table) / number(r.ticks);
  }
  if (table.counts == EnergyTable::Counts::neurobench) {
    twin.compute_pj = number(r.sizes.once_macs) * table.mac_pj();
  }
  twin.memory_pj = table.traffic_pj(number(r.sizes.weight_bytes), number(r.sizes.weight_bytes)) +
                   table.traffic_pj(bytes_in, bytes_in) + table.traffic_pj(bytes_out, bytes_out);
  return twin;
}

/// What an event-driven layer costs in one sample: a part that is always there, and one that follows the rate.
struct ByRate {
  double always_pj = 0.0;
  double at_rate_one_pj = 0.0;

  ByRate& operator+=(const ByRate& other) {
    always_pj += other.always_pj;
    at_rate_one_pj += other.at_rate_one_pj;
    return *this;
  }
  std::optional<double> break_even(double twin_pj) const {
    if (!(at_rate_one_pj > 0.0)) return {};
    return std::clamp((twin_pj - always_pj) / at_rate_one_pj, 0.0, 1.0);
  }
};

ByRate by_rate(const LayerLedger& r, const EnergyTable& table) {
  const bool synapses_only = table.counts == EnergyTable::Counts::neurobench;
  const double samples = number(r.samples);
  ByRate result;
  if (!synapses_only) {
    result.always_pj = (arithmetic_pj(r, table) + state_pj(r, table) + output_pj(r, table)) / samples;
  }
  if (r.sizes.once_macs == 0) return result;
  const double fan_out = number(r.sizes.once_macs) * kWordBytes / number(r.sizes.input_bytes);
  double event_pj = fan_out * table.add_pj;
  if (!synapses_only) {
    event_pj += fan_out * (table.address_pj + table.traffic_pj(kWordBytes, number(r.sizes.weight_bytes))) +
                2.0 * table.address_pj + table.traffic_pj(kWordBytes, number(r.sizes.input_bytes));
  }
  result.at_rate_one_pj = event_pj * number(r.input_elems) / samples;
  return result;
}

double rate(std::uint64_t events, std::uint64_t elements) {
  return elements == 0 ? 0.0 : number(events) / number(elements);
}

}  // namespace

LayerEnergy& LayerEnergy::operator+=(const LayerEnergy& other) {
  papers_pj += other.papers_pj;
  compute_pj += other.compute_pj;
  memory_pj += other.memory_pj;
  return *this;
}

TwinEnergy& TwinEnergy::operator+=(const TwinEnergy& other) {
  compute_pj += other.compute_pj;
  memory_pj += other.memory_pj;
  return *this;
}

LayerEnergy energy_of(const LayerLedger& r, const EnergyTable& table) {
  LayerEnergy energy;
  energy.papers_pj = kPapersMacPj * number(r.nb_macs) + kPapersAcPj * number(r.nb_acs);
  if (table.counts == EnergyTable::Counts::neurobench) {
    energy.compute_pj = table.mac_pj() * number(r.nb_macs) + table.add_pj * number(r.nb_acs);
    return energy;
  }
  energy.compute_pj = table.mac_pj() * (number(r.exec_macs) + number(r.attn_macs)) +
                      table.add_pj * (number(r.exec_acs) + number(r.attn_acs)) + arithmetic_pj(r, table) +
                      table.address_pj * number(r.addr_ops);
  energy.memory_pj = table.traffic_pj(number(r.w_rd), number(r.sizes.weight_bytes)) + state_pj(r, table) +
                     table.traffic_pj(number(r.io_rd), number(r.sizes.input_bytes)) + output_pj(r, table);
  return energy;
}

int twin_bits(double ticks_per_sample) {
  return std::max(1, static_cast<int>(std::ceil(std::log2(ticks_per_sample + 1.0))));
}

double EnergyReport::per_sample_pj() const { return total.spiking.total_pj() / number(samples); }

EnergyReport energy_report(const OpLedger& ledger, const EnergyTable& table) {
  EnergyReport report;
  report.samples = ledger.samples;
  if (ledger.samples == 0) return report;
  report.bits = twin_bits(number(ledger.ticks) / number(ledger.samples));
  ByRate whole;
  std::uint64_t events = 0, elements = 0;
  for (const LayerLedger& record : ledger.layers) {
    const ByRate of_layer = by_rate(record, table);
    EnergyReport::Row& row = report.layers.emplace_back();
    row.spiking = energy_of(record, table);
    row.twin = twin_of(record, table, report.bits);
    row.rate = rate(record.events_in, record.input_elems);
    row.break_even_rate = of_layer.break_even(row.twin.total_pj());
    report.total.spiking += row.spiking;
    report.total.twin += row.twin;
    whole += of_layer;
    if (record.sizes.weights == 0) continue;
    events += record.events_in;
    elements += record.input_elems;
  }
  report.total.rate = rate(events, elements);
  report.total.break_even_rate = whole.break_even(report.total.twin.total_pj());
  return report;
}

}  // namespace synfire::network
