#include "core/op_ledger.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire {

namespace {

#define SYNFIRE_COUNTER(name) \
  { #name, &LayerLedger::name }
constexpr LedgerCounter kCounters[] = {
    SYNFIRE_COUNTER(samples),
    SYNFIRE_COUNTER(ticks),
    SYNFIRE_COUNTER(dense_synops),
    SYNFIRE_COUNTER(eff_unit),
    SYNFIRE_COUNTER(eff_graded),
    SYNFIRE_COUNTER(nb_acs),
    SYNFIRE_COUNTER(nb_macs),
    SYNFIRE_COUNTER(events_in),
    SYNFIRE_COUNTER(input_elems),
    SYNFIRE_COUNTER(events_out),
    SYNFIRE_COUNTER(output_elems),
    SYNFIRE_COUNTER(exec_acs),
    SYNFIRE_COUNTER(exec_macs),
    SYNFIRE_COUNTER(neuron_updates),
    SYNFIRE_COUNTER(replayed_ticks),
    SYNFIRE_COUNTER(membrane_updates_nb),
    SYNFIRE_COUNTER(add),
    SYNFIRE_COUNTER(mul),
    SYNFIRE_COUNTER(cmp),
    SYNFIRE_COUNTER(exp),
    SYNFIRE_COUNTER(log),
    SYNFIRE_COUNTER(div),
    SYNFIRE_COUNTER(addr_ops),
    SYNFIRE_COUNTER(w_rd),
    SYNFIRE_COUNTER(state_rd),
    SYNFIRE_COUNTER(state_wr),
    SYNFIRE_COUNTER(io_rd),
    SYNFIRE_COUNTER(io_wr),
    SYNFIRE_COUNTER(path_dense),
    SYNFIRE_COUNTER(path_scatter),
    SYNFIRE_COUNTER(path_bits),
    SYNFIRE_COUNTER(queue_push),
    SYNFIRE_COUNTER(queue_pop),
    SYNFIRE_COUNTER(queue_stale),
    SYNFIRE_COUNTER(queue_peak),
    SYNFIRE_COUNTER(attn_dense),
    SYNFIRE_COUNTER(attn_acs),
    SYNFIRE_COUNTER(attn_macs),
};
#undef SYNFIRE_COUNTER

void add_counts(const LayerLedger& from, LayerLedger& to) {
  for (const LedgerCounter& counter : kCounters) {
    if (counter.member == &LayerLedger::queue_peak) {
      to.queue_peak = std::max(to.queue_peak, from.queue_peak);
    } else {
      to.*counter.member += from.*counter.member;
    }
  }
}

double per(std::uint64_t count, std::uint64_t of) { return static_cast<double>(count) / static_cast<double>(of); }

}  // namespace

std::span<const LedgerCounter> ledger_counters() { return kCounters; }

LayerLedger& LayerLedger::operator+=(const LayerLedger& other) {
  if (name != other.name || kind != other.kind) {
    throw Error(fmt::format("[ledger] counts of layer \"{}\" ({}) cannot be added to those of \"{}\" ({})", other.name,
                            other.kind, name, kind));
  }
  add_counts(other, *this);
  if (sizes == Sizes{}) sizes = other.sizes;
  return *this;
}

OpLedger& OpLedger::operator+=(const OpLedger& other) {
  if (layers.empty()) {
    *this = other;
    return *this;
  }
  if (layers.size() != other.layers.size()) {
    throw Error(
        fmt::format("[ledger] a ledger of {} layers cannot be added to one of {}", other.layers.size(), layers.size()));
  }
  samples += other.samples;
  ticks += other.ticks;
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i] += other.layers[i];
  return *this;
}

LayerLedger OpLedger::total() const {
  LayerLedger sum;
  sum.name = "total";
  for (const LayerLedger& layer : layers) {
    add_counts(layer, sum);
    sum.sizes.weight_bytes += layer.sizes.weight_bytes;
    sum.sizes.state_bytes += layer.sizes.state_bytes;
    sum.sizes.input_bytes += layer.sizes.input_bytes;
    sum.sizes.output_bytes += layer.sizes.output_bytes;
    sum.sizes.weights += layer.sizes.weights;
    sum.sizes.zero_weights += layer.sizes.zero_weights;
    sum.sizes.parameters += layer.sizes.parameters;
    sum.sizes.constants += layer.sizes.constants;
    sum.sizes.neurons += layer.sizes.neurons;
    sum.sizes.once_macs += layer.sizes.once_macs;
  }
  sum.samples = samples;
  sum.ticks = ticks;
  return sum;
}

NeuroBenchNumbers neurobench_numbers(const OpLedger& ledger) {
  const LayerLedger total = ledger.total();
  std::uint64_t spikes = 0, chances = 0;
  for (const LayerLedger& layer : ledger.layers) {
    if (!layer.sizes.fires) continue;
    spikes += layer.events_out;
    chances += layer.output_elems;
  }
  NeuroBenchNumbers result;
  result.effective_macs = per(total.nb_macs, ledger.samples);
  result.effective_acs = per(total.nb_acs, ledger.samples);
  result.dense = per(total.dense_synops, ledger.samples);
  result.activation_sparsity = per(chances - spikes, chances);
  result.connection_sparsity = std::round(1e4 * per(total.sizes.zero_weights, total.sizes.weights)) / 1e4;
  result.parameter_count = total.sizes.parameters;
  result.footprint_parameters = (total.sizes.parameters + total.sizes.constants) * sizeof(float);
  result.state_bytes = total.sizes.state_bytes;
  result.membrane_updates = per(total.membrane_updates_nb, ledger.samples);
  return result;
}

std::string ledger_csv(const OpLedger& ledger) {
  std::string text = "name,kind";
  for (const LedgerCounter& counter : kCounters) text += fmt::format(",{}", counter.name);
  const auto add_line = [&](const LayerLedger& layer) {
    text += fmt::format("\n{},{}", layer.name, layer.kind);
    for (const LedgerCounter& counter : kCounters) text += fmt::format(",{}", layer.*counter.member);
  };
  for (const LayerLedger& layer : ledger.layers) add_line(layer);
  add_line(ledger.total());
  return text + "\n";
}

}  // namespace synfire
