#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/aedat_header.hpp"
#include "datasets/decoder_input.hpp"

namespace synfire::datasets {

namespace {

constexpr std::size_t kBlock = 1024;  // events; 8 KiB of input and 13 KiB of output stay in the first-level cache
constexpr std::size_t kPacketHeaderBytes = 28;
constexpr std::size_t kEventBytes = 8;
constexpr int kLargestAddress = 0x7fff;
enum EventType : std::uint16_t { kSpecial = 0, kPolarity = 1, kSpike = 12 };

struct Header {
  std::string version;
  std::map<int, std::string> source_names;
  std::size_t size = 0;
};

Header parse_header(const DecoderInput& input) {
  const std::string_view text(reinterpret_cast<const char*>(input.bytes.data()), input.bytes.size());
  Header header;
  bool ended = false;
  while (const std::size_t length = ended ? 0 : aedat_header_line_length(text.substr(header.size))) {
    const std::string_view line = without_line_end(text.substr(header.size, length));
    if (header.size == 0) header.version = value_after(line, "#!AER-DAT");
    if (const auto format = value_after(line, "#Format:"); !format.empty() && format != "RAW")
      throw FormatError(input.name, header.size, fmt::format("only the event format RAW is defined, found {}", format));
    // `#Source 1: DVS128`; sources of an earlier recording are marked `#-Source`.
    const std::string_view source = value_after(line, "#Source ");
    if (const std::size_t colon = source.find(':');
        colon != std::string_view::npos && colon > 0 && colon < 6 && source.find_first_not_of("0123456789") == colon)
      header.source_names.emplace(std::stoi(std::string(source.substr(0, colon))),
                                  value_after(source.substr(colon), ":"));
    ended = line == "#!END-HEADER";
    header.size += length;
  }
  if (header.version != "3.0" && header.version != "3.1")
    throw FormatError(input.name, 0, fmt::format("expected AEDAT 3.0 or 3.1, found version \"{}\"", header.version));
  if (header.version == "3.1" && !ended)
    throw FormatError(input.name, header.size, "the header does not end with #!END-HEADER");
  return header;
}

struct Packet {
  std::uint16_t type, source;
  std::uint32_t event_size, time_offset, overflow, capacity, number, valid;
  std::uint64_t payload;  ///< where its events begin

  static Packet load(const std::byte* bytes, std::uint64_t offset) {
    const std::byte* from = bytes + offset;
    return {load_little<std::uint16_t>(from),
            load_little<std::uint16_t>(from + 2),
            load_little<std::uint32_t>(from + 4),
            load_little<std::uint32_t>(from + 8),
            load_little<std::uint32_t>(from + 12),
            load_little<std::uint32_t>(from + 16),
            load_little<std::uint32_t>(from + 20),
            load_little<std::uint32_t>(from + 24),
            offset + kPacketHeaderBytes};
  }
  std::uint64_t payload_bytes() const { return std::uint64_t{capacity} * event_size; }
  /// What is wrong with the header, or nothing.
  std::string problem() const {
    const bool fixed_size = type == kSpecial || type == kPolarity || type == kSpike;
    if (fixed_size && event_size != kEventBytes)
      return fmt::format("an event of type {} has {} bytes, a packet says {}", type, kEventBytes, event_size);
    if (fixed_size && time_offset != 4)
      return fmt::format("the time of an event of type {} is at byte 4, a packet says {}", type, time_offset);
    if (number > capacity) return fmt::format("a packet says {} events in room for {}", number, capacity);
    if (valid > number) return fmt::format("a packet says {} valid events of {}", valid, number);
    if (overflow > 0x7fffffffU) return fmt::format("a packet says {} time overflows", overflow);
    return {};
  }
};

class Decoder {
 public:
  Decoder(const DecoderInput& input, Recording& recording) : input_(input), recording_(recording) {}

