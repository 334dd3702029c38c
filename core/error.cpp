#include "core/error.hpp"

#include <utility>

#include <fmt/format.h>

namespace synfire {

namespace {

std::string config_text(const std::string& file, int line, const std::string& key, const std::string& problem) {
  std::string where = file;
  if (line > 0) where += fmt::format(":{}", line);
  if (!where.empty()) where += ": ";
  return key.empty() ? where + problem : fmt::format("{}{}: {}", where, key, problem);
}

}  // namespace

ConfigError::ConfigError(std::string file_name, int line_number, std::string key_path, const std::string& problem)
    : Error(config_text(file_name, line_number, key_path, problem)),
      file(std::move(file_name)),
      line(line_number),
      key(std::move(key_path)) {}

FileError::FileError(std::string file_name, const std::string& problem)
    : Error(fmt::format("{}: {}", file_name, problem)), file(std::move(file_name)) {}

FormatError::FormatError(std::string file_name, std::uint64_t byte, const std::string& problem)
    : Error(fmt::format("{}: byte {}: {}", file_name, byte, problem)), file(std::move(file_name)), offset(byte) {}

FormatError::FormatError(std::string file_name, const std::string& problem)
    : Error(fmt::format("{}: {}", file_name, problem)), file(std::move(file_name)), offset(0) {}

}  // namespace synfire
