#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace synfire::apps {

/// What a file of spike trains holds: classes, samples, spikes, durations, speakers.
/// \throws FileError, FormatError
nlohmann::ordered_json describe_spike_trains(const std::string& file);

/// The same as a table.
std::string spike_trains_text(const nlohmann::ordered_json& description);

}  // namespace synfire::apps
