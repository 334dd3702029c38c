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
#include "datasets/render/spike_raster.hpp"
#include "datasets/shd_reader.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

constexpr int kSheetColumns = 4;
constexpr int kRasterWidth = 960;

void make_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) throw FileError(folder.string(), "cannot make the folder: " + problem.message());
}

void view_spike_train(const std::filesystem::path& file, const std::filesystem::path& out, std::int64_t sample) {
  const datasets::SpikeTrainSet set = datasets::read_shd(file);
  if (sample < 0 || sample >= std::ssize(set.samples))
    throw UsageError(
        fmt::format("--sample: {} has samples 0 to {}, got {}", file.string(), std::ssize(set.samples) - 1, sample));
  const auto index = static_cast<std::size_t>(sample);
  const datasets::SpikeTrain& train = set.samples[index];
  make_folder(out);
  const std::filesystem::path picture = out / fmt::format("sample_{}.png", sample);
  datasets::write_png(picture, datasets::spike_raster(train, set.num_channels, kRasterWidth));
  const auto label = static_cast<std::size_t>(set.label[index]);
  std::cout << fmt::format("{}: class {}, speaker {}, {} spikes\n", picture.string(),
                           set.class_names.empty() ? std::to_string(label) : set.class_names[label], set.speaker[index],
                           train.t_s.size());
}

}  // namespace

int data_view_command(const Arguments& args) {
  CommandLine line(
      "synfire data view", "FILE",
      "Makes pictures of a recording: frames (frame_01.png ...), all on one sheet\n(frames.png), an "
      "animation (events.gif) and a raster of x, y "
      "and rate\nover time (raster.png). ON events are orange, OFF events blue.\nOf a file of spike trains (HDF5, as "
      "SHD) a raster of one sample's channels and rate over time.");
  line.options().add_options()("out", po::value<std::string>(),
                               "folder of the pictures (default: FILE without its ending)")(
      "frames", po::value<int>()->default_value(8), "number of frames, each an equal part of the recording")(
      "scale", po::value<int>()->default_value(4), "picture pixels for a sensor pixel")(
      "sample", po::value<std::int64_t>()->default_value(0), "which one of a file of spike trains");
  add_read_options(line);
  line.positional("file", 1);
  if (!line.parse(args)) return kExitOk;
  const int frames = line.get<int>("frames"), scale = line.get<int>("scale");
  if (frames < 1 || frames > 1000) throw UsageError(fmt::format("--frames: expected 1 to 1000, got {}", frames));
  if (scale < 1 || scale > 16) throw UsageError(fmt::format("--scale: expected 1 to 16, got {}", scale));

  const std::filesystem::path file = line.list("file").front();
  const std::filesystem::path out =
      line.has("out") ? std::filesystem::path(line.get<std::string>("out")) : file.filename().replace_extension();
  if (datasets::is_spike_train_file(file)) {
    view_spike_train(file, out, line.get<std::int64_t>("sample"));
    return kExitOk;
  }
  const datasets::Recording recording = datasets::read_recording(file, read_options(line));
  for (const std::string& warning : recording.warnings) std::cerr << "synfire: warning: " << warning << '\n';
  make_folder(out);

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
