#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "datasets/render/pictures.hpp"

namespace synfire::datasets {

namespace {

constexpr int kTextScale = 2;
constexpr int kGap = 18;

/// A plot's frame.
struct Panel {
  int left, top, width, height;
};

/// ON and OFF events that fall on each point of a panel.
class Density {
 public:
  explicit Density(const Panel& panel)
      : panel_(panel),
        on_(static_cast<std::size_t>(panel.width) * static_cast<std::size_t>(panel.height), 0),
        off_(on_) {}

  void add(int column, int row, bool on) {
    ++(on ? on_ : off_)[static_cast<std::size_t>(row) * static_cast<std::size_t>(panel_.width) +
                        static_cast<std::size_t>(column)];
  }

  void draw(Image& image) const {
    // Full ink where all but one of a hundred points with events have fewer.
    std::vector<int> counts;
    for (std::size_t i = 0; i < on_.size(); ++i) {
      if (on_[i] + off_[i] > 0) counts.push_back(on_[i] + off_[i]);
    }
    if (counts.empty()) return;
    const auto place = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() - 1 - counts.size() / 100);
    std::nth_element(counts.begin(), place, counts.end());
    const double full = std::log1p(*place);
    for (std::size_t i = 0; i < on_.size(); ++i) {
      const int total = on_[i] + off_[i];
      if (total == 0) continue;
      const double ink = (Image::kLevels - 1) * std::min(1.0, 0.15 + 0.85 * std::log1p(total) / full);
      const double share = static_cast<double>(on_[i]) / total;
      const int x = static_cast<int>(i) % panel_.width, y = static_cast<int>(i) / panel_.width;
      image.put(panel_.left + x, panel_.top + y, static_cast<int>(std::lround(ink * share)),
                static_cast<int>(std::lround(ink * (1.0 - share))));
    }
  }

 private:
  Panel panel_;
  std::vector<int> on_, off_;
};

/// A round step (1, 2 or 5 times a power of ten) that divides `span` into at most `count` parts.
double round_step(double span, int count) {
  const double least = span / count;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10.0 * power;
}

void label_left(Image& image, const Panel& panel, double share, const std::string& label) {
  const int y = panel.top + static_cast<int>(share * panel.height);
  image.fill(panel.left - 6, y, 5, 1);
  image.text(panel.left - 10 - Image::text_width(label, kTextScale), y - Image::text_height(kTextScale) / 2, label,
             kTextScale);
}

/// Rows of the panel from 0 to `side`, downwards.
void label_pixels(Image& image, const Panel& panel, const std::string& name, int side) {
  image.frame(panel.left - 1, panel.top - 1, panel.width + 2, panel.height + 2);
  image.text(8, panel.top + panel.height / 2 - Image::text_height(kTextScale) / 2, name, kTextScale);
  const double step = std::max(1.0, round_step(side, 5));
  for (double at = 0.0; at < side; at += step) label_left(image, panel, at / side, fmt::format("{:g}", at));
}

}  // namespace

Image event_raster(const EventStream& events, int width) {
  const int height = width * 3 / 4;
  Image image(width, height);
  const int left = 92, plot_width = width - left - 16;
  const int unit = (height - 2 * kGap - 60) / 8;
  const Panel x_panel{left, 10, plot_width, 3 * unit};
  const Panel y_panel{left, x_panel.top + x_panel.height + kGap, plot_width, 3 * unit};
  const Panel rate_panel{left, y_panel.top + y_panel.height + kGap, plot_width, 2 * unit};

  const auto [least, most] = std::minmax_element(events.t_us.begin(), events.t_us.end());
  const std::int64_t first = events.empty() ? 0 : *least;
  const double span = events.empty() ? 1.0 : static_cast<double>(*most - first + 1);
  Density x_density(x_panel), y_density(y_panel);
  std::vector<int> on_rate(static_cast<std::size_t>(plot_width), 0), off_rate = on_rate;
  // A pixel of the sensor may be several points high, or less than one.
  const auto spread = [](Density& density, const Panel& panel, int column, int pixel, int side, bool on) {
    const int begin = pixel * panel.height / side;
    const int end = std::max(begin + 1, (pixel + 1) * panel.height / side);
    for (int row = begin; row < end; ++row) density.add(column, row, on);
  };
  for (std::size_t i = 0; i < events.size(); ++i) {
    const int column = static_cast<int>(static_cast<double>(events.t_us[i] - first) / span * plot_width);
    const bool on = events.on[i] != 0;
    spread(x_density, x_panel, column, events.x[i], events.width, on);
    spread(y_density, y_panel, column, events.y[i], events.height, on);
    ++(on ? on_rate : off_rate)[static_cast<std::size_t>(column)];
  }
  x_density.draw(image);
  y_density.draw(image);
  label_pixels(image, x_panel, "x", events.width);
  label_pixels(image, y_panel, "y", events.height);

  int highest = 1;
  for (std::size_t i = 0; i < on_rate.size(); ++i) highest = std::max(highest, on_rate[i] + off_rate[i]);
  for (int column = 0; column < plot_width; ++column) {
    const auto index = static_cast<std::size_t>(column);
    const int on = on_rate[index] * rate_panel.height / highest;
    const int both = (on_rate[index] + off_rate[index]) * rate_panel.height / highest;
    for (int i = 0; i < both; ++i) {
      const int y = rate_panel.top + rate_panel.height - 1 - i;
      image.put(rate_panel.left + column, y, i < on ? 12 : 0, i < on ? 0 : 12);
    }
  }
  image.frame(rate_panel.left - 1, rate_panel.top - 1, rate_panel.width + 2, rate_panel.height + 2);
  const double per_second = 1e6 * plot_width / span;
  const double highest_k = 1e-3 * highest * per_second;
  const double rate_step = round_step(highest_k, 4);
  for (int i = 0; i * rate_step <= highest_k; ++i)
    label_left(image, rate_panel, 1.0 - i * rate_step / highest_k, fmt::format("{:g}", i * rate_step));
  image.text(8, rate_panel.top + rate_panel.height / 2 - Image::text_height(kTextScale), "k/s", kTextScale);

  const bool in_ms = span < 2e6;
  const double shown = span * (in_ms ? 1e-3 : 1e-6), step = round_step(shown, 8);
  const int below = rate_panel.top + rate_panel.height;
  for (int i = 0; i * step <= shown; ++i) {
    const int x = rate_panel.left + static_cast<int>(i * step / shown * (rate_panel.width - 1));
    image.fill(x, below + 1, 1, 5);
    const std::string label = fmt::format("{:g}", i * step);
    image.text(x - Image::text_width(label, kTextScale) / 2, below + 9, label, kTextScale);
  }
  const std::string unit_name = in_ms ? "time (ms)" : "time (s)";
  image.text(rate_panel.left + (rate_panel.width - Image::text_width(unit_name, kTextScale)) / 2,
             below + 9 + Image::text_height(kTextScale) + 8, unit_name, kTextScale);
  return image;
}

}  // namespace synfire::datasets
