#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace synfire::datasets {

/// The formats of recordings that are read and written here; docs/formats.md has their layouts.
enum class EventFormat {
  aedat2,      ///< AEDAT 2.0 and 1.0 (jAER)
  aedat3,      ///< AEDAT 3.0 and 3.1 (cAER, DVS128 Gesture)
  aedat4,      ///< AEDAT 4.0 (DV)
  nmnist_bin,  ///< 40-bit ATIS records (N-MNIST, N-Caltech101), without a header
};

/// `aedat2`, `aedat3`, `aedat4` or `bin`: the word for options and reports.
std::string_view format_name(EventFormat format);

/// The inverse of format_name. \throws ConfigError that lists the known words
EventFormat format_from_name(std::string_view name);

/// The format of a recording by its first bytes. Only a `.bin` has none to show: it is taken for N-MNIST if its name
/// ends in `.bin` and the x and y of all its records are pixels of an ATIS sensor.
///
/// \param name  of the file, for its extension and for error texts
/// \throws FormatError if the content is empty, unknown, or of a known format that is not read here, which it names
EventFormat detect_format(std::span<const std::byte> bytes, const std::string& name);

/// As above; reads the file. \throws FileError if it cannot be read
EventFormat detect_format(const std::filesystem::path& file);

}  // namespace synfire::datasets
