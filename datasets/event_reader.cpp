#include "datasets/event_reader.hpp"

#include <cstdio>
#include <limits>
#include <memory>
#include <new>
#include <system_error>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/decoder_input.hpp"

namespace synfire::datasets {

namespace {

void check_size_option(const ReadOptions& options) {
  constexpr int kLargest = std::numeric_limits<std::uint16_t>::max() + 1;
  const bool both_or_none = (options.width == 0) == (options.height == 0);
  if (!both_or_none || options.width < 0 || options.height < 0 || options.width > kLargest || options.height > kLargest)
    throw ConfigError("", 0, "size",
                      fmt::format("width and height of the sensor must be 1 to {}, or both 0 for unknown, got {}x{}",
                                  kLargest, options.width, options.height));
}

Recording decode(const DecoderInput& input, EventFormat format) {
  switch (format) {
    case EventFormat::aedat2:
      return decode_aedat2(input);
    case EventFormat::aedat3:
      return decode_aedat3(input);
    case EventFormat::aedat4:
      return decode_aedat4(input);
    case EventFormat::nmnist_bin:
      return decode_nmnist_bin(input);
  }
  throw ConfigError("", 0, "format", "unknown format of recordings");
}

}  // namespace

void report_damage(const DecoderInput& input, Recording& recording, std::uint64_t offset, const std::string& problem) {
  if (!input.options.lenient) throw FormatError(input.name, offset, problem);
  recording.warnings.push_back(fmt::format("byte {}: {}", offset, problem));
}

std::string outside_sensor(std::size_t event_index, std::int64_t x, std::int64_t y, int width, int height) {
  return fmt::format("event {} is at ({}, {}), outside the sensor of {}x{}", event_index, x, y, width, height);
}

EventColumn<std::byte> load_file(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) throw FileError(file.string(), "no such file");
  if (!std::filesystem::is_regular_file(status)) throw FileError(file.string(), "not a regular file");
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) throw FileError(file.string(), error.message());
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"), &std::fclose);
  if (stream == nullptr) throw FileError(file.string(), "cannot be opened for reading");
  EventColumn<std::byte> bytes(static_cast<std::size_t>(size));
  if (std::fread(bytes.data(), 1, bytes.size(), stream.get()) != bytes.size() || std::fgetc(stream.get()) != EOF)
    throw FileError(file.string(), "its size changed while it was read");
  return bytes;
}

Recording read_recording(const std::filesystem::path& file, const ReadOptions& options) {
  return decode_recording(load_file(file), file.string(), options);
}

Recording decode_recording(std::span<const std::byte> bytes, const std::string& name, const ReadOptions& options) {
  check_size_option(options);
  const EventFormat format = options.format ? *options.format : detect_format(bytes, name);
  try {
    return decode({bytes, name, options}, format);
  } catch (const std::bad_alloc&) {
    throw FileError(name, "there is not enough memory for its events");
  }
}

}  // namespace synfire::datasets
