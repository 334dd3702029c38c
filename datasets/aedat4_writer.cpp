#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "aedat4_generated.h"
#include <fmt/format.h>
#include <lz4frame.h>
#include <zstd.h>

#include "core/error.hpp"
#include "datasets/aedat4_packets.hpp"
#include "datasets/encoder_output.hpp"

namespace synfire::datasets {

namespace {

constexpr std::size_t kEventsPerPacket = 8192;
constexpr std::int32_t kStream = 0;

std::string_view name_of(aedat4::Compression compression) {
  switch (compression) {
    case aedat4::Compression::none:
      return "NONE";
    case aedat4::Compression::lz4:
      return "LZ4";
    default:
      return "ZSTD";
  }
}

aedat4::Compression compression_of(const WriteOptions& options) {
  switch (options.compression) {
    case Aedat4Compression::none:
      return aedat4::Compression::none;
    case Aedat4Compression::lz4:
      return aedat4::Compression::lz4;
    case Aedat4Compression::zstd:
      return aedat4::Compression::zstd;
  }
  throw ConfigError("", 0, "compression", "unknown compression of AEDAT4");
}

/// One LZ4 or ZSTD frame for each packet, as DV writes them.
class Compressor {
 public:
  explicit Compressor(aedat4::Compression compression)
      : compression_(compression), zstd_(ZSTD_createCCtx(), &ZSTD_freeCCtx) {
    if (zstd_ == nullptr) throw BackendError("[aedat4] cannot create a ZSTD context");
  }

  /// Appends the compressed flatbuffer to `out`.
  void append(const flatbuffers::FlatBufferBuilder& builder, std::string& out) {
    const std::uint8_t* plain = builder.GetBufferPointer();
    const std::size_t size = builder.GetSize(), begin = out.size();
    if (compression_ == aedat4::Compression::none) {
      out.append(reinterpret_cast<const char*>(plain), size);
      return;
    }
    const bool is_lz4 = compression_ == aedat4::Compression::lz4;
    const std::size_t bound = is_lz4 ? LZ4F_compressFrameBound(size, nullptr) : ZSTD_compressBound(size);
    out.resize(begin + bound);
    const std::size_t written =
        is_lz4 ? LZ4F_compressFrame(out.data() + begin, bound, plain, size, nullptr)
               : ZSTD_compressCCtx(zstd_.get(), out.data() + begin, bound, plain, size, ZSTD_CLEVEL_DEFAULT);
    if (is_lz4 ? LZ4F_isError(written) != 0 : ZSTD_isError(written) != 0)
      throw BackendError("[aedat4] a packet cannot be compressed");
    out.resize(begin + written);
  }

 private:
  aedat4::Compression compression_;
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> zstd_;
};

std::string info_node(const EventStream& events, aedat4::Compression compression) {
  return fmt::format(
      R"(<dv version="2.0">
    <node name="outInfo" path="/mainloop/Recorder/outInfo/">
        <node name="{0}" path="/mainloop/Recorder/outInfo/{0}/">
            <attr key="compression" type="string">{1}</attr>
            <attr key="originalModuleName" type="string">synfire</attr>
            <attr key="originalOutputName" type="string">events</attr>
            <attr key="typeDescription" type="string">Array of events (polarity ON/OFF).</attr>
            <attr key="typeIdentifier" type="string">EVTS</attr>
            <node name="info" path="/mainloop/Recorder/outInfo/{0}/info/">
                <attr key="sizeX" type="int">{2}</attr>
                <attr key="sizeY" type="int">{3}</attr>
                <attr key="source" type="string">Synfire</attr>
                <attr key="tsOffset" type="long">0</attr>
            </node>
        </node>
    </node>
</dv>
)",
      kStream, name_of(compression), events.width, events.height);
}

std::string encode_header(aedat4::Compression compression, std::int64_t table_position, const std::string& info) {
  flatbuffers::FlatBufferBuilder builder;
  builder.FinishSizePrefixed(
      aedat4::CreateIoHeaderDirect(builder, static_cast<int>(compression), table_position, info.c_str()), "IOHE");
  return aedat4::kMagic + std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

}  // namespace

std::string encode_aedat4(const EventStream& events, const std::string& name, const WriteOptions& options) {
  constexpr int kLargest = 1 << 15;
  if (events.width > kLargest || events.height > kLargest)
    throw FileError(name, fmt::format("AEDAT4 is written for sensors up to {0}x{0}, got {1}x{2}", kLargest,
                                      events.width, events.height));
  const aedat4::Compression compression = compression_of(options);
  const std::string info = info_node(events, compression);
  // Any position that is not the default makes a header of the same size.
  const std::size_t header_bytes = encode_header(compression, 0, info).size();
  Compressor compressor(compression);
  flatbuffers::FlatBufferBuilder builder, table_builder;
  std::vector<flatbuffers::Offset<aedat4::FileDataDefinition>> table;
  std::string packets;
  for (std::size_t begin = 0; begin < events.size(); begin += kEventsPerPacket) {
    const std::size_t count = std::min(kEventsPerPacket, events.size() - begin);
    builder.Clear();
    aedat4::Event* elements = nullptr;
    const auto vector = builder.CreateUninitializedVectorOfStructs(count, &elements);
    for (std::size_t i = 0; i < count; ++i) {
      const Event event = events[begin + i];
      elements[i] = aedat4::Event(event.t_us, static_cast<std::int16_t>(event.x), static_cast<std::int16_t>(event.y),
                                  event.on != 0);
    }
    builder.FinishSizePrefixed(aedat4::CreateEventPacket(builder, vector), "EVTS");
    append_little(packets, kStream);
    const std::size_t size_at = packets.size();
    append_little(packets, std::int32_t{0});
    const std::size_t content_at = packets.size();
    compressor.append(builder, packets);
    const auto size = static_cast<std::int32_t>(packets.size() - content_at);
    std::memcpy(packets.data() + size_at, &size, sizeof(size));
    const auto first = events.t_us.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto [earliest, latest] = std::minmax_element(first, first + static_cast<std::ptrdiff_t>(count));
    const aedat4::PacketHeader packet_info(kStream, size);
    table.push_back(aedat4::CreateFileDataDefinition(table_builder,
                                                     static_cast<std::int64_t>(header_bytes + content_at), &packet_info,
                                                     static_cast<std::int64_t>(count), *earliest, *latest));
  }
  table_builder.FinishSizePrefixed(aedat4::CreateFileDataTableDirect(table_builder, &table), "FTAB");
  std::string out = encode_header(compression, static_cast<std::int64_t>(header_bytes + packets.size()), info);
  out += packets;
  compressor.append(table_builder, out);
  return out;
}

}  // namespace synfire::datasets
