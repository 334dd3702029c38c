#pragma once

#include <filesystem>
#include <string>

#include "core/event_stream.hpp"
#include "datasets/event_format.hpp"

namespace synfire::datasets {

enum class Aedat4Compression { none, lz4, zstd };

struct WriteOptions {
  Aedat4Compression compression = Aedat4Compression::lz4;  ///< of AEDAT4 packets
};

/// Writes a recording so that read_recording gives the same events again; the old file stays until the new one is
/// whole.
///
/// - aedat2: 2.0 with the address map of the DVS128 up to 128x128, else of the DAVIS346 up to 346x260. Times wrap at
///   2^32 us: the first must be below that, and no gap longer than 2^31 us.
/// - aedat3: 3.1, from a camera that holds the sensor: DVS128, DAVIS240C, DAVIS346 or DAVIS640. Times below 2^62 us.
/// - aedat4: packets with a table at the end; 1 to 32,767 pixels in x and y; any time.
/// - nmnist_bin: x and y below 256 without y = 240, which means a time overflow; times below 2^23 us.
///
/// Smaller sensors than the camera's come back as large as the camera's, except for AEDAT4, and a `.bin` comes back
/// with the size that the reader takes by default.
///
/// \throws FileError if an event cannot be represented in the format, or the file cannot be written
void write_recording(const std::filesystem::path& file, const EventStream& events, EventFormat format,
                     const WriteOptions& options = {});

/// The content of such a file. `name` serves for error texts.
std::string encode_recording(const EventStream& events, const std::string& name, EventFormat format,
                             const WriteOptions& options = {});

}  // namespace synfire::datasets
