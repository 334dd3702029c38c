#include "datasets/idx.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>
#include <zlib.h>

#include "core/error.hpp"
#include "datasets/decoder_input.hpp"

namespace synfire::datasets {

namespace {

constexpr std::size_t kMaxDimensions = 3;

/// Bytes of an IDX file in order, inflated on the way if they are compressed.
class ByteSource {
 public:
  ByteSource(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {
    compressed_ = bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
    constexpr int kGzip = 16;
    if (compressed_ && inflateInit2(&stream_, MAX_WBITS + kGzip) != Z_OK)
      throw BackendError("[read_idx] cannot set up zlib");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  }
  ~ByteSource() {
    if (compressed_) inflateEnd(&stream_);
  }
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// No more than this can come of the file; deflate expands by at most 1032.
  std::uint64_t most() const { return bytes_.size() * std::uint64_t{compressed_ ? 1032U : 1U}; }

  /// Fills `out` as far as the bytes last; returns how many came.
  std::size_t read(std::span<std::byte> out) {
    if (!compressed_) {
      const std::size_t count = std::min(out.size(), bytes_.size() - used_);
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), count, out.begin());
      used_ += count;
      return count;
    }
    std::size_t filled = 0;
    while (filled < out.size() && !ended_) {
      constexpr std::size_t kMost = std::size_t{1} << 30U;  // zlib counts in 32 bits
      const auto room = static_cast<uInt>(std::min(kMost, out.size() - filled));
      const auto in = static_cast<uInt>(std::min(kMost, bytes_.size() - used_));
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      stream_.avail_out = room;
      stream_.avail_in = in;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      used_ += in - stream_.avail_in;
      filled += room - stream_.avail_out;
      ended_ = status == Z_STREAM_END;
      if (status == Z_BUF_ERROR) break;
      if (status != Z_OK && status != Z_STREAM_END)
        throw FormatError(name_, used_, fmt::format("gzip: {}", stream_.msg != nullptr ? stream_.msg : "damaged"));
    }
    return filled;
  }

  /// Whether everything has been read, with the checksum of a compressed file.
  bool at_end() {
    std::array<std::byte, 1> more{};
    return read(more) == 0 && (!compressed_ || ended_) && used_ == bytes_.size();
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
  bool compressed_ = false;
  bool ended_ = false;
  std::size_t used_ = 0;
  z_stream stream_{};
};

/// Reads a file of unsigned bytes with `num_dimensions` dimensions: their sizes, and the content.
std::vector<std::uint8_t> read_array(std::span<const std::byte> bytes, const std::string& name,
                                     std::size_t num_dimensions, std::array<std::size_t, kMaxDimensions>& dimensions) {
  ByteSource source(bytes, name);
  std::array<std::byte, 4 + 4 * kMaxDimensions> header{};
  const std::size_t header_bytes = 4 + 4 * num_dimensions;
  if (source.read(std::span(header).first(header_bytes)) != header_bytes)
    throw FormatError(name, bytes.size(), fmt::format("an IDX header has {} bytes, the file is shorter", header_bytes));
  constexpr std::uint32_t kUnsignedBytes = 0x08;
  const auto expected = (kUnsignedBytes << 8U) | static_cast<std::uint32_t>(num_dimensions);
  if (const auto magic = load_big<std::uint32_t>(header.data()); magic != expected)
    throw FormatError(
        name, 0, fmt::format("expected the magic number {:#010x} of an IDX file, found {:#010x}", expected, magic));
  std::uint64_t size = 1;
  for (std::size_t i = 0; i < num_dimensions; ++i) {
    dimensions[i] = load_big<std::uint32_t>(header.data() + 4 + 4 * i);
    if (dimensions[i] != 0 && size > source.most() / dimensions[i])
      throw FormatError(name, 4 + 4 * i,
                        fmt::format("the header says more values than {} bytes can hold", bytes.size()));
    size *= dimensions[i];
  }
  // Grows with what really comes, so that a header cannot ask for memory that its file does not fill.
  constexpr std::size_t kStep = std::size_t{64} << 20U;
  std::vector<std::uint8_t> values;
  while (values.size() < size) {
    const std::size_t filled = values.size();
    values.resize(filled + std::min<std::size_t>(size - filled, std::max(kStep, filled)));
    const auto room = std::as_writable_bytes(std::span(values)).subspan(filled);
    if (const std::size_t count = source.read(room); count != room.size())
      throw FormatError(name, bytes.size(),
                        fmt::format("the header says {} values, the file has {}", size, filled + count));
  }
  if (!source.at_end())
    throw FormatError(name, header_bytes, fmt::format("the file goes on after its {} values", size));
  return values;
}

}  // namespace

IdxImages decode_idx_images(std::span<const std::byte> bytes, const std::string& name) {
  std::array<std::size_t, kMaxDimensions> dimensions{};
  std::vector<std::uint8_t> pixels = read_array(bytes, name, 3, dimensions);
  return {dimensions[0], dimensions[1], dimensions[2], std::move(pixels)};
}

std::vector<std::uint8_t> decode_idx_labels(std::span<const std::byte> bytes, const std::string& name) {
  std::array<std::size_t, kMaxDimensions> dimensions{};
  return read_array(bytes, name, 1, dimensions);
}

IdxImages read_idx_images(const std::filesystem::path& file) {
  return decode_idx_images(load_file(file), file.string());
}

std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& file) {
  return decode_idx_labels(load_file(file), file.string());
}

}  // namespace synfire::datasets
