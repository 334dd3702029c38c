#include "datasets/aedat_header.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace synfire::datasets {

std::size_t aedat_header_line_length(std::string_view text) {
  constexpr std::size_t kLongest = 64 * 1024;
  if (!text.starts_with('#')) return 0;
  const std::size_t limit = std::min(text.size(), kLongest);
  for (std::size_t i = 1; i < limit; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') return i + 1;
    const bool printable = c == '\t' || (c >= 0x20 && c != 0x7f) || (c == '\r' && i + 1 < limit && text[i + 1] == '\n');
    if (!printable) return 0;
  }
  return 0;
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view value_after(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) return {};
  line.remove_prefix(key.size());
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t") + 1 - begin);
}

SensorSize sensor_size_of(std::string_view camera) {
  struct Known {
    std::string_view prefix;
    SensorSize size;
  };
  // jAER called the first DAVIS240 chips SBret10 and SBret20.
  constexpr std::array kKnown{Known{"dvs128", {128, 128}},   Known{"tmpdiff128", {128, 128}},
                              Known{"davis240", {240, 180}}, Known{"sbret", {240, 180}},
                              Known{"davis346", {346, 260}}, Known{"davis640", {640, 480}}};
  std::string name(camera.substr(0, 16));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const Known& known : kKnown)
    if (name.starts_with(known.prefix)) return known.size;
  return {};
}

}  // namespace synfire::datasets
