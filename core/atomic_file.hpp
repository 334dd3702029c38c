#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace synfire {

/// Writes `content` to `file` so that at every moment either the old file or the whole new one has the name: written
/// aside, synced, renamed. \throws FileError, and leaves nothing behind
void write_file_atomically(const std::filesystem::path& file, std::string_view content);

/// The second half of the above, for a file that something else wrote: brings `aside` to the disk and gives it the name
/// `file`, which it replaces. Both lie in the same folder. \throws FileError, and leaves `aside` as it is
void publish_file(const std::filesystem::path& aside, const std::filesystem::path& file);

/// The whole file. \throws FileError
std::string read_whole_file(const std::filesystem::path& file);

}  // namespace synfire
