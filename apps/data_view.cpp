#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/read_options.hpp"
#include "datasets/render/pictures.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

constexpr int kSheetColumns = 4;
constexpr int kRasterWidth = 960;

}  // namespace

int data_view_command(const Arguments& args) {
  CommandLine line("synfire data view", "FILE",
                   "Makes pictures of a recording: frames (frame_01.png ...), all on one sheet\n(frames.png), an "
                   "animation (events.gif) and a raster of x, y "
                   "and rate\nover time (raster.png). ON events are orange, OFF events blue.");
  line.options().add_options()("out", po::value<std::string>(),
                               "folder of the pictures (default: FILE without its ending)")(
      "frames", po::value<int>()->default_value(8), "number of frames, each an equal part of the recording")(
      "scale", po::value<int>()->default_value(4), "picture pixels for a sensor pixel");
  add_read_options(line);
  line.positional("file", 1);
  if (!line.parse(args)) return kExitOk;
  const int frames = line.get<int>("frames"), scale = line.get<int>("scale");
  if (frames < 1 || frames > 1000) throw UsageError(fmt::format("--frames: expected 1 to 1000, got {}", frames));
  if (scale < 1 || scale > 16) throw UsageError(fmt::format("--scale: expected 1 to 16, got {}", scale));

  const std::filesystem::path file = line.list("file").front();
  const std::filesystem::path out =
      line.has("out") ? std::filesystem::path(line.get<std::string>("out")) : file.filename().replace_extension();
  const datasets::Recording recording = datasets::read_recording(file, read_options(line));
  for (const std::string& warning : recording.warnings) std::cerr << "synfire: warning: " << warning << '\n';
  std::error_code problem;
  std::filesystem::create_directories(out, problem);
  if (problem) throw FileError(out.string(), "cannot make the folder: " + problem.message());

  const EventStream& events = recording.events;
  const std::vector<std::int64_t> times_us = datasets::equal_times_us(events, frames);
  const std::int64_t start_us = events.empty() ? 0 : events.t_us.front();
  std::vector<datasets::Image> pictures;
  std::vector<std::string> captions;
  for (const datasets::Image& image : datasets::trace_images(events, times_us, datasets::usual_decay_us(events))) {
    captions.push_back(fmt::format("{:.3f} s", 1e-6 * static_cast<double>(times_us[pictures.size()] - start_us)));
    pictures.push_back(datasets::enlarged(image, scale));
    datasets::write_png(out / fmt::format("frame_{:02}.png", pictures.size()), pictures.back());
  }
  datasets::write_png(out / "frames.png", datasets::contact_sheet(pictures, captions, kSheetColumns));
  datasets::Animation animation = datasets::animate(events);
  for (datasets::Image& image : animation.images) image = datasets::enlarged(image, scale);
  datasets::write_gif(out / "events.gif", animation.images, animation.delay_ms);
  datasets::write_png(out / "raster.png", datasets::event_raster(events, kRasterWidth));
  std::cout << fmt::format(
      "{}: {} frames and all of them in frames.png, events.gif ({:g} times slower than life), raster.png\n",
      out.string(), frames, std::round(10.0 * animation.slowness) / 10.0);
  return kExitOk;
}

}  // namespace synfire::apps
