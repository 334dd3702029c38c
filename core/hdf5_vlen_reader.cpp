#include "core/hdf5_vlen_reader.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/half.hpp"
#include "core/hdf5_place.hpp"
#include "core/hdf5_raw.hpp"

namespace synfire {

using namespace hdf5;

namespace {

constexpr std::size_t kReferenceBytes = 16;  // length u32, position u64, object u32
constexpr std::size_t kHeapHeader = 16;      // "GCOL", version u8, 3 bytes, size u64
constexpr std::size_t kObjectHeader = 16;    // number u16, references u16, 4 bytes, size u64

/// Little-endian, as HDF5 files are.
template <class T>
T number_at(const void* bytes) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

bool is_half(hid_t type) {
  std::size_t sign = 0, exponent = 0, exponent_bits = 0, fraction = 0, fraction_bits = 0;
  return H5Tget_size(type) == 2 && H5Tget_order(type) == H5T_ORDER_LE && H5Tget_ebias(type) == 15 &&
         H5Tget_fields(type, &sign, &exponent, &exponent_bits, &fraction, &fraction_bits) >= 0 && sign == 15 &&
         exponent == 10 && exponent_bits == 5 && fraction == 0 && fraction_bits == 10;
}

}  // namespace

Hdf5VlenReader::Hdf5VlenReader(const Hdf5File& file, const std::string& path) : path_(path) {
  std::string references;
  {
    const auto lock = lock_library();
    name_ = Place(file, path_).name;
    read_type(file);
    references = read_references(file);
  }
  in_.open(name_, std::ios::binary);
  if (!in_) throw FileError(name_.string(), "cannot open");
  file_size_ = std::filesystem::file_size(name_);
  decode_references(references);
}

void Hdf5VlenReader::fail(const std::string& problem) const {
  throw FormatError(name_.string(), fmt::format("{}: {}", path_, problem));
}

void Hdf5VlenReader::read_element_type(const Handle& type) {
  element_bytes_ = H5Tget_size(type.get());
  if (H5Tget_class(type.get()) == H5T_FLOAT) {
    element_ = Element::real;
    if (!is_half(type.get()) && H5Tequal(type.get(), H5T_IEEE_F32LE) <= 0 && H5Tequal(type.get(), H5T_IEEE_F64LE) <= 0)
      fail("real numbers must be IEEE with 16, 32 or 64 bits, little-endian");
  } else {
    element_ = Element::integer;
    if (H5Tget_class(type.get()) != H5T_INTEGER || H5Tget_order(type.get()) == H5T_ORDER_BE || element_bytes_ > 8 ||
        !std::has_single_bit(element_bytes_) || H5Tget_precision(type.get()) != 8 * element_bytes_)
      fail("must hold arrays of real numbers or of integers of 8 to 64 bits, little-endian");
  }
}

void Hdf5VlenReader::read_type(const Hdf5File& file) {
  const Place place(file, path_);
  const Handle set = place.open_data_set();
  const Handle type = place.checked(H5Dget_type(set.get()), H5Tclose, "cannot read the type");
  if (H5Tis_variable_str(type.get()) > 0) {
    element_ = Element::letter;
    element_bytes_ = 1;
  } else {
    if (H5Tget_class(type.get()) != H5T_VLEN) fail("must hold arrays of variable length");
    read_element_type(place.checked(H5Tget_super(type.get()), H5Tclose, "cannot read the type"));
  }
  const Handle creation = place.checked(H5Fget_create_plist(place.file), H5Pclose, "cannot read the file's properties");
  std::size_t address_bytes = 0, length_bytes = 0;
  hsize_t user_block = 0;
  place.check(H5Pget_sizes(creation.get(), &address_bytes, &length_bytes) >= 0 &&
                  H5Pget_userblock(creation.get(), &user_block) >= 0,
              "cannot read the file's properties");
  if (address_bytes != 8 || length_bytes != 8 || user_block != 0)
    fail("only files with addresses of 8 bytes and without a user block are read; h5repack makes one");
}

std::string Hdf5VlenReader::read_references(const Hdf5File& file) {
  const Place place(file, path_);
  const Handle set = place.open_data_set();
  const Shape shape = place.shape_of(set);
  if (shape.rank() < 1) place.fail_format("must have an axis");
  place.check_plausible_size(set, shape, kReferenceBytes);
  return read_raw(place, set, shape.size(), kReferenceBytes);
}

void Hdf5VlenReader::decode_references(const std::string& bytes) {
  rows_.resize(bytes.size() / kReferenceBytes);
  std::uint64_t total = 0;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const char* at = bytes.data() + row * kReferenceBytes;
    rows_[row] = {number_at<std::uint32_t>(at), number_at<std::uint32_t>(at + 12), number_at<std::uint64_t>(at + 4)};
    total += std::uint64_t{rows_[row].length} * element_bytes_;
    // Each row has a place of its own, so that all of them together are not more than the file.
    if (total > file_size_)
      fail(fmt::format("the rows up to {} claim {} bytes, the file has {}", row, total, file_size_));
  }
}

