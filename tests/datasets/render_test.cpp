#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <gif_lib.h>
#include <png.h>

#include "core/error.hpp"
#include "datasets/render/layer_raster.hpp"
#include "datasets/render/pictures.hpp"
#include "datasets/render/trace_plot.hpp"

using namespace synfire;
using namespace synfire::datasets;
namespace fs = std::filesystem;

namespace {

constexpr int kFull = Image::kLevels - 1;

EventStream four_by_three() {
  EventStream events;
  events.width = 4;
  events.height = 3;
  return events;
}

int on_ink(const Image& image, int x, int y) {
  return image.pixels()[static_cast<std::size_t>(y * image.width() + x)] / Image::kLevels;
}

int off_ink(const Image& image, int x, int y) {
  return image.pixels()[static_cast<std::size_t>(y * image.width() + x)] % Image::kLevels;
}

bool any_ink(const Image& image, int left, int top, int width, int height) {
  for (int y = top; y < top + height; ++y) {
    for (int x = left; x < left + width; ++x) {
      if (on_ink(image, x, y) + off_ink(image, x, y) > 0) return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("a trace shows the last event of each pixel, the paler the older") {
  EventStream events = four_by_three();
  events.push_back({1000, 1, 2, 0});
  events.push_back({2000, 1, 2, 1});
  events.push_back({3000, 3, 0, 0});

  const std::vector<Image> images = trace_images(events, {1000, 2000, 3000, 9000}, 2000);

  REQUIRE(images.size() == 4);
  CHECK(off_ink(images[0], 1, 2) == kFull);
  CHECK(on_ink(images[1], 1, 2) == kFull);
  CHECK(off_ink(images[1], 1, 2) == 0);
  // exp(-1/2) of 15.
  CHECK(on_ink(images[2], 1, 2) == 9);
  CHECK(off_ink(images[2], 3, 0) == kFull);
  CHECK_FALSE(any_ink(images[3], 1, 2, 1, 1));  // 7000 us later: more than three decays
  CHECK(off_ink(images[3], 3, 0) > 0);          // 6000 us: not more
}

TEST_CASE("events out of order are shown in the order of time") {
  EventStream events = four_by_three();
  events.push_back({2000, 1, 1, 1});
  events.push_back({1000, 1, 1, 0});

  const Image image = trace_images(events, {2000}, 1000).front();

  CHECK(on_ink(image, 1, 1) == kFull);
}

TEST_CASE("a recording without events has pictures without ink") {
  const EventStream none = four_by_three();

  CHECK_FALSE(any_ink(trace_images(none, equal_times_us(none, 1), usual_decay_us(none)).front(), 0, 0, 4, 3));
  CHECK(animate(none).images.size() >= 1);
  CHECK(event_raster(none, 480).width() == 480);
  CHECK(thumbnail_png(none).size() > 8);
}

TEST_CASE("an animation keeps the time of a long recording and slows a short one down") {
  EventStream events = four_by_three();
  events.push_back({0, 0, 0, 1});
  events.push_back({4'000'000, 0, 0, 1});
  const Animation long_one = animate(events);
  events.t_us[1] = 300'000;
  const Animation short_one = animate(events);

  CHECK(long_one.slowness == doctest::Approx(1.0));
  CHECK(long_one.images.size() == 101);
  CHECK(short_one.slowness == doctest::Approx(40.0 / 3.75).epsilon(0.01));
}

TEST_CASE("PNG bytes decode to the colours of the picture") {
  Image image(5, 4);
  image.put(1, 2, kFull, 0);
  image.put(4, 3, 0, kFull);

  const std::vector<unsigned char> bytes = png_bytes(image);

  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()) != 0);
  CHECK(header.width == 5);
  CHECK(header.height == 4);
  header.format = PNG_FORMAT_RGB;
  std::vector<unsigned char> rgb(PNG_IMAGE_SIZE(header));
  REQUIRE(png_image_finish_read(&header, nullptr, rgb.data(), 0, nullptr) != 0);
  const auto colour = [&](int x, int y) {
    const auto at = static_cast<std::size_t>(3 * (5 * y + x));
    return std::vector<int>{rgb[at], rgb[at + 1], rgb[at + 2]};
  };
  CHECK(colour(0, 0) == std::vector<int>{255, 255, 255});
  CHECK(colour(1, 2)[0] > colour(1, 2)[2] + 100);  // orange
  CHECK(colour(4, 3)[2] > colour(4, 3)[0] + 100);  // blue
}

TEST_CASE("an animation is a GIF with its pictures") {
  const fs::path file = fs::temp_directory_path() / ("synfire_render_" + std::to_string(std::rand()) + ".gif");
  std::vector<Image> images(3, Image(7, 5));
  images[1].put(2, 3, kFull, 0);

  write_gif(file, images, 40);

  int problem = 0;
  GifFileType* const gif = DGifOpenFileName(file.string().c_str(), &problem);
  REQUIRE(gif != nullptr);
  REQUIRE(DGifSlurp(gif) == GIF_OK);
  CHECK(gif->ImageCount == 3);
  CHECK(gif->SWidth == 7);
  CHECK(gif->SavedImages[1].RasterBits[3 * 7 + 2] == kFull * Image::kLevels);
  CHECK(gif->SavedImages[0].RasterBits[3 * 7 + 2] == 0);
  DGifCloseFile(gif, nullptr);
  fs::remove(file);
}

TEST_CASE("a contact sheet has every picture in its place and a caption under it") {
  std::vector<Image> images(5, Image(40, 30));
  images[4].put(10, 10, kFull, 0);

  const Image sheet = contact_sheet(images, {"0 s", "1 s", "2 s", "3 s", "4 s"}, 3);

  const int column = (sheet.width() - 6) / 3, row = (sheet.height() - 6) / 2;
  CHECK(column == 46);
  CHECK(on_ink(sheet, 6 + column + 10, 6 + row + 10) == kFull);
  CHECK(off_ink(sheet, 6 + column + 10, 6 + row + 10) == 0);
  CHECK(any_ink(sheet, 6 + column, 6 + row + 32, 40, 16));
  CHECK_FALSE(any_ink(sheet, 6 + 2 * column - 1, 6 + row, 40, 40));  // the sixth place is empty
}

TEST_CASE("a raster inks an event at its time and place") {
  EventStream events;
  events.width = events.height = 100;
  for (std::int64_t t_us = 0; t_us <= 1'000'000; t_us += 1'000'000) events.push_back({t_us, 50, 10, 1});
  events.push_back({500'000, 90, 10, 0});

  const Image raster = event_raster(events, 960);

  // Left edge of the panels at 92, right at 944; the x panel runs from 10 on.
  // The event lies just left of the middle: the recording is a microsecond longer than twice its time.
  const int middle = 92 + (960 - 92 - 16) / 2 - 1;
  int found = -1;
  for (int y = 12; y < 240; ++y) {
    if (off_ink(raster, middle, y) > 0 && on_ink(raster, middle, y) == 0) found = y;
  }
  const int panel_height = 3 * ((720 - 36 - 60) / 8);
  CHECK(std::abs(found - (10 + panel_height * 9 / 10)) <= panel_height / 50);
}

TEST_CASE("text takes the room that it says") {
  Image image(60, 20);

  CHECK(image.text(1, 1, "0.5 s", 2) == Image::text_width("0.5 s", 2));
  CHECK(any_ink(image, 0, 0, 60, 20));
  CHECK_FALSE(any_ink(image, 0, 1 + Image::text_height(2), 60, 2));
}

TEST_CASE("a raster of layers inks a spike in its layer, row and tick, and leaves out what comes too late") {
  const std::vector<RasterLayer> layers = {{"input", 2, {1, 9}, {0, 1}}, {"lif", 8, {3}, {7}}};

  const Image raster = layer_raster(layers, 8, 1.0, 308);

  // Panels lie from 92 on, 200 wide: 25 a tick, and a mark is 6 wide. The first is 48 high under its title of 26, the
  // second again 48 high 12 below it. Neuron 0 is at the bottom.
  const int first = 26, second = first + 48 + 12 + 26;
  CHECK(off_ink(raster, 92 + 25, first + 24 + 12) > 0);
  CHECK_FALSE(any_ink(raster, 92 + 25 + 6, first, 200 - 25 - 6, 48));
  CHECK_FALSE(any_ink(raster, 92, first, 200, 24));
  CHECK(off_ink(raster, 92 + 75, second + 2) > 0);
  CHECK_FALSE(any_ink(raster, 92, second + 6, 200, 48 - 6));
  CHECK(raster.height() == second + 48 + 12 + 60);
}

TEST_CASE("a trace goes through its values, with its threshold and its spikes in the other ink") {
  const std::vector<MembraneTrace> traces = {{"lif 0", {0.0F, 0.0F, 2.0F, 0.0F}, 1.0, {2}}};

  const Image plot = trace_plot(traces, 1.0, 308);

  // 50 points a tick, values in the middle; from 2.1 at the top to -0.1, 140 high.
  const auto row = [](double v) { return 26 + static_cast<int>((2.1 - v) / 2.2 * 140); };
  CHECK(off_ink(plot, 92 + 40, row(0.0)) == kFull);
  CHECK(off_ink(plot, 92 + 125, row(2.0)) == kFull);
  CHECK(on_ink(plot, 92 + 2, row(1.0)) == kFull);
  CHECK(off_ink(plot, 92 + 2, row(1.0)) == 0);
  CHECK(on_ink(plot, 92 + 126, 26) == kFull);
  CHECK(on_ink(plot, 92 + 25, 26) == 0);
}

TEST_CASE("layers and traces without a spike or a finite value make a picture") {
  const float nan = std::numeric_limits<float>::quiet_NaN();

  CHECK(layer_raster({{"silent", 3, {}, {}}}, 1, 1.0, 300).height() > 0);
  CHECK(trace_plot({{"lost", {nan, nan}, 1.0, {}}, {"empty", {}, 1.0, {}}}, 1.0, 300).height() > 0);
}
