#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/aedat_header.hpp"
#include "datasets/decoder_input.hpp"
#include "datasets/wrapped_time.hpp"

namespace synfire::datasets {

namespace {

constexpr std::size_t kBlock = 1024;  // events; 8 KiB of input and 13 KiB of output stay in the first-level cache

struct Header {
  std::string version = "1.0";  ///< without a line that says it
  std::string chip;             ///< class name of the line AEChip, or empty
  std::size_t size = 0;
};

Header parse_header(std::string_view text) {
  Header header;
  while (const std::size_t length = aedat_header_line_length(text.substr(header.size))) {
    const std::string_view line = without_line_end(text.substr(header.size, length));
    if (header.size == 0 && line.starts_with("#!AER-DAT")) header.version = line.substr(9, 3);
    if (const std::string_view chip = value_after(line, "# AEChip:"); !chip.empty()) header.chip = chip;
    header.size += length;
  }
  return header;
}

AerChip chip_of(const Header& header, const DecoderInput& input) {
  if (input.options.chip) return *input.options.chip;
  const SensorSize size = sensor_size_of(header.chip.substr(header.chip.rfind('.') + 1));
  if (size == SensorSize{128, 128}) return AerChip::dvs128;
  if (size == SensorSize{240, 180}) return AerChip::davis240;
  if (size == SensorSize{346, 260}) return AerChip::davis346;
  if (size == SensorSize{640, 480}) return AerChip::davis640;
  const std::string problem = header.chip.empty() ? "the header has no line AEChip, so that the address map is unknown"
                                                  : fmt::format("the address map of AEChip {} is unknown", header.chip);
  throw ConfigError(input.name, 0, "chip", problem + "; say chip = dvs128, davis240, davis346 or davis640");
}

struct Dvs128 {
  static constexpr std::uint32_t kSpecial = 0x80008000;  // sync pin, and jAER's mark
  int width = 128, height = 128;
  static std::uint32_t x(std::uint32_t address) { return (address >> 1U) & 0x7fU; }
  static std::uint32_t y(std::uint32_t address) { return (address >> 8U) & 0x7fU; }
  static std::uint32_t on(std::uint32_t address) { return (address & 1U) ^ 1U; }
};

struct Davis {
  static constexpr std::uint32_t kSpecial = 0x80000400;  // frame and IMU samples, external input
  int width, height;
  static std::uint32_t x(std::uint32_t address) { return (address >> 12U) & 0x3ffU; }
  static std::uint32_t y(std::uint32_t address) { return (address >> 22U) & 0x1ffU; }
  static std::uint32_t on(std::uint32_t address) { return (address >> 11U) & 1U; }
};

/// Address and time of a record: big-endian, 8 bytes in AEDAT 2.0 and 6 in 1.0.
template <std::size_t RecordBytes>
std::uint64_t load_record(const std::byte* record) {
  if constexpr (RecordBytes == 8) return load_big<std::uint64_t>(record);
  return (std::uint64_t{load_big<std::uint16_t>(record)} << 32U) | load_big<std::uint32_t>(record + 2);
}

template <class Chip, std::size_t RecordBytes, bool Upright>
class Decoder {
 public:
  Decoder(const DecoderInput& input, const Chip& chip, std::size_t data_begin)
      : input_(input), chip_(chip), data_begin_(data_begin) {}

  void run(Recording& recording) {
    const std::size_t available = input_.bytes.size() - data_begin_;
    const std::size_t count = available / RecordBytes;
    recording.events.width = chip_.width;
    recording.events.height = chip_.height;
    if (const std::size_t rest = available % RecordBytes; rest != 0) {
      report_damage(input_, recording, data_begin_ + count * RecordBytes,
                    fmt::format("the last record has {} of its {} bytes", rest, RecordBytes));
      recording.missing_bytes = static_cast<std::int64_t>(RecordBytes - rest);
    }
    recording.events.resize_for_overwrite(count);
    std::size_t filled = 0;
    WrappedTime time;
    for (std::size_t begin = 0; begin < count; begin += kBlock) {
      const std::size_t block = std::min(kBlock, count - begin);
      const std::size_t kept = decode_block(recording, begin, block, filled);
      time.extend(recording.events.t_us.data() + filled, kept);
      filled += kept;
    }
    recording.events.resize_for_overwrite(filled);
    recording.backward_steps = time.backward_steps();
  }

