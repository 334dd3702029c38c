#pragma once

#include <cstddef>
#include <string>

#include "core/hdf5_place.hpp"

namespace synfire::hdf5 {

/// The bytes of a one-dimensional data set as they lie in the file, filters undone, nothing converted: for what the
/// library converts without checking. Chunks that were never written are zeros. With the mutex held.
/// \param count  of elements, which the caller has found plausible
/// \throws FormatError for compact storage and for filters other than deflate and shuffle, and for damage
std::string read_raw(const Place& place, const Handle& set, std::ptrdiff_t count, std::size_t element_bytes);

}  // namespace synfire::hdf5
