#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace synfire::datasets {

/// Called as a set grows, from one thread at a time: `done` of `total` recordings are written. May throw to give up.
using SetProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// A folder of simulated recordings while it is made. It lies beside its place, as `NAME.partial`, until `commit`
/// writes the manifest and gives it its name, so that a half-made set is never taken for a whole one.
class SetFolder {
 public:
  static constexpr std::string_view kManifest = "manifest.json";

  /// Clears what an interrupted run left in `NAME.partial`. \throws FileError if `place` exists already
  explicit SetFolder(std::filesystem::path place);
  SetFolder(const SetFolder&) = delete;
  SetFolder& operator=(const SetFolder&) = delete;
  /// Removes a folder that was not committed.
  ~SetFolder();

  /// Where the files go until then.
  const std::filesystem::path& partial() const { return partial_; }
  /// Writes a file of the set; makes its folder as needed. For several threads. \throws FileError
  void write(const std::filesystem::path& relative, std::string_view content) const;
  void commit(const std::string& manifest);

 private:
  std::filesystem::path place_;
  std::filesystem::path partial_;
};

/// Counts finished recordings for a SetProgress, which may be empty. For several threads.
class SetCounter {
 public:
  SetCounter(std::int64_t total, const SetProgress& progress) : total_(total), progress_(progress) {}
  void add(std::int64_t num_events);
  std::int64_t num_events() const { return num_events_; }

 private:
  std::mutex mutex_;
  std::int64_t done_ = 0;
  std::int64_t total_;
  std::int64_t num_events_ = 0;
  const SetProgress& progress_;
};

}  // namespace synfire::datasets