  void run() {
    const Header header = parse_header(input_);
    walk_packets(header.size);
    choose_source(header);
    choose_size();
    decode_packets();
    if (header.version == "3.0" && input_.options.orientation == Orientation::upright)
      for (std::uint16_t& y : recording_.events.y) y = static_cast<std::uint16_t>(recording_.events.height - 1 - y);
    if (num_resets_ > 0)
      recording_.warnings.push_back(fmt::format("the camera set its clock back to 0 {} times", num_resets_));
    if (recording_.events.empty() && recording_.skipped_invalid > 0)
      recording_.warnings.push_back(fmt::format("all {} events are marked invalid", recording_.skipped_invalid));
    if (recording_.out_of_range > 0)
      recording_.warnings.push_back(
          fmt::format("{} events outside the sensor or of negative time dropped", recording_.out_of_range));
  }

 private:
  /// Lists the packets of polarity events; counts what is in the others.
  void walk_packets(std::uint64_t offset) {
    while (offset < input_.bytes.size()) {
      const std::uint64_t left = input_.bytes.size() - offset;
      if (left < kPacketHeaderBytes) {
        report_damage(input_, recording_, offset,
                      fmt::format("the last packet has {} bytes of its header of {}", left, kPacketHeaderBytes));
        recording_.missing_bytes = static_cast<std::int64_t>(kPacketHeaderBytes - left);
        return;
      }
      Packet packet = Packet::load(input_.bytes.data(), offset);
      if (const std::string problem = packet.problem(); !problem.empty())
        return report_damage(input_, recording_, offset, problem);
      const std::uint64_t next = packet.payload + packet.payload_bytes();
      if (next > input_.bytes.size()) {
        const std::uint64_t present = input_.bytes.size() - packet.payload;
        report_damage(input_, recording_, offset,
                      fmt::format("a packet says {} bytes, {} are left", packet.payload_bytes(), present));
        recording_.missing_bytes = static_cast<std::int64_t>(next - input_.bytes.size());
        packet.number = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(packet.number, present / std::max(1U, packet.event_size)));
      }
      if (packet.type == kPolarity) {
        if (packet.number > 0) packets_.push_back(packet);
      } else {
        recording_.skipped_special += packet.number;
        if (packet.type == kSpecial) count_resets(packet);
      }
      offset = next;
    }
  }

  void count_resets(const Packet& packet) {
    constexpr std::uint32_t kTimestampReset = 1;
    for (std::uint32_t i = 0; i < packet.number; ++i) {
      const auto word = load_little<std::uint32_t>(input_.bytes.data() + packet.payload + i * kEventBytes);
      num_resets_ += ((word >> 1U) & 0x7fU) == kTimestampReset;
    }
  }

  /// Leaves the packets of one source.
  void choose_source(const Header& header) {
    std::optional<int> source = input_.options.stream;
    if (!source && !packets_.empty()) source = packets_.front().source;
    if (!source && !header.source_names.empty()) source = header.source_names.begin()->first;
    const auto other = [&](const Packet& packet) { return packet.source != *source; };
    if (!input_.options.stream) {
      if (const auto found = std::ranges::find_if(packets_, other); found != packets_.end())
        throw ConfigError(input_.name, 0, "stream",
                          fmt::format("there are events of the sources {} and {}; say which", *source, found->source));
    } else {
      std::erase_if(packets_, other);
    }
    if (source && header.source_names.contains(*source)) recording_.source = header.source_names.at(*source);
  }

  void choose_size() {
    const SensorSize size = sensor_size_of(recording_.source);
    recording_.events.width = size.width > 0 ? size.width : input_.options.width;
    recording_.events.height = size.width > 0 ? size.height : input_.options.height;
  }

  void decode_packets() {
    EventStream& events = recording_.events;
    const bool size_known = events.width > 0;
    max_x_ = size_known ? events.width - 1 : kLargestAddress;
    max_y_ = size_known ? events.height - 1 : kLargestAddress;
    std::size_t total = 0;
    for (const Packet& packet : packets_) total += packet.number;
    events.resize_for_overwrite(total);
    for (const Packet& packet : packets_) {
      for (std::size_t begin = 0; begin < packet.number; begin += kBlock)
        decode_block(packet, begin, std::min<std::size_t>(kBlock, packet.number - begin));
      num_seen_ += packet.number;
    }
    events.resize_for_overwrite(filled_);
    if (size_known) return;
    events.width = filled_ == 0 ? 1 : 1 + *std::ranges::max_element(events.x);
    events.height = filled_ == 0 ? 1 : 1 + *std::ranges::max_element(events.y);
    recording_.warnings.push_back(fmt::format("the camera \"{}\" is unknown; its size is taken from the events: {}x{}",
                                              recording_.source, events.width, events.height));
  }

