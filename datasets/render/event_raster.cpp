#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "datasets/render/pictures.hpp"
#include "datasets/render/plot.hpp"

namespace synfire::datasets {

namespace {

constexpr int kGap = 18;

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
  for (std::size_t i = 0; i < events.size(); ++i) {
    const int column = static_cast<int>(static_cast<double>(events.t_us[i] - first) / span * plot_width);
    const bool on = events.on[i] != 0;
    x_density.add_part(column, events.x[i], events.width, on);
    y_density.add_part(column, events.y[i], events.height, on);
    ++(on ? on_rate : off_rate)[static_cast<std::size_t>(column)];
  }
  x_density.draw(image);
  y_density.draw(image);
  label_parts(image, x_panel, "x", events.width, Axis::downwards);
  label_parts(image, y_panel, "y", events.height, Axis::downwards);

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
  image.text(8, rate_panel.top + rate_panel.height / 2 - Image::text_height(kPlotTextScale), "k/s", kPlotTextScale);

  label_time(image, rate_panel, span);
  return image;
}

}  // namespace synfire::datasets
