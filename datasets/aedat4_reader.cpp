#include <algorithm>
#include <vector>

#include "aedat4_generated.h"
#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/aedat4_packets.hpp"
#include "datasets/decoder_input.hpp"

namespace synfire::datasets {

namespace {

constexpr std::size_t kBlock = 1024;  // events; 16 KiB of input and 13 KiB of output stay in the first-level cache
constexpr std::size_t kEventBytes = sizeof(aedat4::Event);
static_assert(kEventBytes == 16, "the file has 16 bytes for an event");

/// What all packets of a file of this size may expand to; real recordings compress by less than 16.
std::uint64_t expansion_budget(std::uint64_t file_bytes) { return (std::uint64_t{64} << 20U) + 512 * file_bytes; }

class Decoder {
 public:
  Decoder(const DecoderInput& input, Recording& recording)
      : input_(input),
        recording_(recording),
        events_(recording.events),
        header_(aedat4::parse_header(input.bytes, input.name)),
        decompressor_(header_.compression, expansion_budget(input.bytes.size())) {}

  void run() {
    choose_stream();
    const std::uint64_t end = end_of_packets();
    walk_packets(end);
    for (const aedat4::Packet& packet : packets_)
      if (packet.stream == stream_.id) decode_packet(packet);
    events_.resize_for_overwrite(filled_);
    if (end < input_.bytes.size()) check_table(end);
    choose_size();
    warn_about(num_unknown_, "packets of streams that the header does not know skipped");
    warn_about(num_broken_, "broken packets skipped");
    warn_about(recording_.out_of_range, "events outside the sensor dropped");
  }

 private:
  void warn_about(std::int64_t count, const char* what) {
    if (count > 0) recording_.warnings.push_back(fmt::format("{} {}", count, what));
  }

  void choose_stream() {
    std::vector<aedat4::Stream> with_events;
    for (const aedat4::Stream& stream : header_.streams) known_ids_.push_back(stream.id);
    std::ranges::sort(known_ids_);
    for (const aedat4::Stream& stream : header_.streams)
      if (stream.type == "EVTS" && (!input_.options.stream || stream.id == *input_.options.stream))
        with_events.push_back(stream);
    if (with_events.empty() && input_.options.stream)
      throw ConfigError(input_.name, 0, "stream",
                        fmt::format("there is no stream {} of events", *input_.options.stream));
    if (with_events.empty())
      throw FormatError(input_.name, aedat4::kMagicBytes, "the header announces no stream of events");
    if (with_events.size() > 1)
      throw ConfigError(
          input_.name, 0, "stream",
          fmt::format("there are events in the streams {} and {}; say which", with_events[0].id, with_events[1].id));
    stream_ = with_events.front();
    recording_.source = stream_.source;
    constexpr int kLargest = 1 << 15;
    if (stream_.width < 0 || stream_.height < 0 || stream_.width > kLargest || stream_.height > kLargest)
      throw FormatError(input_.name, aedat4::kMagicBytes,
                        fmt::format("the sensor cannot have {}x{} pixels", stream_.width, stream_.height));
    if (stream_.width == 0 || stream_.height == 0) {
      stream_.width = input_.options.width;
      stream_.height = input_.options.height;
    }
    limit_x_ = stream_.width > 0 ? stream_.width : kLargest;
    limit_y_ = stream_.height > 0 ? stream_.height : kLargest;
  }

  std::uint64_t end_of_packets() {
    const std::uint64_t file_bytes = input_.bytes.size();
    if (header_.table_position == -1) {
      recording_.warnings.push_back("there is no table at the end; the recorder may have stopped early");
      return file_bytes;
    }
    const auto position = static_cast<std::uint64_t>(header_.table_position);
    if (header_.table_position >= 0 && position >= header_.size && position <= file_bytes) return position;
    report_damage(input_, recording_, file_bytes,
                  fmt::format("the file ends before its table at byte {}", header_.table_position));
    return file_bytes;
  }

