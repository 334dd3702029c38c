#include "datasets/recording_set.hpp"

#include <exception>
#include <limits>
#include <mutex>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/parallel.hpp"

namespace synfire::datasets {

namespace {

/// Keeps the exception of the lowest index.
class FirstError {
 public:
  void note(std::size_t index) {
    const std::lock_guard lock(mutex_);
    if (index >= index_) return;
    index_ = index;
    error_ = std::current_exception();
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::size_t index_ = std::numeric_limits<std::size_t>::max();
  std::exception_ptr error_;
};

}  // namespace

RecordingSet load_recordings(std::span<const RecordingEntry> entries, const ReadOptions& options) {
  struct Size {
    int width = 0;
    int height = 0;
    bool operator==(const Size&) const = default;
  };
  RecordingSet set;
  set.recordings.resize(entries.size());
  std::vector<Size> sizes(entries.size());
  std::vector<std::vector<std::string>> warnings(entries.size());
  FirstError first_error;

  parallel_for(static_cast<std::ptrdiff_t>(entries.size()), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t at = begin; at < end; ++at) {
      const auto i = static_cast<std::size_t>(at);
      try {
        const Recording recording = read_recording(entries[i].path, options);
        set.recordings[i] = compact(recording.events, entries[i].path.string());
        sizes[i] = {recording.events.width, recording.events.height};
        warnings[i] = recording.warnings;
      } catch (...) {
        first_error.note(i);
      }
    }
  });
  first_error.rethrow();

  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!(sizes[i] == sizes[0]))
      throw FormatError(entries[i].path.string(),
                        fmt::format("the sensor is {} x {}, that of {} is {} x {}", sizes[i].width, sizes[i].height,
                                    entries[0].path.string(), sizes[0].width, sizes[0].height));
    set.files.push_back(entries[i].path.string());
    for (const std::string& warning : warnings[i]) set.warnings.push_back(set.files[i] + ": " + warning);
  }
  if (!sizes.empty()) {
    set.width = sizes[0].width;
    set.height = sizes[0].height;
  }
  return set;
}

}  // namespace synfire::datasets
