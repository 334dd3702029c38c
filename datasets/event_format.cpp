#include "datasets/event_format.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/decoder_input.hpp"

namespace synfire::datasets {

namespace {

using namespace std::string_view_literals;

struct FormatWord {
  EventFormat format;
  std::string_view word;
};
constexpr std::array kFormatWords{FormatWord{EventFormat::aedat2, "aedat2"}, FormatWord{EventFormat::aedat3, "aedat3"},
                                  FormatWord{EventFormat::aedat4, "aedat4"},
                                  FormatWord{EventFormat::nmnist_bin, "bin"}};

struct Magic {
  std::string_view start;
  EventFormat format;
};
constexpr std::array kMagics{
    Magic{"#!AER-DAT4.0\r\n"sv, EventFormat::aedat4},
    Magic{"#!AER-DAT3."sv, EventFormat::aedat3},
    Magic{"#!AER-DAT2.0"sv, EventFormat::aedat2},
    Magic{"#!AER-DAT1.0"sv, EventFormat::aedat2},
};

struct ForeignMagic {
  std::string_view start;
  std::string_view what;
};
constexpr std::array kForeignMagics{
    ForeignMagic{"Event Stream"sv, "an Event Stream (.es) file"},
    ForeignMagic{"\x89HDF\r\n\x1a\n"sv, "an HDF5 file"},
    ForeignMagic{"MATLAB 5.0 MAT-file"sv, "a MATLAB .mat file"},
    ForeignMagic{"PK\x03\x04"sv, "a zip or NumPy .npz archive"},
    ForeignMagic{"\x93NUMPY"sv, "a NumPy .npy array"},
    ForeignMagic{"#!AER-DAT"sv, "an AEDAT file of an unknown version"},
    ForeignMagic{"RIFF"sv, "a RIFF (WAV, AVI) file"},
    ForeignMagic{"\x1f\x8b"sv, "a gzip file"},
};

/// The widest ATIS recordings of the format, N-Caltech101; y = 240 is a time overflow.
bool could_be_atis_records(std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i + 5 <= bytes.size(); i += 5) {
    const int x = std::to_integer<int>(bytes[i]);
    const int y = std::to_integer<int>(bytes[i + 1]);
    if (y != kAtisOverflowY && (x >= kAtisWidth || y >= kAtisHeight)) return false;
  }
  return bytes.size() >= 5;
}

/// Prophesee's files begin with lines `% key value`.
std::string_view prophesee_name(std::string_view text) {
  const std::string_view header = text.substr(0, std::min<std::size_t>(text.size(), 4096));
  for (const std::string_view key :
       {"\n% evt "sv, "% evt "sv, "% format "sv, "% system_ID"sv, "% camera_integrator_name"sv})
    if (header.find(key) != std::string_view::npos) return "a Prophesee RAW (EVT) file";
  return "a Prophesee DAT file";
}

}  // namespace

std::string_view format_name(EventFormat format) {
  for (const FormatWord& entry : kFormatWords)
    if (entry.format == format) return entry.word;
  return "unknown";
}

EventFormat format_from_name(std::string_view name) {
  std::string words;
  for (const FormatWord& entry : kFormatWords) {
    if (entry.word == name) return entry.format;
    words += (words.empty() ? "" : ", ") + std::string(entry.word);
  }
  throw ConfigError("", 0, "format", fmt::format("unknown format \"{}\" of recordings; known are {}", name, words));
}

EventFormat detect_format(std::span<const std::byte> bytes, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Magic& magic : kMagics)
    if (text.starts_with(magic.start)) return magic.format;
  for (const ForeignMagic& magic : kForeignMagics)
    if (text.starts_with(magic.start))
      throw FormatError(name, 0, fmt::format("{}, which is not read here", magic.what));
  if (text.starts_with("% "))
    throw FormatError(name, 0, fmt::format("{}, which is not read here", prophesee_name(text)));
  if (text.empty()) throw FormatError(name, 0, "the file is empty");
  if (name.ends_with(".bin") && could_be_atis_records(bytes)) return EventFormat::nmnist_bin;
  throw FormatError(name, 0, "not a recording of a known format (AEDAT 1.0 to 4.0, N-MNIST .bin)");
}

EventFormat detect_format(const std::filesystem::path& file) { return detect_format(load_file(file), file.string()); }

}  // namespace synfire::datasets
