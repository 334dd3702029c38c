#pragma once

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include <hdf5.h>

#include "core/hdf5_file.hpp"
#include "core/shape.hpp"

/// What the parts of core/ that call the HDF5 library share. Not installed.
namespace synfire::hdf5 {

/// Takes the library's mutex, which every public function holds, and keeps the library from printing its error stack.
std::unique_lock<std::mutex> lock_library();

/// The innermost entry of the library's error stack: what really went wrong.
std::string library_reason();

/// An HDF5 identifier with the function that closes it.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle& operator=(Handle&&) = delete;

  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// One data set or group of one file, for the work on it and for messages about it. Used with the mutex held.
struct Place {
  hid_t file;
  const std::filesystem::path& name;
  const std::string& path;

  Place(hid_t open_file, const std::filesystem::path& file_name, const std::string& path_inside)
      : file(open_file), name(file_name), path(path_inside) {}
  /// `path_inside` must outlive the place.
  Place(const Hdf5File& open_file, const std::string& path_inside)
      : Place(open_file.handle_, open_file.file_, path_inside) {}

  [[noreturn]] void fail_library(const char* action) const;
  [[noreturn]] void fail_format(const std::string& problem) const;
  void check(bool good, const char* action) const {
    if (!good) fail_library(action);
  }
  Handle checked(hid_t id, herr_t (*close)(hid_t), const char* action) const {
    check(id >= 0, action);
    return {id, close};
  }

  bool exists() const;
  Handle open_data_set() const;
  Shape shape_of(const Handle& set) const;
  /// Compares what a data set declares with what is stored for it, before memory for it is asked for.
  void check_plausible_size(const Handle& set, const Shape& shape, std::size_t element_bytes) const;
};

Handle new_space(const Place& place, std::span<const hsize_t> extents, const hsize_t* most = nullptr);

/// How the chunks of a data set pass to the disk. Arrays of variable length lie elsewhere, and take no filter.
enum class Filters { none, checksum, checksum_and_deflate };

/// Makes the groups on the way. No times are stored, so equal content gives equal files.
Handle new_data_set(const Place& place, hid_t type, const Handle& space, hsize_t chunk_length = 0,
                    Filters filters = Filters::none);

/// Lengthens a one-dimensional data set by `count` and selects the new part, whose space it returns.
Handle grow(const Place& place, const Handle& set, std::size_t count);

}  // namespace synfire::hdf5
