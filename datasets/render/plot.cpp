#include "datasets/render/plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

namespace synfire::datasets {

Density::Density(const Panel& panel)
    : panel_(panel),
      on_(static_cast<std::size_t>(panel.width) * static_cast<std::size_t>(panel.height), 0),
      off_(on_) {}

void Density::add(int column, int row, bool on) {
  ++(on ? on_ : off_)[static_cast<std::size_t>(row) * static_cast<std::size_t>(panel_.width) +
                      static_cast<std::size_t>(column)];
}

void Density::add_part(int column, int part, int side, bool on) {
  const int begin = part * panel_.height / side;
  const int end = std::max(begin + 1, (part + 1) * panel_.height / side);
  for (int row = begin; row < end; ++row) add(column, row, on);
}

void Density::draw(Image& image) const {
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
  image.text(panel.left - 10 - Image::text_width(label, kPlotTextScale), y - Image::text_height(kPlotTextScale) / 2,
             label, kPlotTextScale);
}

void label_parts(Image& image, const Panel& panel, const std::string& name, int side, Axis axis) {
  image.frame(panel.left - 1, panel.top - 1, panel.width + 2, panel.height + 2);
  image.text(8, panel.top + panel.height / 2 - Image::text_height(kPlotTextScale) / 2, name, kPlotTextScale);
  const double step = std::max(1.0, round_step(side, 5));
  for (double at = 0.0; at < side; at += step)
    label_left(image, panel, axis == Axis::upwards ? 1.0 - (at + 0.5) / side : at / side, fmt::format("{:g}", at));
}

void label_time(Image& image, const Panel& panel, double span_us) {
  const bool in_ms = span_us < 2e6;
  const double shown = span_us * (in_ms ? 1e-3 : 1e-6), step = round_step(shown, 8);
  const int below = panel.top + panel.height;
  for (int i = 0; i * step <= shown; ++i) {
    const int x = panel.left + static_cast<int>(i * step / shown * (panel.width - 1));
    image.fill(x, below + 1, 1, 5);
    const std::string label = fmt::format("{:g}", i * step);
    image.text(x - Image::text_width(label, kPlotTextScale) / 2, below + 9, label, kPlotTextScale);
  }
  const std::string unit_name = in_ms ? "time (ms)" : "time (s)";
  image.text(panel.left + (panel.width - Image::text_width(unit_name, kPlotTextScale)) / 2,
             below + 9 + Image::text_height(kPlotTextScale) + 8, unit_name, kPlotTextScale);
}

}  // namespace synfire::datasets