void Hdf5VlenReader::load_heap(std::uint64_t position) {
  heap_position_ = 0;  // no collection lies where the file begins
  objects_.clear();
  if (position > file_size_ || file_size_ - position < kHeapHeader)
    fail(fmt::format("a row refers to byte {}, the file has {}", position, file_size_));
  std::array<char, kHeapHeader> header{};
  in_.clear();
  in_.seekg(static_cast<std::streamoff>(position));
  if (!in_.read(header.data(), header.size())) throw FileError(name_.string(), "cannot read");
  const auto size = number_at<std::uint64_t>(header.data() + 8);
  if (std::memcmp(header.data(), "GCOL\1", 5) != 0 || size < kHeapHeader || size > file_size_ - position)
    fail(fmt::format("a row refers to byte {}, where no heap is", position));
  heap_.resize(static_cast<std::size_t>(size));
  in_.seekg(static_cast<std::streamoff>(position));
  if (!in_.read(reinterpret_cast<char*>(heap_.data()), static_cast<std::streamsize>(size)))
    throw FileError(name_.string(), "cannot read");

  for (std::size_t at = kHeapHeader; heap_.size() - at >= kObjectHeader;) {
    const auto object = number_at<std::uint16_t>(heap_.data() + at);
    const auto object_size = number_at<std::uint64_t>(heap_.data() + at + 8);
    if (object == 0) break;  // the rest is free
    at += kObjectHeader;
    if (object_size > heap_.size() - at)
      fail(fmt::format("the heap at byte {} has an object of {} bytes, more than are left", position, object_size));
    if (objects_.size() <= object) objects_.resize(std::size_t{object} + 1);
    objects_[object] = {at, static_cast<std::size_t>(object_size)};
    at += std::min((static_cast<std::size_t>(object_size) + 7) / 8 * 8, heap_.size() - at);
  }
  heap_position_ = position;
}

const std::uint8_t* Hdf5VlenReader::elements(std::int64_t row) {
  const Reference& reference = rows_[static_cast<std::size_t>(row)];
  if (reference.length == 0) return nullptr;
  if (reference.heap != heap_position_ || heap_position_ == 0) load_heap(reference.heap);
  const std::size_t bytes = reference.length * element_bytes_;
  if (reference.object >= objects_.size() || objects_[reference.object].size != bytes)
    fail(fmt::format("row {} refers to object {} with {} bytes, which the heap at byte {} has not", row,
                     reference.object, bytes, reference.heap));
  return heap_.data() + objects_[reference.object].begin;
}

void Hdf5VlenReader::read(std::int64_t row, std::vector<float>& values) {
  if (element_ != Element::real) fail("must hold arrays of real numbers");
  const std::uint8_t* from = elements(row);
  values.resize(row_size(row));
  for (std::size_t i = 0; i < values.size(); ++i, from += element_bytes_) {
    values[i] = element_bytes_ == 2   ? to_float(Half{number_at<std::uint16_t>(from)})
                : element_bytes_ == 4 ? number_at<float>(from)
                                      : static_cast<float>(number_at<double>(from));
  }
}

void Hdf5VlenReader::read(std::int64_t row, std::vector<std::uint64_t>& values) {
  if (element_ != Element::integer) fail("must hold arrays of integers");
  const std::uint8_t* from = elements(row);
  values.resize(row_size(row));
  for (std::size_t i = 0; i < values.size(); ++i, from += element_bytes_) {
    values[i] = 0;
    std::memcpy(&values[i], from, element_bytes_);
  }
}

void Hdf5VlenReader::read(std::int64_t row, std::string& text) {
  if (element_ != Element::letter) fail("must hold texts");
  const std::uint8_t* from = elements(row);
  text.assign(from, from + row_size(row));
  text.resize(std::min(text.find('\0'), text.size()));
}

std::vector<std::string> read_texts(const Hdf5File& file, const std::string& path) {
  std::unique_lock lock = lock_library();
  const Place place(file, path);
  const Handle set = place.open_data_set();
  const Handle type = place.checked(H5Dget_type(set.get()), H5Tclose, "cannot read the type");
  if (H5Tget_class(type.get()) != H5T_STRING) place.fail_format("must hold texts");
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type.get()) > 0) {
    lock.unlock();
    Hdf5VlenReader rows(file, path);
    texts.resize(static_cast<std::size_t>(rows.num_rows()));
    for (std::int64_t row = 0; row < rows.num_rows(); ++row) rows.read(row, texts[static_cast<std::size_t>(row)]);
    return texts;
  }
  const Shape shape = place.shape_of(set);
  if (shape.rank() < 1) place.fail_format("must have an axis");
  const std::size_t length = H5Tget_size(type.get());
  place.check_plausible_size(set, shape, length);
  std::string letters(length * static_cast<std::size_t>(shape.size()), '\0');
  if (H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, letters.data()) < 0)
    place.fail_format("cannot read the texts: " + library_reason());
  for (std::size_t at = 0; at < letters.size(); at += length) {
    texts.push_back(letters.substr(at, length));
    texts.back().resize(std::min(texts.back().find('\0'), length));
  }
  return texts;
}

}  // namespace synfire
