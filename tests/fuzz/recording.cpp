// Decodes arbitrary bytes as one format. The first byte chooses the options, the rest is the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/error.hpp"
#include "datasets/event_reader.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synfire::datasets;
  if (size == 0) return 0;
  const unsigned bits = data[0];
  ReadOptions options;
  options.format = EventFormat::SYNFIRE_FUZZ_FORMAT;
  options.lenient = (bits & 1U) != 0;
  options.keep_invalid = (bits & 2U) != 0;
  options.orientation = (bits & 4U) != 0 ? Orientation::as_stored : Orientation::upright;
  if ((bits & 8U) != 0) options.chip = static_cast<AerChip>((bits >> 4U) & 3U);
  if ((bits & 64U) != 0) options.width = options.height = 100;
  if ((bits & 128U) != 0) options.stream = 0;
  try {
    const Recording recording = decode_recording(std::as_bytes(std::span(data + 1, size - 1)), "fuzz", options);
    const synfire::EventStream& events = recording.events;
    require(events.x.size() == events.size() && events.y.size() == events.size() && events.on.size() == events.size());
    std::int64_t backward_steps = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
      require(events.x[i] < events.width && events.y[i] < events.height && events.on[i] <= 1);
      backward_steps += i > 0 && events.t_us[i] < events.t_us[i - 1];
    }
    require(backward_steps == recording.backward_steps);
    require(options.lenient || (recording.out_of_range == 0 && recording.missing_bytes == 0));
  } catch (const synfire::Error&) {
  }
  return 0;
}
