#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/hdf5_file.hpp"

namespace synfire {

namespace hdf5 {
class Handle;
}

/// Reads an HDF5 data set whose elements, called rows here, are arrays of any length; those of several axes come in
/// row-major order. In the file a row is a reference into a
/// heap, and both are decoded here, with every size checked: the library copies as much as the heap says into memory
/// that is as large as the reference says, so that a damaged file would overflow it. Besides the references, 16 bytes a
/// row, only the part of the heap that was last read is in memory.
///
/// Elements are real numbers of 16, 32 or 64 bits (IEEE), integers, or letters; little-endian. References may be stored
/// in one piece or in chunks, deflated and shuffled or not.
///
/// Errors are FileError or FormatError with the file and the path inside.
class Hdf5VlenReader {
 public:
  /// `file` is used in here only.
  Hdf5VlenReader(const Hdf5File& file, const std::string& path);

  std::int64_t num_rows() const { return static_cast<std::int64_t>(rows_.size()); }
  std::size_t row_size(std::int64_t row) const { return rows_[static_cast<std::size_t>(row)].length; }

  /// Row `row` of real numbers; of 64 bits, they are rounded. \throws FormatError if they are not real
  void read(std::int64_t row, std::vector<float>& values);
  /// Row `row` of integers, whose bits are taken as unsigned. \throws FormatError if they are not integers
  void read(std::int64_t row, std::vector<std::uint64_t>& values);
  /// Row `row` of letters, up to the first zero. \throws FormatError if they are not letters
  void read(std::int64_t row, std::string& text);

 private:
  struct Reference {
    std::uint32_t length = 0;  ///< elements
    std::uint32_t object = 0;
    std::uint64_t heap = 0;  ///< position in the file
  };
  struct Object {
    std::size_t begin = 0;  ///< in heap_
    std::size_t size = 0;
  };
  enum class Element : std::uint8_t { real, integer, letter };

  [[noreturn]] void fail(const std::string& problem) const;
  void read_type(const Hdf5File& file);
  void read_element_type(const hdf5::Handle& type);
  std::string read_references(const Hdf5File& file);
  void decode_references(const std::string& bytes);
  void load_heap(std::uint64_t position);
  /// Where the elements of a row lie; valid until the next row.
  const std::uint8_t* elements(std::int64_t row);

  std::filesystem::path name_;
  std::string path_;
  std::ifstream in_;
  std::uint64_t file_size_ = 0;
  Element element_ = Element::real;
  std::size_t element_bytes_ = 0;
  std::vector<Reference> rows_;
  std::vector<std::uint8_t> heap_;  ///< the collection at heap_position_
  std::uint64_t heap_position_ = 0;
  std::vector<Object> objects_;  ///< of that collection, by their number
};

/// A data set of texts, of fixed or of variable length, in row-major order. \throws FileError, FormatError
std::vector<std::string> read_texts(const Hdf5File& file, const std::string& path);

}  // namespace synfire
