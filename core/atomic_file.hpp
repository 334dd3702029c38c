#pragma once

#include <filesystem>
#include <string_view>

namespace synfire {

/// Writes `content` to `file` so that at every moment either the old file or the whole new one has the name: written
/// aside, synced, renamed. \throws FileError, and leaves nothing behind
void write_file_atomically(const std::filesystem::path& file, std::string_view content);

/// The whole file. \throws FileError
std::string read_whole_file(const std::filesystem::path& file);

}  // namespace synfire
