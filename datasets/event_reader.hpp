#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/event_stream.hpp"
#include "datasets/event_format.hpp"

namespace synfire::datasets {

/// Which corner of the sensor (0, 0) means.
enum class Orientation {
  upright,    ///< upper left, y down, not mirrored: what a viewer shows
  as_stored,  ///< the address bits as they are; differs from `upright` for AEDAT 1.0, 2.0 and 3.0, whose origin is
              ///< lower left
};

/// The address map of an AEDAT 2.0 file.
enum class AerChip { dvs128, davis240, davis346, davis640 };

struct ReadOptions {
  std::optional<EventFormat> format;  ///< by content if not given
  /// Sensor size where the file does not say. If 0: a `.bin` is 34x34 or else 240x180, whichever holds all its events;
  /// AEDAT 3 without a known camera is as large as its largest address, with a warning.
  int width = 0;
  int height = 0;
  /// Damage (a truncated end, a pixel outside the sensor, a broken packet) loses events and adds a warning, instead of
  /// being an error.
  bool lenient = false;
  Orientation orientation = Orientation::upright;
  bool keep_invalid = false;    ///< AEDAT 3: also events whose validity bit is 0
  std::optional<AerChip> chip;  ///< AEDAT 2.0 and 1.0 without an AEChip line
  std::optional<int> stream;    ///< AEDAT 3 source or AEDAT4 stream to read, where the file has events of several
};

/// A recording as its file has it: times absolute and in file order.
struct Recording {
  EventStream events;
  EventFormat format = EventFormat::aedat2;
  std::string source;                ///< camera or chip as the file names it; may be empty
  std::int64_t backward_steps = 0;   ///< events earlier than the event before them; no error in any of the formats
  std::int64_t skipped_special = 0;  ///< records that are no pixel's event: sync, IMU and frame samples, other packets
  std::int64_t skipped_invalid = 0;  ///< AEDAT 3 events whose validity bit is 0
  std::int64_t out_of_range = 0;     ///< events dropped for x, y or t that the sensor cannot have; only if lenient
  std::int64_t missing_bytes = 0;    ///< by which the last record or packet is too short; only if lenient
  std::vector<std::string> warnings;
};

/// Reads a recording of any EventFormat.
///
/// AEDAT 2.0 times are 32 bits and unwrapped: a fall of more than 2^31 us is one more round of the counter. AEDAT 3
/// times are put together from the packet's overflow count and 31 bits. AEDAT4 times are absolute Unix time. A `.bin`
/// counts 23 bits, and y = 240 adds 8,192 us to all that follows. No events is not an error.
///
/// \throws FileError   if it cannot be read
/// \throws FormatError if it is damaged (see ReadOptions::lenient), or not of the expected format
/// \throws ConfigError if the options lack what the file needs, such as the chip
Recording read_recording(const std::filesystem::path& file, const ReadOptions& options = {});

/// As above, from memory. `name` serves for error texts, and for the extension `.bin`.
Recording decode_recording(std::span<const std::byte> bytes, const std::string& name, const ReadOptions& options = {});

}  // namespace synfire::datasets
