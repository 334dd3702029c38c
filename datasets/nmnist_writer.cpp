#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/decoder_input.hpp"
#include "datasets/encoder_output.hpp"
#include "datasets/nmnist_records.hpp"

namespace synfire::datasets {

std::string encode_nmnist_bin(const EventStream& events, const std::string& name) {
  std::string out(nmnist::kRecordBytes * events.size(), '\0');
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::int64_t t_us = events.t_us[i];
    if (t_us < 0 || t_us >> 23 != 0)
      refuse_event(name, i,
                   fmt::format("times of a .bin are 0 to 2^23 - 1 us, got {} us; shift or cut the recording", t_us));
    if (events.x[i] > 0xff || events.y[i] > 0xff || events.y[i] == kAtisOverflowY)
      refuse_event(name, i,
                   fmt::format("x and y of a .bin are below 256, and y is not {}, got ({}, {})", kAtisOverflowY,
                               events.x[i], events.y[i]));
    char* record = out.data() + nmnist::kRecordBytes * i;
    const std::uint32_t word = swap_bytes((std::uint32_t{events.y[i]} << 24U) | (std::uint32_t{events.on[i]} << 23U) |
                                          static_cast<std::uint32_t>(t_us));
    record[0] = static_cast<char>(events.x[i]);
    std::memcpy(record + 1, &word, sizeof(word));
  }
  return out;
}

}  // namespace synfire::datasets
