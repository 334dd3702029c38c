#pragma once

// Shared by the encoders of the formats; not installed.

#include <cstddef>
#include <cstring>
#include <string>

#include "core/event_stream.hpp"
#include "datasets/event_writer.hpp"

namespace synfire::datasets {

std::string encode_aedat2(const EventStream& events, const std::string& name);
std::string encode_aedat3(const EventStream& events, const std::string& name);
std::string encode_aedat4(const EventStream& events, const std::string& name, const WriteOptions& options);
std::string encode_nmnist_bin(const EventStream& events, const std::string& name);

/// The error about event `index`, which the format cannot represent.
[[noreturn]] void refuse_event(const std::string& name, std::size_t index, const std::string& problem);

template <class Word>
void append_little(std::string& out, Word word) {
  char bytes[sizeof(Word)];
  std::memcpy(bytes, &word, sizeof(Word));
  out.append(bytes, sizeof(Word));
}

}  // namespace synfire::datasets