  void walk_packets(std::uint64_t end) {
    std::uint64_t offset = header_.size;
    while (offset < end) {
      const std::uint64_t left = end - offset;
      if (left < aedat4::kPacketHeaderBytes) {
        report_damage(input_, recording_, offset,
                      fmt::format("{} bytes are left, a packet header has {}", left, aedat4::kPacketHeaderBytes));
        recording_.missing_bytes = static_cast<std::int64_t>(aedat4::kPacketHeaderBytes - left);
        return;
      }
      const std::byte* from = input_.bytes.data() + offset;
      const aedat4::Packet packet{offset + aedat4::kPacketHeaderBytes, load_little<std::int32_t>(from),
                                  load_little<std::int32_t>(from + 4)};
      const std::uint64_t present = left - aedat4::kPacketHeaderBytes;
      if (packet.size < 0 || static_cast<std::uint64_t>(packet.size) > present) {
        report_damage(input_, recording_, offset,
                      fmt::format("a packet says {} bytes, {} are left", packet.size, present));
        recording_.missing_bytes = std::max<std::int64_t>(0, packet.size - static_cast<std::int64_t>(present));
        return;
      }
      num_unknown_ += !std::ranges::binary_search(known_ids_, packet.stream);
      recording_.skipped_special += packet.stream != stream_.id;
      if (packet.stream == stream_.id) num_bytes_in_all_ += static_cast<std::uint64_t>(packet.size);
      packets_.push_back(packet);
      offset = packet.offset + static_cast<std::uint64_t>(packet.size);
    }
  }

  void decode_packet(const aedat4::Packet& packet) {
    const auto plain = decompressor_.expand(input_.bytes.subspan(packet.offset, static_cast<std::size_t>(packet.size)));
    if (!plain) return broken_packet(packet, "a packet cannot be decompressed: " + decompressor_.problem());
    const auto buffer = aedat4::size_prefixed(*plain);
    const auto* data = reinterpret_cast<const std::uint8_t*>(buffer.data());
    flatbuffers::Verifier verifier(data, buffer.size());
    if (buffer.empty() || !verifier.VerifySizePrefixedBuffer<aedat4::EventPacket>("EVTS"))
      return broken_packet(packet, "a packet of the stream of events holds something else");
    const auto* elements = flatbuffers::GetSizePrefixedRoot<aedat4::EventPacket>(data)->elements();
    if (elements == nullptr) return;
    const std::size_t count = elements->size();
    num_bytes_ += static_cast<std::uint64_t>(packet.size);
    if (events_.size() < filled_ + count) make_room(count);
    const auto* first = reinterpret_cast<const std::byte*>(elements->Data());
    for (std::size_t begin = 0; begin < count; begin += kBlock)
      decode_block(packet, first + begin * kEventBytes, std::min(kBlock, count - begin));
  }

  /// Room for `count` more events, and for all others if they compress as those before did: columns move rarely.
  void make_room(std::size_t count) {
    const std::size_t needed = filled_ + count;
    const double share =
        static_cast<double>(num_bytes_) / static_cast<double>(std::max<std::uint64_t>(1, num_bytes_in_all_));
    const double guess = 1.02 * static_cast<double>(needed) / std::max(share, 1e-9);
    const double most = static_cast<double>(expansion_budget(input_.bytes.size()) / kEventBytes);
    events_.resize_for_overwrite(std::max(needed, static_cast<std::size_t>(std::min(guess, most))));
  }

  void broken_packet(const aedat4::Packet& packet, const std::string& problem) {
    if (!input_.options.lenient) throw FormatError(input_.name, packet.offset, problem);
    if (num_broken_++ == 0) report_damage(input_, recording_, packet.offset, problem);
  }

  void decode_block(const aedat4::Packet& packet, const std::byte* from, std::size_t count) {
    std::int64_t* t_us = events_.t_us.data() + filled_;
    std::uint16_t* x = events_.x.data() + filled_;
    std::uint16_t* y = events_.y.data() + filled_;
    std::uint8_t* on = events_.on.data() + filled_;
    // Negative x and y become too large ones.
    std::uint16_t largest_x = 0, largest_y = 0;
    for (std::size_t i = 0; i < count; ++i) t_us[i] = load_little<std::int64_t>(from + i * kEventBytes);
    for (std::size_t i = 0; i < count; ++i) x[i] = load_little<std::uint16_t>(from + i * kEventBytes + 8);
    for (std::size_t i = 0; i < count; ++i) y[i] = load_little<std::uint16_t>(from + i * kEventBytes + 10);
    for (std::size_t i = 0; i < count; ++i) on[i] = from[i * kEventBytes + 12] != std::byte{0};
    for (std::size_t i = 0; i < count; ++i) largest_x = std::max(largest_x, x[i]);
    for (std::size_t i = 0; i < count; ++i) largest_y = std::max(largest_y, y[i]);
    const std::size_t kept = largest_x < limit_x_ && largest_y < limit_y_ ? count : compact(packet, count);
    recording_.backward_steps += count_backward_steps(events_.t_us, filled_, filled_ + kept);
    filled_ += kept;
    num_seen_ += count;
  }

