#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/shape.hpp"

namespace synfire {

namespace hdf5 {
struct Place;
}

/// An HDF5 file, open for reading or being written. Paths inside are `group/sub/name`; groups are made as needed.
/// A file that is being written lies aside (`NAME.partial`) until `commit` renames it, so a half-written file never
/// bears the final name. The HDF5 library is not thread-safe: calls are serialised inside.
/// Errors are FileError (with the HDF5 library's own reason) or FormatError (a data set that is missing or has another
/// type or shape than asked for); both name the file and the path inside.
class Hdf5File {
 public:
  static Hdf5File open(const std::filesystem::path& file);
  static Hdf5File create(const std::filesystem::path& file);
  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&& other) noexcept;
  /// A file that was created and not committed is removed.
  ~Hdf5File();

  /// Flushes, closes, syncs and renames to the final name.
  void commit();

  bool has(const std::string& path) const;
  /// Names of the members of a group, sorted; empty if the group is missing.
  std::vector<std::string> members(const std::string& group) const;
  Shape shape(const std::string& path) const;

  /// T is one of float, double, std::int8_t .. std::int64_t and the unsigned ones. Rank up to Shape::kMaxRank.
  template <class T>
  void write(const std::string& path, std::span<const T> values, const Shape& shape);
  /// Converts between number types of the same class; \throws FormatError if the size differs.
  template <class T>
  void read_into(const std::string& path, std::span<T> values) const;
  template <class T>
  std::vector<T> read(const std::string& path) const;
  /// `count` values of a one-dimensional data set from `begin` on.
  template <class T>
  void read_range(const std::string& path, std::int64_t begin, std::span<T> values) const;
  /// A one-dimensional data set that grows: made on first use, in chunks with a checksum, compressed or not.
  /// Compressed ones read about five times slower from memory.
  template <class T>
  void append(const std::string& path, std::span<const T> values, bool compress = true);

  void write_text(const std::string& path, const std::string& text);
  std::string read_text(const std::string& path) const;

 private:
  friend struct hdf5::Place;
  explicit Hdf5File(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
  std::filesystem::path partial_;  ///< empty when open for reading
  std::int64_t handle_ = -1;
};

}  // namespace synfire
