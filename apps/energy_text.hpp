#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/report/report.hpp"

namespace synfire::apps {

/// The tables that people read, from the JSON of network/ledger_json.hpp; for the terminal and for the report.
/// \param name  of the JSON, for errors. \throws FormatError if it is not such a ledger
ReportEnergy energy_section(const std::string& ledger_json, const std::string& name);

std::string energy_text(const ReportEnergy& section);

}  // namespace synfire::apps
