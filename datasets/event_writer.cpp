#include "datasets/event_writer.hpp"

#include <fmt/format.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "datasets/encoder_output.hpp"

namespace synfire::datasets {

namespace {

void check_stream(const EventStream& events, const std::string& name) {
  if (events.x.size() != events.size() || events.y.size() != events.size() || events.on.size() != events.size())
    throw FileError(name, fmt::format("the columns of a recording must have equal length, got {}, {}, {} and {}",
                                      events.t_us.size(), events.x.size(), events.y.size(), events.on.size()));
  if (events.width <= 0 || events.height <= 0)
    throw FileError(name, fmt::format("the sensor must have pixels, got {}x{}", events.width, events.height));
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events.x[i] >= events.width || events.y[i] >= events.height)
      refuse_event(name, i,
                   fmt::format("({}, {}) is outside the sensor of {}x{}", events.x[i], events.y[i], events.width,
                               events.height));
    if (events.on[i] > 1) refuse_event(name, i, fmt::format("polarity must be 0 or 1, got {}", events.on[i]));
  }
}

}  // namespace

void refuse_event(const std::string& name, std::size_t index, const std::string& problem) {
  throw FileError(name, fmt::format("event {} cannot be written: {}", index, problem));
}

std::string encode_recording(const EventStream& events, const std::string& name, EventFormat format,
                             const WriteOptions& options) {
  check_stream(events, name);
  switch (format) {
    case EventFormat::aedat2:
      return encode_aedat2(events, name);
    case EventFormat::aedat3:
      return encode_aedat3(events, name);
    case EventFormat::nmnist_bin:
      return encode_nmnist_bin(events, name);
    case EventFormat::aedat4:
      return encode_aedat4(events, name, options);
  }
  throw ConfigError("", 0, "format", "unknown format of recordings");
}

void write_recording(const std::filesystem::path& file, const EventStream& events, EventFormat format,
                     const WriteOptions& options) {
  write_file_atomically(file, encode_recording(events, file.string(), format, options));
}

}  // namespace synfire::datasets
