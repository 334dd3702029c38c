#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/aedat_header.hpp"
#include "datasets/decoder_input.hpp"
#include "datasets/encoder_output.hpp"
#include "datasets/wrapped_time.hpp"

namespace synfire::datasets {

namespace {

/// The time word cannot hold more than 32 bits: asks the reader's own unwrapping whether it would find these times.
void check_times(const EventStream& events, const std::string& name) {
  constexpr std::size_t kBlock = 4096;
  WrappedTime time;
  std::vector<std::int64_t> unwrapped;
  for (std::size_t begin = 0; begin < events.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, events.size());
    unwrapped.assign(events.t_us.begin() + begin, events.t_us.begin() + end);
    for (std::int64_t& t_us : unwrapped) t_us &= 0xffffffff;
    time.extend(unwrapped.data(), unwrapped.size());
    for (std::size_t i = begin; i < end; ++i)
      if (unwrapped[i - begin] != events.t_us[i])
        refuse_event(
            name, i,
            fmt::format("AEDAT 2.0 times start within 0 to 2^32 - 1 us and have no gap longer than 2^31 us, got {} us; "
                        "shift the recording in time",
                        events.t_us[i]));
  }
}

}  // namespace

std::string encode_aedat2(const EventStream& events, const std::string& name) {
  const bool is_dvs128 = events.width <= 128 && events.height <= 128;
  if (!is_dvs128 && (events.width > 346 || events.height > 260))
    throw FileError(
        name, fmt::format("AEDAT 2.0 is written for sensors up to 346x260, got {}x{}", events.width, events.height));
  check_times(events, name);
  std::string out = fmt::format(
      "#!AER-DAT2.0\r\n"
      "# Raw address-event data, written by Synfire\r\n"
      "# Each record: int32 address, int32 timestamp, big-endian\r\n"
      "# Timestamps tick: 1 us\r\n"
      "# AEChip: {}\r\n",
      is_dvs128 ? "ch.unizh.ini.jaer.chip.retina.DVS128" : "eu.seebetter.ini.chips.davis.Davis346B");
  const std::size_t header_bytes = out.size();
  out.resize(header_bytes + 8 * events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::uint32_t x = events.x[i], y = events.y[i], on = events.on[i];
    // Both cameras count from the lower left, and jAER mirrors x.
    const std::uint32_t address = is_dvs128 ? ((127U - y) << 8U) | ((127U - x) << 1U) | (on ^ 1U)
                                            : ((259U - y) << 22U) | ((345U - x) << 12U) | (on << 11U);
    const std::uint64_t record =
        swap_bytes((std::uint64_t{address} << 32U) | static_cast<std::uint32_t>(events.t_us[i]));
    std::memcpy(out.data() + header_bytes + 8 * i, &record, sizeof(record));
  }
  if (aedat_header_line_length(std::string_view(out).substr(header_bytes)) != 0)
    refuse_event(name, 0,
                 "AEDAT 2.0 has no mark for the end of its header, and this event would be taken for a line of it");
  return out;
}

}  // namespace synfire::datasets
