#pragma once

// The layers of an AEDAT4 file below its events: header, streams, packets, compression. Not installed.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/event_stream.hpp"

namespace synfire::datasets::aedat4 {

inline constexpr char kMagic[] = "#!AER-DAT4.0\r\n";
inline constexpr std::size_t kMagicBytes = sizeof(kMagic) - 1;
inline constexpr std::size_t kPacketHeaderBytes = 8;

enum class Compression { none = 0, lz4 = 1, lz4_high = 2, zstd = 3, zstd_high = 4 };

/// One stream that the header announces.
struct Stream {
  int id = 0;
  std::string type;  ///< EVTS, FRME, IMUS, TRIG, ...
  int width = 0;     ///< 0 if the header does not say
  int height = 0;
  std::string source;
};

struct Header {
  Compression compression = Compression::none;
  std::int64_t table_position = -1;  ///< of the table at the end, or -1 if there is none
  std::vector<Stream> streams;
  std::uint64_t size = 0;  ///< where the packets begin
};

/// \throws FormatError with the name of the file
Header parse_header(std::span<const std::byte> bytes, const std::string& name);

struct Packet {
  std::uint64_t offset = 0;  ///< of its content, behind the packet header
  std::int32_t stream = 0;
  std::int32_t size = 0;
};

/// The flatbuffer without its size prefix's excess: exactly prefix and root, or nothing if they are not all there.
std::span<const std::byte> size_prefixed(std::span<const std::byte> bytes);

/// Undoes the compression of packets, with contexts and memory that are used again. What all packets together may
/// expand to is limited, so that a small file cannot ask for any amount of memory.
class Decompressor {
 public:
  Decompressor(Compression compression, std::uint64_t budget_bytes);
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /// The plain content, valid until the next call and aligned for any scalar. Returns nothing and sets problem() if the
  /// content is damaged or too large.
  std::optional<std::span<const std::byte>> expand(std::span<const std::byte> content);
  const std::string& problem() const { return problem_; }

 private:
  struct Contexts;

  bool expand_lz4(std::span<const std::byte> content);
  bool expand_zstd(std::span<const std::byte> content);
  /// Room for more output, or false if the budget is spent.
  bool grow();
  bool fail(const std::string& problem);

  Compression compression_;
  std::uint64_t budget_bytes_;
  std::unique_ptr<Contexts> contexts_;
  EventColumn<std::byte> plain_;
  std::size_t filled_ = 0;
  std::string problem_;
};

}  // namespace synfire::datasets::aedat4
