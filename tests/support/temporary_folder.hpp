#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include <unistd.h>

namespace synfire::test {

/// An empty folder of its own for one test, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(new_path()) { std::filesystem::create_directories(path_); }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  static std::filesystem::path new_path() {
    static std::atomic<int> counter = 0;
    return std::filesystem::temp_directory_path() /
           ("synfire_test_" + std::to_string(::getpid()) + "_" + std::to_string(counter++));
  }

  std::filesystem::path path_;
};

}  // namespace synfire::test