  /// Keeps the events of this block that lie on the sensor; counts the others.
  std::size_t compact(const aedat4::Packet& packet, std::size_t count) {
    std::size_t kept = filled_;
    for (std::size_t i = filled_; i < filled_ + count; ++i) {
      if (events_.x[i] >= limit_x_ || events_.y[i] >= limit_y_) {
        if (!input_.options.lenient)
          throw FormatError(input_.name, packet.offset,
                            outside_sensor(num_seen_ + i - filled_, static_cast<std::int16_t>(events_.x[i]),
                                           static_cast<std::int16_t>(events_.y[i]), limit_x_, limit_y_));
        ++recording_.out_of_range;
        continue;
      }
      events_.t_us[kept] = events_.t_us[i];
      events_.x[kept] = events_.x[i];
      events_.y[kept] = events_.y[i];
      events_.on[kept] = events_.on[i];
      ++kept;
    }
    return kept - filled_;
  }

  /// The table only repeats what the packets say. Where it says something else, the packets are right.
  void check_table(std::uint64_t begin) {
    if (!table_agrees(begin))
      recording_.warnings.push_back("the table at the end of the file does not fit the packets");
  }

  bool table_agrees(std::uint64_t begin) {
    const auto plain = decompressor_.expand(input_.bytes.subspan(begin));
    if (!plain) return false;
    const auto buffer = aedat4::size_prefixed(*plain);
    const auto* data = reinterpret_cast<const std::uint8_t*>(buffer.data());
    // Each packet has a table of its own here, more than a verifier allows by default.
    constexpr flatbuffers::uoffset_t kDepth = 8;
    flatbuffers::Verifier verifier(data, buffer.size(), kDepth,
                                   static_cast<flatbuffers::uoffset_t>(packets_.size() + 8));
    if (buffer.empty() || !verifier.VerifySizePrefixedBuffer<aedat4::FileDataTable>("FTAB")) return false;
    const auto* table = flatbuffers::GetSizePrefixedRoot<aedat4::FileDataTable>(data)->table();
    if (table == nullptr) return packets_.empty();
    return std::ranges::equal(
        *table, packets_, [](const aedat4::FileDataDefinition* entry, const aedat4::Packet& packet) {
          return entry->byte_offset() == static_cast<std::int64_t>(packet.offset) && entry->packet_info() != nullptr &&
                 entry->packet_info()->stream_id() == packet.stream && entry->packet_info()->size() == packet.size;
        });
  }

  void choose_size() {
    events_.width = stream_.width;
    events_.height = stream_.height;
    if (events_.width > 0) return;
    events_.width = events_.empty() ? 1 : 1 + *std::ranges::max_element(events_.x);
    events_.height = events_.empty() ? 1 : 1 + *std::ranges::max_element(events_.y);
    recording_.warnings.push_back(fmt::format(
        "the header has no size of the sensor; it is taken from the events: {}x{}", events_.width, events_.height));
  }

  const DecoderInput& input_;
  Recording& recording_;
  EventStream& events_;
  aedat4::Header header_;
  aedat4::Decompressor decompressor_;
  aedat4::Stream stream_;
  int limit_x_ = 0, limit_y_ = 0;
  std::vector<int> known_ids_;  // sorted
  std::vector<aedat4::Packet> packets_;
  std::int64_t num_unknown_ = 0, num_broken_ = 0;
  std::uint64_t num_bytes_ = 0, num_bytes_in_all_ = 0;  // of the stream's packets so far, and in the file
  std::size_t filled_ = 0;
  std::size_t num_seen_ = 0;
};

}  // namespace

Recording decode_aedat4(const DecoderInput& input) {
  Recording recording;
  recording.format = EventFormat::aedat4;
  Decoder(input, recording).run();
  return recording;
}

}  // namespace synfire::datasets