  void decode_block(const Packet& packet, std::size_t begin, std::size_t count) {
    const std::byte* data = input_.bytes.data() + packet.payload + begin * kEventBytes;
    const std::int64_t base_us = std::int64_t{packet.overflow} << 31;
    std::int64_t* t_us = recording_.events.t_us.data() + filled_;
    std::uint16_t* x = recording_.events.x.data() + filled_;
    std::uint16_t* y = recording_.events.y.data() + filled_;
    std::uint8_t* on = recording_.events.on.data() + filled_;
    std::uint64_t any = 0, all = ~std::uint64_t{0};
    for (std::size_t i = 0; i < count; ++i) {
      const auto record = load_little<std::uint64_t>(data + i * kEventBytes);
      any |= record;
      all &= record;
      t_us[i] = base_us + static_cast<std::int64_t>(record >> 32U);
      word_[i] = static_cast<std::uint32_t>(record);
    }
    int block_x = 0, block_y = 0;
    for (std::size_t i = 0; i < count; ++i) {
      block_x = std::max(block_x, x_of(word_[i]));
      block_y = std::max(block_y, y_of(word_[i]));
    }
    const bool plain =
        ((all & 1U) != 0 || input_.options.keep_invalid) && (any >> 63U) == 0 && block_x <= max_x_ && block_y <= max_y_;
    if (!plain) count = compact(packet, begin, count, t_us);
    for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<std::uint16_t>(word_[i] >> 17U);
    for (std::size_t i = 0; i < count; ++i) y[i] = static_cast<std::uint16_t>((word_[i] >> 2U) & 0x7fffU);
    for (std::size_t i = 0; i < count; ++i) on[i] = static_cast<std::uint8_t>((word_[i] >> 1U) & 1U);
    recording_.backward_steps += count_backward_steps(recording_.events.t_us, filled_, filled_ + count);
    filled_ += count;
  }

  static int x_of(std::uint32_t word) { return static_cast<int>(word >> 17U); }
  static int y_of(std::uint32_t word) { return static_cast<int>((word >> 2U) & 0x7fffU); }

  /// Keeps the words and times of this block that are valid events of a pixel; counts the others.
  std::size_t compact(const Packet& packet, std::size_t begin, std::size_t count, std::int64_t* t_us) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t word = word_[i];
      if ((word & 1U) == 0 && !input_.options.keep_invalid) {
        ++recording_.skipped_invalid;
        continue;
      }
      const std::uint64_t offset = packet.payload + (begin + i) * kEventBytes;
      const bool negative_time = (load_little<std::uint32_t>(input_.bytes.data() + offset + 4) >> 31U) != 0;
      if (negative_time || x_of(word) > max_x_ || y_of(word) > max_y_) {
        if (!input_.options.lenient)
          throw FormatError(
              input_.name, offset,
              negative_time ? fmt::format("event {} has a negative time", num_seen_ + begin + i)
                            : outside_sensor(num_seen_ + begin + i, x_of(word), y_of(word), max_x_ + 1, max_y_ + 1));
        ++recording_.out_of_range;
        continue;
      }
      word_[kept] = word;
      t_us[kept] = t_us[i];
      ++kept;
    }
    return kept;
  }

  const DecoderInput& input_;
  Recording& recording_;
  std::vector<Packet> packets_;  // of polarity events
  std::int64_t num_resets_ = 0;
  int max_x_ = 0, max_y_ = 0;
  std::size_t num_seen_ = 0;  // events of the packets before this one
  std::size_t filled_ = 0;
  std::uint32_t word_[kBlock];
};

}  // namespace

Recording decode_aedat3(const DecoderInput& input) {
  Recording recording;
  recording.format = EventFormat::aedat3;
  Decoder(input, recording).run();
  return recording;
}

}  // namespace synfire::datasets
