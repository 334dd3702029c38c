#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace synfire {

/// Root of every exception that Synfire throws. The type is the contract, the text is for people.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Tensors or layers whose shapes do not fit. Text: `[operation] what was expected, what came`.
struct ShapeError : Error {
  using Error::Error;
};

/// A device or library that is not part of this build, or that failed.
struct BackendError : Error {
  using Error::Error;
};

/// A configuration that cannot be used: `file:line: key: problem`. `key` is the dotted path, `line` 0 if unknown.
struct ConfigError : Error {
  ConfigError(std::string file_name, int line_number, std::string key_path, const std::string& problem);

  std::string file;
  int line;
  std::string key;
};

/// A file that cannot be opened, read or written: `file: problem`.
struct FileError : Error {
  FileError(std::string file_name, const std::string& problem);

  std::string file;
};

/// A file that is not what its format says: `file: byte offset: problem`.
struct FormatError : Error {
  FormatError(std::string file_name, std::uint64_t byte, const std::string& problem);
  /// Where a byte means nothing to the reader, as in text and HDF5: `file: problem`, and `offset` is 0.
  FormatError(std::string file_name, const std::string& problem);

  std::string file;
  std::uint64_t offset;  ///< first byte that could not be understood
};

}  // namespace synfire
