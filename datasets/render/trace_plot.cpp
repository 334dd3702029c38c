#include "datasets/render/trace_plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "datasets/render/plot.hpp"

namespace synfire::datasets {

namespace {

constexpr int kLeft = 92, kRight = 16, kTitle = 26, kGap = 12, kBelow = 60, kHeight = 140;
constexpr int kMark = 8;  ///< height of a spike's mark
constexpr int kFull = Image::kLevels - 1;

struct Range {
  double low, high;
};

Range range_of(const MembraneTrace& trace) {
  Range range{std::min(0.0, trace.v_th), std::max(0.0, trace.v_th)};
  for (const float v : trace.v) {
    if (!std::isfinite(v)) continue;
    range.low = std::min(range.low, static_cast<double>(v));
    range.high = std::max(range.high, static_cast<double>(v));
  }
  const double room = std::max(1e-6, 0.05 * (range.high - range.low));
  return {range.low - room, range.high + room};
}

class TracePanel {
 public:
  TracePanel(Image& image, const Panel& panel, const MembraneTrace& trace, std::size_t num_ticks)
      : image_(image), panel_(panel), trace_(trace), num_ticks_(num_ticks), range_(range_of(trace)) {}

  void draw() {
    for (int x = 0; x < panel_.width; ++x) {
      if (x % 6 < 4) put(x, row(trace_.v_th), kFull, 0);
    }
    for (const std::int32_t tick : trace_.spike_ticks) {
      for (int y = 0; y < kMark; ++y) {
        for (int dx = 0; dx < 2; ++dx) put(column(static_cast<std::size_t>(tick)) + dx, y, kFull, 0);
      }
    }
    for (std::size_t t = 0; t + 1 < trace_.v.size(); ++t) {
      if (std::isfinite(trace_.v[t]) && std::isfinite(trace_.v[t + 1])) draw_line(t);
    }
    image_.frame(panel_.left - 1, panel_.top - 1, panel_.width + 2, panel_.height + 2);
    const double step = round_step(range_.high - range_.low, 4);
    for (double at = std::ceil(range_.low / step); at * step <= range_.high; at += 1.0) {
      label_left(image_, panel_, (range_.high - at * step) / (range_.high - range_.low),
                 fmt::format("{:g}", at * step + 0.0));
    }
  }

 private:
  int column(std::size_t tick) const {
    return static_cast<int>((static_cast<double>(tick) + 0.5) / static_cast<double>(num_ticks_) * panel_.width);
  }
  int row(double v) const {
    return std::clamp(static_cast<int>((range_.high - v) / (range_.high - range_.low) * panel_.height), 0,
                      panel_.height - 1);
  }
  void put(int x, int y, int on, int off) {
    if (x < panel_.width) image_.put(panel_.left + x, panel_.top + y, on, off);
  }

  /// From tick t to t + 1: in each column a stroke from where the line enters to where it leaves.
  void draw_line(std::size_t t) {
    const int first = column(t), last = std::max(first + 1, column(t + 1));
    const int from = row(static_cast<double>(trace_.v[t])), to = row(static_cast<double>(trace_.v[t + 1]));
    for (int x = first; x < last; ++x) {
      const int enter = from + (to - from) * (x - first) / (last - first);
      const int leave = from + (to - from) * (x + 1 - first) / (last - first);
      for (int y = std::min(enter, leave); y <= std::max(enter, leave); ++y) put(x, y, 0, kFull);
    }
  }

  Image& image_;
  Panel panel_;
  const MembraneTrace& trace_;
  std::size_t num_ticks_;
  Range range_;
};

}  // namespace

Image trace_plot(const std::vector<MembraneTrace>& traces, double dt_ms, int width) {
  std::size_t num_ticks = 1;
  for (const MembraneTrace& trace : traces) num_ticks = std::max(num_ticks, trace.v.size());
  Image image(width, static_cast<int>(traces.size()) * (kTitle + kHeight + kGap) + kBelow);
  Panel panel{kLeft, 0, width - kLeft - kRight, kHeight};
  int top = 0;
  for (const MembraneTrace& trace : traces) {
    panel.top = top + kTitle;
    image.text(panel.left, top + 6, trace.title, kPlotTextScale);
    TracePanel(image, panel, trace, num_ticks).draw();
    top = panel.top + panel.height + kGap;
  }
  label_time(image, panel, 1e3 * dt_ms * static_cast<double>(num_ticks));
  return image;
}

}  // namespace synfire::datasets
