#include "datasets/render/spike_raster.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "datasets/render/plot.hpp"

namespace synfire::datasets {

namespace {

/// Time 0 to just after the last spike, at least a millisecond.
double span_s(const SpikeTrain& train) {
  const double last_s =
      train.t_s.empty() ? 0.0 : static_cast<double>(*std::max_element(train.t_s.begin(), train.t_s.end()));
  return std::max(1e-3, 1.000001 * last_s);
}

int column_of(float t_s, double span, int width) {
  return std::min(width - 1, static_cast<int>(static_cast<double>(t_s) / span * width));
}

void draw_spikes(Image& image, const Panel& panel, const SpikeTrain& train, int num_channels) {
  Density density(panel);
  const double span = span_s(train);
  for (std::size_t i = 0; i < train.t_s.size(); ++i)
    density.add_part(column_of(train.t_s[i], span, panel.width), num_channels - 1 - train.channel[i], num_channels,
                     false);
  density.draw(image);
}

void draw_rate(Image& image, const Panel& panel, const SpikeTrain& train) {
  constexpr int kInk = 12;
  const double span = span_s(train);
  std::vector<int> count(static_cast<std::size_t>(panel.width), 0);
  for (const float t_s : train.t_s) ++count[static_cast<std::size_t>(column_of(t_s, span, panel.width))];
  const int highest = std::max(1, *std::max_element(count.begin(), count.end()));
  for (int column = 0; column < panel.width; ++column) {
    const int bar = count[static_cast<std::size_t>(column)] * panel.height / highest;
    for (int i = 0; i < bar; ++i) image.put(panel.left + column, panel.top + panel.height - 1 - i, 0, kInk);
  }
  image.frame(panel.left - 1, panel.top - 1, panel.width + 2, panel.height + 2);
  const double highest_k = 1e-3 * highest * panel.width / span, step = round_step(highest_k, 3);
  for (int i = 0; i * step <= highest_k; ++i)
    label_left(image, panel, 1.0 - i * step / highest_k, fmt::format("{:g}", i * step));
  image.text(8, panel.top + panel.height / 2 - Image::text_height(kPlotTextScale), "k/s", kPlotTextScale);
}

}  // namespace

Image spike_raster(const SpikeTrain& train, int num_channels, int width) {
  const int height = width * 3 / 4, gap = 18, left = 92;
  Image image(width, height);
  const int unit = (height - gap - 60) / 8;
  const Panel channels{left, 10, width - left - 16, 6 * unit};
  const Panel rate{left, channels.top + channels.height + gap, channels.width, 2 * unit};
  draw_spikes(image, channels, train, num_channels);
  label_parts(image, channels, "c", num_channels, Axis::upwards);
  draw_rate(image, rate, train);
  label_time(image, rate, 1e6 * span_s(train));
  return image;
}

std::vector<unsigned char> spike_thumbnail_png(const SpikeTrain& train, int num_channels) {
  Image image(160, 120);
  draw_spikes(image, {0, 0, image.width(), image.height()}, train, num_channels);
  return png_bytes(image);
}

}  // namespace synfire::datasets
