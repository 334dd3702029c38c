#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/half.hpp"
#include "core/hdf5_file.hpp"

namespace synfire {

/// Adds rows of any length to a one-dimensional data set of variable-length arrays, which is made on first use. T is
/// Half or std::uint16_t; numbers lie in the file as little-endian.
/// \throws FileError as Hdf5File
template <class T>
void append_rows(Hdf5File& file, const std::string& path, std::span<const std::span<const T>> rows);

/// A one-dimensional data set of texts, each filled up with zeros to the length of the longest: what h5py and PyTables
/// both read. \throws FormatError if a text contains a zero byte
void write_texts(Hdf5File& file, const std::string& path, std::span<const std::string> texts);

}  // namespace synfire
