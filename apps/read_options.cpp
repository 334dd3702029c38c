#include "apps/read_options.hpp"

#include <charconv>

#include <fmt/format.h>

namespace po = boost::program_options;

namespace synfire::apps {

void add_read_options(CommandLine& line) {
  line.options().add_options()("format", po::value<std::string>(),
                               "format of the input: aedat2, aedat3, aedat4 or bin (default: by content)")(
      "size", po::value<std::string>(), "WIDTHxHEIGHT of the sensor, where the file does not say")(
      "chip", po::value<std::string>(),
      "camera of an AEDAT 2.0 file that does not say: dvs128, davis240, davis346, davis640")(
      "lenient", "damage loses events with a warning instead of being an error");
}

datasets::ReadOptions read_options(const CommandLine& line) {
  datasets::ReadOptions options;
  if (line.has("format")) options.format = datasets::format_from_name(line.get<std::string>("format"));
  options.lenient = line.has("lenient");
  if (line.has("size")) {
    const std::string& text = line.get<std::string>("size");
    const char* const end = text.data() + text.size();
    const auto [cross, width_status] = std::from_chars(text.data(), end, options.width);
    const bool has_cross = width_status == std::errc() && cross != end && *cross == 'x';
    const auto [rest, height_status] = std::from_chars(has_cross ? cross + 1 : end, end, options.height);
    if (!has_cross || height_status != std::errc() || rest != end || options.width <= 0 || options.height <= 0) {
      throw UsageError(fmt::format("--size: expected WIDTHxHEIGHT such as 128x128, got \"{}\"", text));
    }
  }
  if (line.has("chip")) {
    const std::string& chip = line.get<std::string>("chip");
    if (chip == "dvs128") {
      options.chip = datasets::AerChip::dvs128;
    } else if (chip == "davis240") {
      options.chip = datasets::AerChip::davis240;
    } else if (chip == "davis346") {
      options.chip = datasets::AerChip::davis346;
    } else if (chip == "davis640") {
      options.chip = datasets::AerChip::davis640;
    } else {
      throw UsageError(fmt::format("--chip: expected dvs128, davis240, davis346 or davis640, got \"{}\"", chip));
    }
  }
  return options;
}

}  // namespace synfire::apps