 private:
  /// Decodes records [begin, begin + count) to events from `filled` on; returns how many.
  std::size_t decode_block(Recording& recording, std::size_t begin, std::size_t count, std::size_t filled) {
    EventStream& events = recording.events;
    const std::byte* data = input_.bytes.data() + data_begin_ + begin * RecordBytes;
    std::int64_t* t_us = events.t_us.data() + filled;
    std::uint32_t special = 0, max_x = 0, max_y = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t record = load_record<RecordBytes>(data + i * RecordBytes);
      t_us[i] = static_cast<std::int64_t>(record & 0xffffffffU);
      address_[i] = static_cast<std::uint32_t>(record >> 32U);
    }
    for (std::size_t i = 0; i < count; ++i) {
      special |= address_[i];
      max_x = std::max(max_x, Chip::x(address_[i]));
      max_y = std::max(max_y, Chip::y(address_[i]));
    }
    const bool plain = (special & Chip::kSpecial) == 0 && max_x < static_cast<std::uint32_t>(chip_.width) &&
                       max_y < static_cast<std::uint32_t>(chip_.height);
    const std::size_t kept = plain ? count : compact(recording, begin, count, t_us);
    for (std::size_t i = 0; i < kept; ++i) events.x[filled + i] = oriented(Chip::x(address_[i]), chip_.width);
    for (std::size_t i = 0; i < kept; ++i) events.y[filled + i] = oriented(Chip::y(address_[i]), chip_.height);
    for (std::size_t i = 0; i < kept; ++i) events.on[filled + i] = static_cast<std::uint8_t>(Chip::on(address_[i]));
    return kept;
  }

  static std::uint16_t oriented(std::uint32_t position, int size) {
    return static_cast<std::uint16_t>(Upright ? static_cast<std::uint32_t>(size) - 1U - position : position);
  }

  /// Keeps the addresses and times of this block that are events of a pixel; counts the others.
  std::size_t compact(Recording& recording, std::size_t begin, std::size_t count, std::int64_t* t_us) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t address = address_[i];
      if ((address & Chip::kSpecial) != 0) {
        ++recording.skipped_special;
        continue;
      }
      const auto x = static_cast<int>(Chip::x(address)), y = static_cast<int>(Chip::y(address));
      if (x >= chip_.width || y >= chip_.height) {
        if (!input_.options.lenient)
          throw FormatError(input_.name, data_begin_ + (begin + i) * RecordBytes,
                            outside_sensor(begin + i, x, y, chip_.width, chip_.height));
        ++recording.out_of_range;
        continue;
      }
      address_[kept] = address;
      t_us[kept] = t_us[i];
      ++kept;
    }
    return kept;
  }

  const DecoderInput& input_;
  Chip chip_;
  std::size_t data_begin_;
  std::uint32_t address_[kBlock];
};

template <class Chip>
void decode(const DecoderInput& input, const Header& header, const Chip& chip, Recording& recording) {
  const bool upright = input.options.orientation == Orientation::upright;
  if (header.version == "2.0") {
    if (upright)
      Decoder<Chip, 8, true>(input, chip, header.size).run(recording);
    else
      Decoder<Chip, 8, false>(input, chip, header.size).run(recording);
  } else {
    if (upright)
      Decoder<Chip, 6, true>(input, chip, header.size).run(recording);
    else
      Decoder<Chip, 6, false>(input, chip, header.size).run(recording);
  }
}

}  // namespace

Recording decode_aedat2(const DecoderInput& input) {
  const Header header = parse_header({reinterpret_cast<const char*>(input.bytes.data()), input.bytes.size()});
  if (header.version != "1.0" && header.version != "2.0")
    throw FormatError(input.name, 0, fmt::format("expected AEDAT 1.0 or 2.0, found version {}", header.version));
  const AerChip chip = chip_of(header, input);
  if (header.version == "1.0" && chip != AerChip::dvs128)
    throw FormatError(input.name, 0, "the 16-bit addresses of AEDAT 1.0 are only known for DVS128");
  Recording recording;
  recording.format = EventFormat::aedat2;
  recording.source = header.chip;
  switch (chip) {
    case AerChip::dvs128:
      decode(input, header, Dvs128{}, recording);
      break;
    case AerChip::davis240:
      decode(input, header, Davis{240, 180}, recording);
      break;
    case AerChip::davis346:
      decode(input, header, Davis{346, 260}, recording);
      break;
    case AerChip::davis640:
      decode(input, header, Davis{640, 480}, recording);
      break;
  }
  if (recording.out_of_range > 0)
    recording.warnings.push_back(fmt::format("{} events outside the sensor dropped", recording.out_of_range));
  return recording;
}

}  // namespace synfire::datasets
