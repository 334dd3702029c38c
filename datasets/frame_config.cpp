#include <cmath>

#include "datasets/frames.hpp"

namespace synfire::datasets {

FrameConfig read_frame_config(const ConfigTable& table) {
  FrameConfig config;
  config.bins = static_cast<int>(table.integer("bins", 16, 1, 65536));
  config.mode = table.choice("mode", {"time", "number"}, "time") == "time" ? FrameMode::time : FrameMode::number;
  config.bin_ms = table.number("bin_ms", 0.0, 0.0, 1e6);
  if (config.bin_ms > 0.0 && config.bin_ms < 0.001) table.fail("bin_ms", "a bin must be at least a microsecond long");
  if (config.bin_ms > 0.0 && config.mode == FrameMode::number)
    table.fail("bin_ms", "frames by number of events have no duration");
  const std::string convention = table.choice("convention", {"synfire", "tonic", "spikingjelly"}, "synfire");
  config.convention = convention == "tonic"          ? Convention::tonic
                      : convention == "spikingjelly" ? Convention::spikingjelly
                                                     : Convention::synfire;
  config.binary = table.choice("values", {"counts", "binary"}, "counts") == "binary";
  config.downsample = static_cast<int>(table.integer("downsample", 1, 1, 1024));
  const std::vector<double> size = table.numbers("size", std::vector<double>{});
  if (!size.empty()) {
    const auto is_extent = [](double v) { return v >= 1.0 && v <= 65536.0 && v == std::floor(v); };
    if (size.size() != 2 || !is_extent(size[0]) || !is_extent(size[1]))
      table.fail("size", "expected [width, height] in pixels");
    config.width = static_cast<int>(size[0]);
    config.height = static_cast<int>(size[1]);
  }
  return config;
}

}  // namespace synfire::datasets
