#include "core/hdf5_raw.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <zlib.h>

#include "core/error.hpp"

namespace synfire::hdf5 {

namespace {

/// Not by the library: H5Dread_chunk reads what the chunk's index says into memory of the size that
/// H5Dget_chunk_storage_size has told, which in a damaged file are two sizes.
std::string read_bytes(const Place& place, std::uint64_t position, std::uint64_t count) {
  const std::uint64_t file_bytes = std::filesystem::file_size(place.name);
  if (count > file_bytes || position > file_bytes - count)
    place.fail_format(fmt::format("claims {} bytes from byte {} on, the file has {}", count, position, file_bytes));
  std::string bytes(static_cast<std::size_t>(count), '\0');
  std::ifstream in(place.name, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(position));
  if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw FileError(place.name.string(), "cannot read");
  return bytes;
}

std::string inflated(const Place& place, const std::string& packed, std::size_t most_bytes) {
  constexpr std::size_t kMostPacked = 1032;  // bytes that Deflate packs into one
  std::string bytes(std::min(most_bytes, kMostPacked * packed.size()), '\0');
  auto size = static_cast<uLongf>(bytes.size());
  const int status = uncompress(reinterpret_cast<Bytef*>(bytes.data()), &size,
                                reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
  if (status != Z_OK) place.fail_format("a compressed chunk is damaged");
  bytes.resize(size);
  return bytes;
}

/// Shuffled are the first bytes of all elements, then the second ones, and so on.
std::string unshuffled(const std::string& bytes, std::size_t element_bytes) {
  const std::size_t count = bytes.size() / element_bytes;
  std::string result = bytes;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t k = 0; k < element_bytes; ++k) result[i * element_bytes + k] = bytes[k * count + i];
  return result;
}

/// Undoes the filters of a chunk, the last one first. Bit i of `skipped` says that filter i was not applied.
std::string unfiltered(const Place& place, hid_t creation, std::uint32_t skipped, std::string bytes,
                       std::size_t chunk_bytes, std::size_t element_bytes) {
  for (unsigned i = static_cast<unsigned>(std::max(0, H5Pget_nfilters(creation))); i-- > 0;) {
    if (i < 32 && ((skipped >> i) & 1U) != 0) continue;
    unsigned flags = 0, config = 0;
    std::size_t num_values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, i, &flags, &num_values, nullptr, 0, nullptr, &config);
    if (filter == H5Z_FILTER_DEFLATE) {
      bytes = inflated(place, bytes, chunk_bytes);
    } else if (filter == H5Z_FILTER_SHUFFLE) {
      bytes = unshuffled(bytes, element_bytes);
    } else {
      place.fail_format(
          fmt::format("is stored with filter {}; deflate and shuffle are read", static_cast<int>(filter)));
    }
  }
  return bytes;
}

std::string read_piece(const Place& place, const Handle& set, std::size_t bytes) {
  const haddr_t position = H5Dget_offset(set.get());
  if (position != HADDR_UNDEF) return read_bytes(place, position, bytes);
  H5Eclear2(H5E_DEFAULT);
  return std::string(bytes, '\0');  // nothing was written
}

std::string read_chunks(const Place& place, const Handle& set, hid_t creation, std::ptrdiff_t count,
                        std::size_t element_bytes) {
  std::array<hsize_t, 1> length{0};
  if (H5Pget_chunk(creation, 1, length.data()) != 1 || length[0] == 0) place.fail_format("has no chunks of one axis");
  const auto wanted = static_cast<std::size_t>(count) * element_bytes;
  const std::size_t chunk_bytes = static_cast<std::size_t>(length[0]) * element_bytes;
  std::string result(wanted, '\0');
  for (std::size_t at = 0; at < wanted; at += chunk_bytes) {
    const std::array<hsize_t, 1> first{at / element_bytes};
    hsize_t stored = 0;
    haddr_t position = HADDR_UNDEF;
    unsigned skipped = 0;
    if (H5Dget_chunk_info_by_coord(set.get(), first.data(), &skipped, &position, &stored) < 0)
      place.fail_format("cannot find a chunk: " + library_reason());
    if (position == HADDR_UNDEF || stored == 0) continue;
    std::string bytes = read_bytes(place, position, stored);
    bytes = unfiltered(place, creation, skipped, std::move(bytes), chunk_bytes, element_bytes);
    if (bytes.size() != chunk_bytes)
      place.fail_format(fmt::format("has a chunk of {} bytes, expected {}", bytes.size(), chunk_bytes));
    bytes.copy(result.data() + at, std::min(chunk_bytes, wanted - at));
  }
  return result;
}

}  // namespace

std::string read_raw(const Place& place, const Handle& set, std::ptrdiff_t count, std::size_t element_bytes) {
  const Handle creation =
      place.checked(H5Dget_create_plist(set.get()), H5Pclose, "cannot read how the data set is stored");
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  if (count == 0) return {};
  if (layout == H5D_CHUNKED) return read_chunks(place, set, creation.get(), count, element_bytes);
  if (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation.get()) == 0)
    return read_piece(place, set, static_cast<std::size_t>(count) * element_bytes);
  place.fail_format("is stored neither in chunks nor in one piece");
}

}  // namespace synfire::hdf5
