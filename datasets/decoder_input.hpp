#pragma once

// Shared by the decoders of the formats; not installed.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>

#include "core/event_stream.hpp"
#include "datasets/event_reader.hpp"

namespace synfire::datasets {

static_assert(std::endian::native == std::endian::little, "the decoders load little-endian words as they are");

/// The largest sensor of ATIS recordings in 40-bit records, and the y that means a time overflow in them.
inline constexpr int kAtisWidth = 240;
inline constexpr int kAtisHeight = 180;
inline constexpr int kAtisOverflowY = 240;

/// What a decoder is given.
struct DecoderInput {
  std::span<const std::byte> bytes;
  const std::string& name;
  const ReadOptions& options;
};

Recording decode_aedat2(const DecoderInput& input);
Recording decode_aedat3(const DecoderInput& input);
Recording decode_aedat4(const DecoderInput& input);
Recording decode_nmnist_bin(const DecoderInput& input);

/// Throws FormatError, or adds the warning if `lenient`.
void report_damage(const DecoderInput& input, Recording& recording, std::uint64_t offset, const std::string& problem);

/// Text of the error about an event outside the sensor.
std::string outside_sensor(std::size_t event_index, std::int64_t x, std::int64_t y, int width, int height);

/// How many of the events [begin, end) are earlier than the event before them.
inline std::int64_t count_backward_steps(const EventColumn<std::int64_t>& t_us, std::size_t begin, std::size_t end) {
  std::int64_t count = 0;
  for (std::size_t i = std::max<std::size_t>(begin, 1); i < end; ++i) count += t_us[i] < t_us[i - 1];
  return count;
}

/// The bytes of a regular file. \throws FileError if it is none, cannot be read or changes while being read
EventColumn<std::byte> load_file(const std::filesystem::path& file);

template <class Word>
Word load_little(const std::byte* from) {
  Word word;
  std::memcpy(&word, from, sizeof(Word));
  return word;
}

inline std::uint16_t swap_bytes(std::uint16_t word) { return __builtin_bswap16(word); }
inline std::uint32_t swap_bytes(std::uint32_t word) { return __builtin_bswap32(word); }
inline std::uint64_t swap_bytes(std::uint64_t word) { return __builtin_bswap64(word); }

template <class Word>
Word load_big(const std::byte* from) {
  return swap_bytes(load_little<Word>(from));
}

}  // namespace synfire::datasets
