#include "apps/energy_text.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/text_table.hpp"
#include "core/error.hpp"

namespace synfire::apps {

namespace {

using nlohmann::json;

std::string energy(double pj) {
  static constexpr const char* kUnits[] = {"pJ", "nJ", "uJ", "mJ", "J"};
  std::size_t unit = 0;
  while (std::abs(pj) >= 999.5 && unit + 1 < std::size(kUnits)) {
    pj /= 1000.0;
    ++unit;
  }
  return fmt::format("{:.3g} {}", pj, kUnits[unit]);
}

std::string percent(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

/// A mean over the samples, whole from a thousand on.
std::string mean(const json& count, double samples) {
  const double value = count.get<double>() / samples;
  return value < 1000.0 ? fmt::format("{:.4g}", value) : grouped(std::llround(value));
}

std::string break_even(const json& rate) {
  if (rate.is_null()) return "-";
  const auto value = rate.get<double>();
  return value <= 0.0 ? "none" : value >= 1.0 ? "any" : percent(value);
}

std::vector<std::string> executed_row(const std::string& name, const json& counts, const json& energies,
                                      double samples) {
  const auto asked = counts.at("eff_unit").get<std::uint64_t>() + counts.at("eff_graded").get<std::uint64_t>();
  const json& twin = energies.at("twin_per_sample");
  return {name,
          percent(energies.at("rate").get<double>()),
          mean(asked, samples),
          mean(counts.at("exec_acs"), samples),
          mean(counts.at("exec_macs"), samples),
          mean(counts.at("neuron_updates"), samples),
          energy(energies.at("compute").get<double>() / samples),
          energy(energies.at("memory").get<double>() / samples),
          energy(energies.at("per_sample").get<double>()),
          energy(twin.at("total").get<double>()),
          break_even(energies.at("break_even_rate"))};
}

std::vector<std::string> neurobench_row(const std::string& name, const json& counts, double samples) {
  return {name, mean(counts.at("nb_macs"), samples), mean(counts.at("nb_acs"), samples),
          mean(counts.at("dense_synops"), samples)};
}

std::string number_or_dash(const json& value) {
  return value.is_null() ? "-" : fmt::format("{:.4f}", value.get<double>());
}

std::vector<std::string> notes_of(const json& ledger, double samples) {
  const json& total = ledger.at("energy_pj");
  const json& nb = ledger.at("neurobench");
  const auto per_sample = total.at("per_sample").get<double>();
  const auto twin = total.at("twin_per_sample").at("total").get<double>();
  std::vector<std::string> notes;
  notes.push_back(fmt::format(
      "{} samples of {} ticks, engine {}. Energies a sample, prices: {} ({}).", grouped(std::llround(samples)),
      ledger.at("ticks_per_sample").dump(), ledger.at("engine").get<std::string>(),
      ledger.at("technology").at("name").get<std::string>(), ledger.at("technology").at("source").get<std::string>()));
  notes.push_back(
      fmt::format("The dense twin: the same layers with ReLU, run once instead of in ticks, activations of {} bits, "
                  "none of them 0. "
                  "This run takes {:.3g} times its energy.",
                  total.at("twin_bits").get<int>(), per_sample / twin));
  notes.push_back(
      "Break-even: the rate of events at the inputs at which an event-driven run costs as much as the twin; none: "
      "neurons and their memory alone cost more.");
  notes.push_back(
      fmt::format("By the formula of most papers, 4.6 pJ a MAC and 0.9 pJ an AC, no memory, no neurons: {}.",
                  energy(total.at("papers").get<double>() / samples)));
  if (!total.at("lemaire").is_null()) {
    notes.push_back(fmt::format("By the model of Lemaire et al. for its linear layers and convolutions: {}.",
                                energy(total.at("lemaire").get<double>() / samples)));
  }
  notes.push_back(fmt::format(
      "NeuroBench's numbers are those of batches of {} (MACs and ACs depend on it): activation sparsity {}, connection "
      "sparsity {}, {} parameters, {} bytes of parameters, {} membrane updates.",
      ledger.at("batch").get<int>(), number_or_dash(nb.at("activation_sparsity")),
      number_or_dash(nb.at("connection_sparsity")), grouped(nb.at("parameter_count").get<long long>()),
      grouped(nb.at("footprint_parameters").get<long long>()), number_or_dash(nb.at("membrane_updates"))));
  return notes;
}

TextTable table_of(const std::vector<std::vector<std::string>>& rows) {
  TextTable table(rows.front());
  for (std::size_t i = 1; i < rows.size(); ++i) table.add(rows[i]);
  return table;
}

}  // namespace

ReportEnergy energy_section(const std::string& ledger_json, const std::string& name) {
  const json ledger = json::parse(ledger_json, nullptr, false);
  try {
    if (ledger.at("synfire_ledger") != 1) throw FormatError(name, "expected a ledger of version 1");
    const auto samples = ledger.at("samples").get<double>();
    ReportEnergy section;
    section.executed = {{"layer", "rate in", "asked", "ACs", "MACs", "updates", "arithmetic", "memory", "total",
                         "dense twin", "break-even"}};
    section.neurobench = {{"layer", "Effective_MACs", "Effective_ACs", "Dense"}};
    for (const json& layer : ledger.at("layers")) {
      const auto title = layer.at("name").get<std::string>();
      section.executed.push_back(executed_row(title, layer, layer.at("energy_pj"), samples));
      section.neurobench.push_back(
          neurobench_row(title + " (" + layer.at("kind").get<std::string>() + ")", layer, samples));
    }
    section.executed.push_back(executed_row("total", ledger.at("total"), ledger.at("energy_pj"), samples));
    section.neurobench.push_back(neurobench_row("total", ledger.at("total"), samples));
    section.notes = notes_of(ledger, samples);
    return section;
  } catch (const json::exception& problem) {
    throw FormatError(name, problem.what());
  }
}

std::string energy_text(const ReportEnergy& section) {
  std::string text = "Executed, a sample\n" + table_of(section.executed).text() + "\nNeuroBench, a sample\n" +
                     table_of(section.neurobench).text() + "\n";
  for (const std::string& note : section.notes) text += note + "\n";
  return text;
}

}  // namespace synfire::apps
