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

std::string inflated(const Place& place, const std::string& packed, std::size_t most_bytes) {
  std::string bytes(most_bytes, '\0');
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

std::string read_chunks(const Place& place, const Handle& set, hid_t creation, std::ptrdiff_t count,
                        std::size_t element_bytes) {
  std::array<hsize_t, 1> length{0};
  if (H5Pget_chunk(creation, 1, length.data()) != 1 || length[0] == 0) place.fail_format("has no chunks of one axis");
  const auto wanted = static_cast<std::size_t>(count) * element_bytes;
  const std::uint64_t file_bytes = std::filesystem::file_size(place.name);
  // Deflate packs at most 1032 bytes into one.
  if (length[0] > 1032 * file_bytes / element_bytes)
    place.fail_format(fmt::format("has chunks of {} elements, more than the file", length[0]));
  const std::size_t chunk_bytes = static_cast<std::size_t>(length[0]) * element_bytes;
  std::string result(wanted, '\0');
  for (std::size_t at = 0; at < wanted; at += chunk_bytes) {
    const std::array<hsize_t, 1> first{at / element_bytes};
    hsize_t stored = 0;
    if (H5Dget_chunk_storage_size(set.get(), first.data(), &stored) < 0 || stored == 0) {
      H5Eclear2(H5E_DEFAULT);
      continue;
    }
    if (stored > file_bytes) place.fail_format(fmt::format("claims a chunk of {} bytes", stored));
    std::string bytes(static_cast<std::size_t>(stored), '\0');
    std::uint32_t skipped = 0;
    if (H5Dread_chunk(set.get(), H5P_DEFAULT, first.data(), &skipped, bytes.data()) < 0)
      place.fail_format("cannot read a chunk: " + library_reason());
    bytes = unfiltered(place, creation, skipped, std::move(bytes), chunk_bytes, element_bytes);
    if (bytes.size() != chunk_bytes)
      place.fail_format(fmt::format("has a chunk of {} bytes, expected {}", bytes.size(), chunk_bytes));
    bytes.copy(result.data() + at, std::min(chunk_bytes, wanted - at));
  }
  return result;
}

std::string read_piece(const Place& place, const Handle& set, std::ptrdiff_t count, std::size_t element_bytes) {
  std::string result(static_cast<std::size_t>(count) * element_bytes, '\0');
  const haddr_t position = H5Dget_offset(set.get());
  if (position == HADDR_UNDEF) {
    H5Eclear2(H5E_DEFAULT);
    return result;  // nothing was written
  }
  std::ifstream in(place.name, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(position));
  if (!in.read(result.data(), static_cast<std::streamsize>(result.size())))
    place.fail_format(fmt::format("claims {} bytes from byte {} on, where the file ends", result.size(), position));
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
    return read_piece(place, set, count, element_bytes);
  place.fail_format("is stored neither in chunks nor in one piece");
}

}  // namespace synfire::hdf5
