#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/atomic_file.hpp"

namespace synfire::test {

/// The bytes of a WAV file of 16-bit samples, built from the format's description.
/// \param claimed  bytes of samples that the header claims; -1 for as many as there are
inline std::string wav_bytes(std::span<const std::int16_t> samples, int rate_hz, int channels = 1,
                             std::int64_t claimed = -1) {
  std::string bytes;
  const auto put = [&bytes](std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
  };
  const auto size = static_cast<std::uint32_t>(claimed < 0 ? static_cast<std::int64_t>(samples.size_bytes()) : claimed);
  const auto rate = static_cast<std::uint32_t>(rate_hz), width = static_cast<std::uint32_t>(channels);
  bytes += "RIFF";
  put(36 + size, 4);
  bytes += "WAVEfmt ";
  put(16, 4);
  put(1, 2);  // PCM
  put(width, 2);
  put(rate, 4);
  put(rate * width * 2, 4);
  put(width * 2, 2);
  put(16, 2);
  bytes += "data";
  put(size, 4);
  for (const std::int16_t sample : samples) put(static_cast<std::uint16_t>(sample), 2);
  return bytes;
}

inline void write_wav(const std::filesystem::path& file, std::span<const std::int16_t> samples, int rate_hz,
                      int channels = 1) {
  std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, wav_bytes(samples, rate_hz, channels));
}

}  // namespace synfire::test
