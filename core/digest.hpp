#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace synfire {

/// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// The digest of all bytes so far, 64 lower-case hexadecimal digits; to be called once, last.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of a text.
std::string sha256(std::string_view text);
/// SHA-256 of a file's content, read in pieces. \throws FileError
std::string sha256_file(const std::filesystem::path& file);

}  // namespace synfire
