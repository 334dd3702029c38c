#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "core/event_stream.hpp"
#include "tests/support/data_folder.hpp"

namespace synfire::test {

/// formats/nmnist_bin/sample_nmnist.bin: 4,325 events, 654 to 311,175 us, 34x34. Decoded here and not by the reader, so
/// that a mistake of the reader does not look like one of the transforms.
inline std::optional<EventStream> sample_digit() {
  const std::optional<std::filesystem::path> folder = data_folder();
  if (!folder) return std::nullopt;
  std::ifstream file(*folder / "formats" / "nmnist_bin" / "sample_nmnist.bin", std::ios::binary);
  const std::vector<unsigned char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EventStream events;
  events.width = events.height = 34;
  for (std::size_t i = 0; i + 5 <= bytes.size(); i += 5) {
    const std::int64_t t_us =
        (std::int64_t{bytes[i + 2]} & 0x7F) << 16 | std::int64_t{bytes[i + 3]} << 8 | bytes[i + 4];
    events.push_back({t_us, bytes[i], bytes[i + 1], static_cast<std::uint8_t>(bytes[i + 2] >> 7)});
  }
  REQUIRE(events.size() == 4325);
  return events;
}

}  // namespace synfire::test
