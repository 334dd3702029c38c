#include "core/atomic_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"

namespace synfire {

namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const char* action) {
  throw FileError(file.string(), fmt::format("{}: {}", action, std::strerror(errno)));
}

/// A file descriptor that is closed on every way out.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& file, int flags, const char* action)
      : handle_(::open(file.c_str(), flags | O_CLOEXEC, 0666)) {
    if (handle_ < 0) fail(file, action);
  }
  ~Descriptor() { ::close(handle_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return handle_; }

 private:
  int handle_;
};

void write_all(const std::filesystem::path& file, std::string_view content) {
  const Descriptor out(file, O_WRONLY | O_CREAT | O_TRUNC, "cannot create");
  while (!content.empty()) {
    const ssize_t written = ::write(out.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(file, "cannot write");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync(const std::filesystem::path& file, int flags) {
  const Descriptor handle(file, flags, "cannot open");
  if (::fsync(handle.get()) != 0) fail(file, "cannot sync");
}

}  // namespace

void publish_file(const std::filesystem::path& aside, const std::filesystem::path& file) {
  sync(aside, O_RDONLY);
  if (::rename(aside.c_str(), file.c_str()) != 0) fail(file, "cannot rename the finished file");
  // The new name itself is only on the disk once its folder is.
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  sync(folder, O_RDONLY | O_DIRECTORY);
}

void write_file_atomically(const std::filesystem::path& file, std::string_view content) {
  std::filesystem::path aside = file;
  aside += ".partial";
  try {
    write_all(aside, content);
    publish_file(aside, file);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(aside, ignored);
    throw;
  }
}

std::string read_whole_file(const std::filesystem::path& file) {
  const Descriptor in(file, O_RDONLY, "cannot open");
  struct stat status {};
  if (::fstat(in.get(), &status) != 0) fail(file, "cannot read");
  std::string content;
  // The size is a hint only: a pipe has none, and a file can grow meanwhile.
  content.resize(S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) + 1 : std::size_t{1} << 16U);
  std::size_t filled = 0;
  while (true) {
    if (filled == content.size()) content.resize(2 * filled);
    const ssize_t count = ::read(in.get(), content.data() + filled, content.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(file, "cannot read");
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  content.resize(filled);
  return content;
}

}  // namespace synfire
