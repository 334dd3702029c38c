#include "datasets/simulate/set_folder.hpp"

#include <fstream>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace synfire::datasets {

namespace fs = std::filesystem;

SetFolder::SetFolder(fs::path place) : place_(std::move(place)) {
  // A trailing slash would put the partial folder inside.
  if (!place_.has_filename()) place_ = place_.parent_path();
  partial_ = place_;
  partial_ += ".partial";
  if (fs::exists(place_)) throw FileError(place_.string(), "exists already; remove it or choose another place");
  std::error_code error;
  fs::remove_all(partial_, error);
  if (!error) fs::create_directories(partial_, error);
  if (error) throw FileError(partial_.string(), "cannot be made: " + error.message());
}

SetFolder::~SetFolder() {
  std::error_code ignored;
  if (!partial_.empty()) fs::remove_all(partial_, ignored);
}

void SetFolder::write(const fs::path& relative, std::string_view content) const {
  const fs::path file = partial_ / relative;
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  std::ofstream out(file, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (error || !out) throw FileError(file.string(), "cannot be written (is the disk full?)");
}

void SetFolder::commit(const std::string& manifest) {
  write(kManifest, manifest);
  std::error_code error;
  fs::rename(partial_, place_, error);
  if (error) throw FileError(place_.string(), "cannot take its name: " + error.message());
  partial_.clear();
}

void SetCounter::add(std::int64_t num_events) {
  const std::lock_guard lock(mutex_);
  num_events_ += num_events;
  ++done_;
  if (progress_) progress_(done_, total_);
}

}  // namespace synfire::datasets
