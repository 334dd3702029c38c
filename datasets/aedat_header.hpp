#pragma once

// Shared by the readers and writers of AEDAT files; not installed.

#include <cstddef>
#include <string_view>

namespace synfire::datasets {

/// Length of the header line at the start of `text`, its line end included, or 0 if data begin there: a record can
/// begin with '#', but does not consist of printable characters up to a line end.
std::size_t aedat_header_line_length(std::string_view text);

/// The line without its end, LF or CRLF.
std::string_view without_line_end(std::string_view line);

/// What stands behind `key` in the line, without blanks around it; empty if the line has another key.
std::string_view value_after(std::string_view line, std::string_view key);

struct SensorSize {
  int width = 0;
  int height = 0;

  bool operator==(const SensorSize&) const = default;
};

/// Size of the sensor of a camera named as in an AEDAT header, such as DVS128, DAVIS240C or Davis346red; 0x0 if
/// unknown.
SensorSize sensor_size_of(std::string_view camera);

}  // namespace synfire::datasets
