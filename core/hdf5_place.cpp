#include "core/hdf5_place.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire::hdf5 {

namespace {

/// The library keeps global state and is built without thread safety.
std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

herr_t keep_first_description(unsigned position, const H5E_error2_t* error, void* reason) {
  if (position == 0 && error->desc != nullptr) *static_cast<std::string*>(reason) = error->desc;
  return 0;
}

}  // namespace

std::unique_lock<std::mutex> lock_library() {
  std::unique_lock lock(library_mutex());
  static const bool quiet = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  static_cast<void>(quiet);
  return lock;
}

std::string library_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first_description, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? "the HDF5 library gives no reason" : reason;
}

void Place::fail_library(const char* action) const {
  throw FileError(name.string(), fmt::format("{}: {}: {}", path, action, library_reason()));
}

void Place::fail_format(const std::string& problem) const {
  throw FormatError(name.string(), fmt::format("{}: {}", path, problem));
}

// H5Lexists asks for the last part only and fails if an earlier one is missing.
bool Place::exists() const {
  if (file < 0) throw FileError(name.string(), "is closed");
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string head = path.substr(0, end);
    if (head.empty() || head == "/") continue;
    if (H5Lexists(file, head.c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return true;
}

Handle Place::open_data_set() const {
  if (!exists()) fail_format("is missing");
  Handle set{H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose};
  if (!set) fail_format("is not a readable data set: " + library_reason());
  return set;
}

Shape Place::shape_of(const Handle& set) const {
  const Handle space = checked(H5Dget_space(set.get()), H5Sclose, "cannot read the shape");
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank < 0 || rank > Shape::kMaxRank)
    fail_format(fmt::format("must have at most {} axes, has {}", Shape::kMaxRank, rank));
  std::array<hsize_t, Shape::kMaxRank> extents{};
  check(H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr) >= 0, "cannot read the shape");
  try {
    Shape shape;
    for (int axis = rank; axis-- > 0;)
      shape = shape.prepend(static_cast<std::ptrdiff_t>(extents[static_cast<std::size_t>(axis)]));
    return shape;
  } catch (const ShapeError& error) {
    fail_format(fmt::format("has a shape that cannot be: {}", error.what()));
  }
}

void Place::check_plausible_size(const Handle& set, const Shape& shape, std::size_t element_bytes) const {
  constexpr double kDeflateLimit = 1100.0;            // Deflate packs at most 1032 bytes into one.
  constexpr double kUnwrittenBytes = 64.0 * 1048576;  // A data set may leave chunks unwritten: they read as zeros.
  const double declared = static_cast<double>(shape.size()) * static_cast<double>(element_bytes);
  const double stored = std::min(static_cast<double>(H5Dget_storage_size(set.get())),
                                 static_cast<double>(std::filesystem::file_size(name)));
  if (declared > std::max(kUnwrittenBytes, kDeflateLimit * stored))
    fail_format(fmt::format("claims {} values, but only {:.0f} bytes are stored", shape.size(), stored));
}

Handle new_space(const Place& place, std::span<const hsize_t> extents, const hsize_t* most) {
  return place.checked(extents.empty() ? H5Screate(H5S_SCALAR)
                                       : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), most),
                       H5Sclose, "cannot create");
}

Handle new_data_set(const Place& place, hid_t type, const Handle& space, hsize_t chunk_length, Filters filters) {
  const Handle link = place.checked(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "cannot create");
  const Handle set = place.checked(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "cannot create");
  bool good = H5Pset_create_intermediate_group(link.get(), 1) >= 0 && H5Pset_obj_track_times(set.get(), false) >= 0;
  if (chunk_length > 0) good = good && H5Pset_chunk(set.get(), 1, &chunk_length) >= 0;
  if (filters != Filters::none) good = good && H5Pset_fletcher32(set.get()) >= 0;
  if (filters == Filters::checksum_and_deflate)
    good = good && H5Pset_shuffle(set.get()) >= 0 && H5Pset_deflate(set.get(), 1) >= 0;
  place.check(good, "cannot create");
  return place.checked(
      H5Dcreate2(place.file, place.path.c_str(), type, space.get(), link.get(), set.get(), H5P_DEFAULT), H5Dclose,
      "cannot create");
}

Handle grow(const Place& place, const Handle& set, std::size_t count) {
  const Shape shape = place.shape_of(set);
  if (shape.rank() != 1) place.fail_format("cannot grow: has the shape " + shape.text());
  const std::array<hsize_t, 1> first{static_cast<hsize_t>(shape[0])};
  const std::array<hsize_t, 1> length{count};
  const std::array<hsize_t, 1> grown{first[0] + length[0]};
  place.check(H5Dset_extent(set.get(), grown.data()) >= 0, "cannot grow");
  Handle space = place.checked(H5Dget_space(set.get()), H5Sclose, "cannot write");
  place.check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, first.data(), nullptr, length.data(), nullptr) >= 0,
              "cannot write");
  return space;
}

}  // namespace synfire::hdf5
