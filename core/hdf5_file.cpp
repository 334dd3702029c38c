#include "core/hdf5_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <hdf5.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/hdf5_place.hpp"

namespace synfire {

using namespace hdf5;

namespace {

struct NumberType {
  hid_t native;
  H5T_class_t type_class;
};

template <class T>
NumberType number_type() {
  if constexpr (std::is_same_v<T, float>) return {H5T_NATIVE_FLOAT, H5T_FLOAT};
  if constexpr (std::is_same_v<T, double>) return {H5T_NATIVE_DOUBLE, H5T_FLOAT};
  if constexpr (std::is_same_v<T, std::int8_t>) return {H5T_NATIVE_INT8, H5T_INTEGER};
  if constexpr (std::is_same_v<T, std::int16_t>) return {H5T_NATIVE_INT16, H5T_INTEGER};
  if constexpr (std::is_same_v<T, std::int32_t>) return {H5T_NATIVE_INT32, H5T_INTEGER};
  if constexpr (std::is_same_v<T, std::int64_t>) return {H5T_NATIVE_INT64, H5T_INTEGER};
  if constexpr (std::is_same_v<T, std::uint8_t>) return {H5T_NATIVE_UINT8, H5T_INTEGER};
  if constexpr (std::is_same_v<T, std::uint16_t>) return {H5T_NATIVE_UINT16, H5T_INTEGER};
  if constexpr (std::is_same_v<T, std::uint32_t>) return {H5T_NATIVE_UINT32, H5T_INTEGER};
  if constexpr (std::is_same_v<T, std::uint64_t>) return {H5T_NATIVE_UINT64, H5T_INTEGER};
}

/// The library would clamp a value that the wanted type cannot hold; a wrong value is worse than none. An infinity fits
/// into every real type, although the library counts it as out of range.
H5T_conv_ret_t refuse_out_of_range(H5T_conv_except_t except, hid_t source_type, hid_t, void* source, void*, void*) {
  if (except != H5T_CONV_EXCEPT_RANGE_HI && except != H5T_CONV_EXCEPT_RANGE_LOW) return H5T_CONV_UNHANDLED;
  if (H5Tget_class(source_type) == H5T_FLOAT && H5Tget_size(source_type) == sizeof(double)) {
    double value = 0.0;
    std::memcpy(&value, source, sizeof value);
    if (std::isinf(value)) return H5T_CONV_UNHANDLED;
  }
  return H5T_CONV_ABORT;
}

template <class T>
void read_values(const Place& place, const Handle& set, hid_t memory_space, hid_t file_space, std::span<T> values) {
  const Handle type = place.checked(H5Dget_type(set.get()), H5Tclose, "cannot read the type");
  if (H5Tget_class(type.get()) != number_type<T>().type_class)
    place.fail_format(number_type<T>().type_class == H5T_FLOAT ? "must hold real numbers" : "must hold integers");
  if (values.empty()) return;
  const Handle transfer = place.checked(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "cannot read");
  place.check(H5Pset_type_conv_cb(transfer.get(), refuse_out_of_range, nullptr) >= 0, "cannot read");
  if (H5Dread(set.get(), number_type<T>().native, memory_space, file_space, transfer.get(), values.data()) < 0)
    place.fail_format(fmt::format("cannot read {} values: {}", values.size(), library_reason()));
}

Handle new_text_type(const Place& place) {
  Handle type = place.checked(H5Tcopy(H5T_C_S1), H5Tclose, "cannot make a text type");
  place.check(H5Tset_size(type.get(), H5T_VARIABLE) >= 0 && H5Tset_cset(type.get(), H5T_CSET_UTF8) >= 0,
              "cannot make a text type");
  return type;
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

Hdf5File Hdf5File::open(const std::filesystem::path& file) {
  const auto lock = lock_library();
  if (!std::filesystem::is_regular_file(file)) throw FileError(file.string(), "no such file");
  if (H5Fis_hdf5(file.c_str()) == 0) throw FormatError(file.string(), "is not an HDF5 file");
  Hdf5File result(file);
  result.handle_ = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (result.handle_ < 0) throw FileError(file.string(), "cannot open: " + library_reason());
  return result;
}

Hdf5File Hdf5File::create(const std::filesystem::path& file) {
  const auto lock = lock_library();
  Hdf5File result(file);
  std::filesystem::path partial = file;
  partial += ".partial";
  result.handle_ = H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (result.handle_ < 0) throw FileError(file.string(), "cannot create: " + library_reason());
  result.partial_ = std::move(partial);
  return result;
}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept
    : file_(std::move(other.file_)),
      partial_(std::exchange(other.partial_, {})),
      handle_(std::exchange(other.handle_, -1)) {}

Hdf5File& Hdf5File::operator=(Hdf5File&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(partial_, other.partial_);
  std::swap(handle_, other.handle_);
  return *this;
}

Hdf5File::~Hdf5File() {
  if (handle_ >= 0) {
    const auto lock = lock_library();
    H5Fclose(handle_);
  }
  if (!partial_.empty()) {
    std::error_code ignored;
    std::filesystem::remove(partial_, ignored);
  }
}

void Hdf5File::commit() {
  const auto lock = lock_library();
  if (partial_.empty()) throw FileError(file_.string(), "is not being written");
  const bool flushed = H5Fflush(handle_, H5F_SCOPE_GLOBAL) >= 0;
  const bool closed = H5Fclose(std::exchange(handle_, -1)) >= 0;
  if (!flushed || !closed) throw FileError(file_.string(), "cannot write: " + library_reason());
  publish_file(partial_, file_);
  partial_.clear();
}

bool Hdf5File::has(const std::string& path) const {
  const auto lock = lock_library();
  return Place{handle_, file_, path}.exists();
}

std::vector<std::string> Hdf5File::members(const std::string& group) const {
  const auto lock = lock_library();
  const std::string path = group.empty() ? "/" : group;
  const Place place{handle_, file_, path};
  if (!place.exists()) return {};
  const Handle opened{H5Gopen2(handle_, path.c_str(), H5P_DEFAULT), H5Gclose};
  if (!opened) place.fail_format("is not a readable group: " + library_reason());
  std::vector<std::string> names;
  place.check(H5Literate(opened.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names) >= 0, "cannot list");
  std::sort(names.begin(), names.end());
  return names;
}

Shape Hdf5File::shape(const std::string& path) const {
  const auto lock = lock_library();
  const Place place{handle_, file_, path};
  return place.shape_of(place.open_data_set());
}

template <class T>
void Hdf5File::write(const std::string& path, std::span<const T> values, const Shape& shape) {
  if (static_cast<std::ptrdiff_t>(values.size()) != shape.size())
    throw ShapeError(fmt::format("[hdf5 write] {} needs {} values for the shape {}, got {}", path, shape.size(),
                                 shape.text(), values.size()));
  const auto lock = lock_library();
  const Place place{handle_, file_, path};
  std::vector<hsize_t> extents(static_cast<std::size_t>(shape.rank()));
  for (int axis = 0; axis < shape.rank(); ++axis)
    extents[static_cast<std::size_t>(axis)] = static_cast<hsize_t>(shape[axis]);
  const Handle set = new_data_set(place, number_type<T>().native, new_space(place, extents));
  if (values.empty()) return;
  place.check(H5Dwrite(set.get(), number_type<T>().native, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0,
              "cannot write");
}

template <class T>
void Hdf5File::read_into(const std::string& path, std::span<T> values) const {
  const auto lock = lock_library();
  const Place place{handle_, file_, path};
  const Handle set = place.open_data_set();
  const Shape shape = place.shape_of(set);
  if (shape.size() != static_cast<std::ptrdiff_t>(values.size()))
    place.fail_format(fmt::format("must hold {} values, has the shape {}", values.size(), shape.text()));
  read_values(place, set, H5S_ALL, H5S_ALL, values);
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& path) const {
  const auto lock = lock_library();
  const Place place{handle_, file_, path};
  const Handle set = place.open_data_set();
  const Shape shape = place.shape_of(set);
  place.check_plausible_size(set, shape, sizeof(T));
  std::vector<T> values(static_cast<std::size_t>(shape.size()));
  read_values(place, set, H5S_ALL, H5S_ALL, std::span<T>(values));
  return values;
}

template <class T>
void Hdf5File::read_range(const std::string& path, std::int64_t begin, std::span<T> values) const {
  const auto lock = lock_library();
  const Place place{handle_, file_, path};
  const Handle set = place.open_data_set();
  const Shape shape = place.shape_of(set);
  const auto count = static_cast<std::int64_t>(values.size());
  if (shape.rank() != 1 || begin < 0 || count > shape[0] || begin > shape[0] - count)
    place.fail_format(
        fmt::format("must hold the values {} to {}, has the shape {}", begin, begin + count, shape.text()));
  const Handle file_space = place.checked(H5Dget_space(set.get()), H5Sclose, "cannot read");
  const std::array<hsize_t, 1> first{static_cast<hsize_t>(begin)};
  const std::array<hsize_t, 1> length{static_cast<hsize_t>(count)};
  const Handle memory_space = new_space(place, length);
  place.check(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, first.data(), nullptr, length.data(), nullptr) >= 0,
              "cannot read");
  read_values(place, set, memory_space.get(), file_space.get(), values);
}

template <class T>
void Hdf5File::append(const std::string& path, std::span<const T> values, bool compress) {
  constexpr hsize_t kChunkLength = 16384;
  const auto lock = lock_library();
  const Place place{handle_, file_, path};
  if (!place.exists()) {
    const std::array<hsize_t, 1> none{0};
    const std::array<hsize_t, 1> unlimited{H5S_UNLIMITED};
    new_data_set(place, number_type<T>().native, new_space(place, none, unlimited.data()), kChunkLength,
                 compress ? Filters::checksum_and_deflate : Filters::checksum);
  }
  if (values.empty()) return;
  const Handle set = place.open_data_set();
  const Handle file_space = grow(place, set, values.size());
  const std::array<hsize_t, 1> count{values.size()};
  const Handle memory_space = new_space(place, count);
  place.check(H5Dwrite(set.get(), number_type<T>().native, memory_space.get(), file_space.get(), H5P_DEFAULT,
                       values.data()) >= 0,
              "cannot write");
}

void Hdf5File::write_text(const std::string& path, const std::string& text) {
  const auto lock = lock_library();
  const Place place{handle_, file_, path};
  if (text.find('\0') != std::string::npos) place.fail_format("a text must not contain a zero byte");
  const Handle type = new_text_type(place);
  const Handle set = new_data_set(place, type.get(), new_space(place, {}));
  const char* pointer = text.c_str();
  place.check(H5Dwrite(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &pointer) >= 0, "cannot write");
}

std::string Hdf5File::read_text(const std::string& path) const {
  const auto lock = lock_library();
  const Place place{handle_, file_, path};
  const Handle set = place.open_data_set();
  const Shape shape = place.shape_of(set);
  const Handle stored = place.checked(H5Dget_type(set.get()), H5Tclose, "cannot read the type");
  if (H5Tget_class(stored.get()) != H5T_STRING || shape.size() != 1) place.fail_format("must hold one text");
  if (H5Tis_variable_str(stored.get()) > 0) {
    const Handle type = new_text_type(place);
    place.check(H5Tset_cset(type.get(), H5Tget_cset(stored.get())) >= 0, "cannot read");
    char* pointer = nullptr;
    if (H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &pointer) < 0)
      place.fail_format("cannot read the text: " + library_reason());
    std::string text = pointer == nullptr ? "" : pointer;
    H5free_memory(pointer);
    return text;
  }
  const std::size_t size = H5Tget_size(stored.get());
  place.check_plausible_size(set, shape, size);
  std::string text(size, '\0');
  if (H5Dread(set.get(), stored.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) < 0)
    place.fail_format("cannot read the text: " + library_reason());
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

#define SYNFIRE_HDF5_TYPE(T)                                                                   \
  template void Hdf5File::write<T>(const std::string&, std::span<const T>, const Shape&);      \
  template void Hdf5File::read_into<T>(const std::string&, std::span<T>) const;                \
  template std::vector<T> Hdf5File::read<T>(const std::string&) const;                         \
  template void Hdf5File::read_range<T>(const std::string&, std::int64_t, std::span<T>) const; \
  template void Hdf5File::append<T>(const std::string&, std::span<const T>, bool);
SYNFIRE_HDF5_TYPE(float)
SYNFIRE_HDF5_TYPE(double)
SYNFIRE_HDF5_TYPE(std::int8_t)
SYNFIRE_HDF5_TYPE(std::int16_t)
SYNFIRE_HDF5_TYPE(std::int32_t)
SYNFIRE_HDF5_TYPE(std::int64_t)
SYNFIRE_HDF5_TYPE(std::uint8_t)
SYNFIRE_HDF5_TYPE(std::uint16_t)
SYNFIRE_HDF5_TYPE(std::uint32_t)
SYNFIRE_HDF5_TYPE(std::uint64_t)
#undef SYNFIRE_HDF5_TYPE

}  // namespace synfire
