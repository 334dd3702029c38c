#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/aedat_header.hpp"
#include "datasets/encoder_output.hpp"

namespace synfire::datasets {

namespace {

constexpr std::size_t kEventsPerPacket = 8192;

std::string_view smallest_camera(const EventStream& events, const std::string& name) {
  for (const std::string_view camera : {"DVS128", "DAVIS240C", "DAVIS346", "DAVIS640"}) {
    const SensorSize size = sensor_size_of(camera);
    if (events.width <= size.width && events.height <= size.height) return camera;
  }
  throw FileError(
      name, fmt::format("AEDAT 3.1 is written for sensors up to 640x480, got {}x{}", events.width, events.height));
}

}  // namespace

std::string encode_aedat3(const EventStream& events, const std::string& name) {
  constexpr std::uint16_t kPolarity = 1, kSource = 1;
  constexpr std::uint32_t kEventBytes = 8, kTimeOffset = 4;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (events.t_us[i] < 0 || events.t_us[i] >> 62 != 0)
      refuse_event(name, i, fmt::format("AEDAT 3.1 times are 0 to 2^62 - 1 us, got {} us", events.t_us[i]));
  std::string out = fmt::format(
      "#!AER-DAT3.1\r\n"
      "#Format: RAW\r\n"
      "#Source {}: {}\r\n"
      "#Start-Time: 1970-01-01 00:00:00 (TZ+0000)\r\n"
      "#!END-HEADER\r\n",
      kSource, smallest_camera(events, name));
  out.reserve(out.size() + events.size() * kEventBytes + (events.size() / kEventsPerPacket + 1) * 28);
  for (std::size_t begin = 0; begin < events.size();) {
    const auto overflow = static_cast<std::uint32_t>(events.t_us[begin] >> 31);
    std::size_t end = begin + 1;
    while (end < events.size() && end - begin < kEventsPerPacket && events.t_us[end] >> 31 == overflow) ++end;
    const auto count = static_cast<std::uint32_t>(end - begin);
    append_little(out, kPolarity);
    append_little(out, kSource);
    for (const std::uint32_t word : {kEventBytes, kTimeOffset, overflow, count, count, count}) append_little(out, word);
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t x = events.x[i], y = events.y[i], on = events.on[i];
      append_little(out, (x << 17U) | (y << 2U) | (on << 1U) | 1U);
      append_little(out, static_cast<std::uint32_t>(events.t_us[i] & 0x7fffffff));
    }
    begin = end;
  }
  return out;
}

}  // namespace synfire::datasets
