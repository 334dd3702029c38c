#pragma once

// Builds recordings byte by byte from the descriptions of their formats, sharing nothing with the writers.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "core/error.hpp"
#include "datasets/event_reader.hpp"

namespace synfire::datasets::test_bytes {

inline std::string big(std::uint64_t value, int num_bytes) {
  std::string out;
  for (int i = num_bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

inline std::string little(std::uint64_t value, int num_bytes) {
  std::string out;
  for (int i = 0; i < num_bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

inline Recording decode(const std::string& content, const ReadOptions& options = {},
                        const std::string& name = "memory") {
  return decode_recording(bytes_of(content), name, options);
}

/// The text of the error of this type that decoding ends with; empty if it does not.
template <class ErrorType>
std::string decode_error(const std::string& content, const ReadOptions& options = {},
                         const std::string& name = "memory") {
  try {
    decode(content, options, name);
  } catch (const ErrorType& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace synfire::datasets::test_bytes
