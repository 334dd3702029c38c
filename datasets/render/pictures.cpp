#include "datasets/render/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

namespace synfire::datasets {

namespace {

/// A plot's frame: where time and value land.
struct Panel {
  int left, top, width, height;

  int column(double share) const { return left + static_cast<int>(share * (width - 1)); }
  int row(double share) const { return top + static_cast<int>(share * (height - 1)); }
};

void draw_frame(Image& image, const Panel& panel, const std::string& label, const std::string& top,
                const std::string& bottom) {
  image.fill(panel.left - 1, panel.top, 1, panel.height + 1);
  image.fill(panel.left - 1, panel.top + panel.height, panel.width + 1, 1);
  image.text(panel.left - 4 - 8 * static_cast<int>(top.size()), panel.top, top, 2);
  image.text(panel.left - 4 - 8 * static_cast<int>(bottom.size()), panel.top + panel.height - 10, bottom, 2);
  image.text(4, panel.top + panel.height / 2 - 7, label, 2);
}

/// A round step (1, 2 or 5 times a power of ten) that divides `span` into at most `count` parts.
double round_step(double span, int count) {
  const double least = span / count;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10.0 * power;
}

}  // namespace

Image event_image(const EventStream& events, std::int64_t begin_us, std::int64_t end_us) {
  const auto num_pixels = static_cast<std::size_t>(events.width) * static_cast<std::size_t>(events.height);
  std::vector<int> on(num_pixels, 0), off(num_pixels, 0);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events.t_us[i] < begin_us || events.t_us[i] >= end_us) continue;
    const std::size_t pixel =
        static_cast<std::size_t>(events.y[i]) * static_cast<std::size_t>(events.width) + events.x[i];
    ++(events.on[i] ? on : off)[pixel];
  }
  std::vector<int> active;
  for (std::size_t i = 0; i < num_pixels; ++i) {
    if (on[i] + off[i] > 0) active.push_back(std::max(on[i], off[i]));
  }
  int full = 1;
  if (!active.empty()) {
    const auto place = active.begin() + static_cast<std::ptrdiff_t>(active.size() - 1 - active.size() / 100);
    std::nth_element(active.begin(), place, active.end());
    full = std::max(1, *place);
  }
  Image image(events.width, events.height);
  const auto strength = [&](int count) { return (count * (Image::kLevels - 1) + full - 1) / full; };
  for (int y = 0; y < events.height; ++y) {
    for (int x = 0; x < events.width; ++x) {
      const std::size_t pixel =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(events.width) + static_cast<std::size_t>(x);
      image.put(x, y, strength(on[pixel]), strength(off[pixel]));
    }
  }
  return image;
}

std::vector<Image> event_images(const EventStream& events, int count) {
  std::vector<Image> images;
  const std::int64_t first = events.empty() ? 0 : events.t_us.front();
  const std::int64_t span = events.empty() ? 1 : events.t_us.back() - first + 1;
  for (int i = 0; i < count; ++i) {
    images.push_back(event_image(events, first + span * i / count, first + span * (i + 1) / count));
  }
  return images;
}

Image event_raster(const EventStream& events, int width) {
  const int height = width * 3 / 4;
  Image image(width, height);
  const int left = 64, plot_width = width - left - 16, gap = 16;
  const int panel_height = (height - 40 - 2 * gap) / 8;
  const Panel x_panel{left, 8, plot_width, 3 * panel_height};
  const Panel y_panel{left, 8 + gap + 3 * panel_height, plot_width, 3 * panel_height};
  const Panel rate_panel{left, 8 + 2 * gap + 6 * panel_height, plot_width, 2 * panel_height};
  const std::int64_t first = events.empty() ? 0 : events.t_us.front();
  const double span = events.empty() ? 1.0 : static_cast<double>(events.t_us.back() - first + 1);
  // Ink for one event, so that a column of an average recording is readable and a dense one is not a solid block.
  const double per_dot = static_cast<double>(events.size()) / (0.25 * plot_width * x_panel.height);
  const int strength = std::clamp(static_cast<int>(std::lround(6.0 / std::max(0.4, per_dot))), 1, Image::kLevels - 1);

  std::vector<int> rate(static_cast<std::size_t>(plot_width), 0);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const double at = static_cast<double>(events.t_us[i] - first) / span;
    if (at < 0.0 || at >= 1.0) continue;
    image.add(x_panel.column(at), x_panel.row((events.x[i] + 0.5) / events.width), events.on[i] != 0, strength);
    image.add(y_panel.column(at), y_panel.row((events.y[i] + 0.5) / events.height), events.on[i] != 0, strength);
    ++rate[static_cast<std::size_t>(at * plot_width)];
  }
  const int most = std::max(1, *std::max_element(rate.begin(), rate.end()));
  for (int i = 0; i < plot_width; ++i) {
    const int bar = rate[static_cast<std::size_t>(i)] * (rate_panel.height - 1) / most;
    for (int j = 0; j < bar; ++j) image.put(rate_panel.left + i, rate_panel.top + rate_panel.height - 1 - j, 6, 6);
  }
  draw_frame(image, x_panel, "x", "0", std::to_string(events.width - 1));
  draw_frame(image, y_panel, "y", "0", std::to_string(events.height - 1));
  draw_frame(image, rate_panel, "k/s", fmt::format("{:.0f}", most * plot_width / span * 1e3), "0");
  const double seconds = span * 1e-6, step = round_step(seconds, 8);
  for (double t = 0.0; t <= seconds; t += step) {
    const int at = rate_panel.column(t / seconds);
    image.fill(at, rate_panel.top + rate_panel.height, 1, 5);
    const std::string label = fmt::format("{:g}", std::round(t / step) * step);
    image.text(at - 4 * static_cast<int>(label.size()), rate_panel.top + rate_panel.height + 8, label, 2);
  }
  image.text(width - 96, rate_panel.top + rate_panel.height + 22, "time (s)", 2);
  return image;
}

std::vector<unsigned char> thumbnail_png(const EventStream& events) {
  const std::int64_t first = events.empty() ? 0 : events.t_us.front();
  const std::int64_t span = events.empty() ? 1 : events.t_us.back() - first + 1;
  const std::int64_t shown = std::clamp<std::int64_t>(span / 5, 1, 200'000);
  const std::int64_t begin = first + (span - shown) / 2;
  const int factor = (128 + std::max(1, events.width) - 1) / std::max(1, events.width);
  return png_bytes(enlarged(event_image(events, begin, begin + shown), factor));
}

}  // namespace synfire::datasets
