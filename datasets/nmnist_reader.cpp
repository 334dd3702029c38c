#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/decoder_input.hpp"
#include "datasets/nmnist_records.hpp"

namespace synfire::datasets {

namespace {

using nmnist::kRecordBytes, nmnist::load_record, nmnist::Record;

constexpr std::size_t kBlock = 1024;  // events; 5 KiB of input and 13 KiB of output stay in the first-level cache
constexpr std::int64_t kOverflow_us = 8192;

struct Size {
  int width, height;
};

class Decoder {
 public:
  Decoder(const DecoderInput& input, Recording& recording, Size limit)
      : input_(input), recording_(recording), events_(recording.events), limit_(limit) {}

  void run() {
    const std::size_t count = input_.bytes.size() / kRecordBytes;
    if (const std::size_t rest = input_.bytes.size() % kRecordBytes; rest != 0) {
      report_damage(input_, recording_, count * kRecordBytes,
                    fmt::format("the last record has {} of its {} bytes", rest, kRecordBytes));
      recording_.missing_bytes = static_cast<std::int64_t>(kRecordBytes - rest);
    }
    events_.resize_for_overwrite(count);
    std::size_t filled = 0;
    for (std::size_t begin = 0; begin < count; begin += kBlock) {
      const std::size_t kept = decode_block(begin, std::min(kBlock, count - begin), filled);
      recording_.backward_steps += count_backward_steps(events_.t_us, filled, filled + kept);
      filled += kept;
    }
    events_.resize_for_overwrite(filled);
  }

  /// The largest x and y of the events kept.
  int max_x() const { return max_x_; }
  int max_y() const { return max_y_; }

 private:
  std::size_t decode_block(std::size_t begin, std::size_t count, std::size_t filled) {
    const std::byte* data = input_.bytes.data() + begin * kRecordBytes;
    const std::uint16_t* x = events_.x.data() + filled;
    const std::uint16_t* y = events_.y.data() + filled;
    nmnist::decode_records(data, count, shift_us_,
                           {events_.t_us.data() + filled, events_.x.data() + filled, events_.y.data() + filled,
                            events_.on.data() + filled});
    std::uint16_t block_x = 0, block_y = 0;
    for (std::size_t i = 0; i < count; ++i) block_x = std::max(block_x, x[i]);
    for (std::size_t i = 0; i < count; ++i) block_y = std::max(block_y, y[i]);
    const bool plain = block_x < limit_.width && block_y < std::min(limit_.height, kAtisOverflowY);
    if (!plain) return decode_block_slowly(begin, count, filled);
    max_x_ = std::max<int>(max_x_, block_x);
    max_y_ = std::max<int>(max_y_, block_y);
    return count;
  }

  /// With time overflows or events outside the sensor in it.
  std::size_t decode_block_slowly(std::size_t begin, std::size_t count, std::size_t filled) {
    std::size_t kept = 0;
    for (std::size_t i = begin; i < begin + count; ++i) {
      const Record record = load_record(input_.bytes.data() + i * kRecordBytes);
      if (record.y == kAtisOverflowY) {
        shift_us_ += kOverflow_us;
        ++recording_.skipped_special;
        continue;
      }
      if (record.x >= limit_.width || record.y >= limit_.height) {
        if (!input_.options.lenient)
          throw FormatError(input_.name, i * kRecordBytes,
                            outside_sensor(i, record.x, record.y, limit_.width, limit_.height));
        ++recording_.out_of_range;
        continue;
      }
      max_x_ = std::max<int>(max_x_, record.x);
      max_y_ = std::max<int>(max_y_, record.y);
      events_.t_us[filled + kept] = record.t_us + shift_us_;
      events_.x[filled + kept] = record.x;
      events_.y[filled + kept] = record.y;
      events_.on[filled + kept] = record.on;
      ++kept;
    }
    return kept;
  }

  const DecoderInput& input_;
  Recording& recording_;
  EventStream& events_;
  Size limit_;
  std::int64_t shift_us_ = 0;
  int max_x_ = 0, max_y_ = 0;
};

}  // namespace

Recording decode_nmnist_bin(const DecoderInput& input) {
  constexpr Size kNmnist{34, 34};
  Recording recording;
  recording.format = EventFormat::nmnist_bin;
  const bool size_given = input.options.width > 0;
  Size size = size_given ? Size{input.options.width, input.options.height} : Size{kAtisWidth, kAtisHeight};
  Decoder decoder(input, recording, size);
  decoder.run();
  if (!size_given && decoder.max_x() < kNmnist.width && decoder.max_y() < kNmnist.height) size = kNmnist;
  recording.events.width = size.width;
  recording.events.height = size.height;
  if (recording.out_of_range > 0)
    recording.warnings.push_back(fmt::format("{} events outside the sensor dropped", recording.out_of_range));
  return recording;
}

}  // namespace synfire::datasets
