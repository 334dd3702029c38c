#pragma once

#include <cstdint>
#include <filesystem>

#include "core/event_stream.hpp"
#include "core/random.hpp"
#include "datasets/event_writer.hpp"

namespace synfire::test {

/// `count` random events of a 34x34 sensor, 1 ms apart.
inline EventStream made_events(std::uint64_t seed, int count) {
  const RandomStream random(seed, 0, 0);
  EventStream events;
  events.width = events.height = 34;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::uint64_t>(3 * i);
    events.push_back({1000 * i, static_cast<std::uint16_t>(random.below(at, 34)),
                      static_cast<std::uint16_t>(random.below(at + 1, 34)),
                      static_cast<std::uint8_t>(random.below(at + 2, 2))});
  }
  return events;
}

/// The same as a file, with the folders above it.
inline void make_recording(const std::filesystem::path& file, std::uint64_t seed, int count = 100) {
  std::filesystem::create_directories(file.parent_path());
  const auto format = file.extension() == ".aedat4" ? datasets::EventFormat::aedat4 : datasets::EventFormat::nmnist_bin;
  datasets::write_recording(file, made_events(seed, count), format);
}

}  // namespace synfire::test
