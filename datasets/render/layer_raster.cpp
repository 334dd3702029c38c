#include "datasets/render/layer_raster.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "datasets/render/plot.hpp"

namespace synfire::datasets {

namespace {

constexpr int kLeft = 92, kRight = 16, kTitle = 26, kGap = 12, kBelow = 60;
constexpr int kWidestMark = 6;

/// Small layers get thick rows, large ones a point for several neurons.
int panel_height(std::ptrdiff_t num_neurons) {
  return static_cast<int>(std::clamp<std::ptrdiff_t>(4 * num_neurons, 48, 180));
}

void draw_spikes(Image& image, const Panel& panel, const RasterLayer& layer, std::int32_t num_ticks) {
  Density density(panel);
  const auto scaled = [](std::ptrdiff_t at, int pixels, std::ptrdiff_t parts) {
    return static_cast<int>(at * pixels / parts);
  };
  for (std::size_t i = 0; i < layer.tick.size(); ++i) {
    const std::ptrdiff_t tick = layer.tick[i], row = layer.num_neurons - 1 - layer.neuron[i];
    if (tick >= num_ticks) continue;
    const int x = scaled(tick, panel.width, num_ticks), y = scaled(row, panel.height, layer.num_neurons);
    // A free line between rows and ticks that are thick enough to have one.
    const auto mark = [](int extent) { return std::max(1, extent > 3 ? extent - 1 : extent); };
    const int wide = std::min(kWidestMark, mark(scaled(tick + 1, panel.width, num_ticks) - x));
    const int high = mark(scaled(row + 1, panel.height, layer.num_neurons) - y);
    for (int dy = 0; dy < high; ++dy) {
      for (int dx = 0; dx < wide; ++dx) density.add(x + dx, y + dy, false);
    }
  }
  density.draw(image);
}

}  // namespace

Image layer_raster(const std::vector<RasterLayer>& layers, std::int32_t num_ticks, double dt_ms, int width) {
  int height = kBelow;
  for (const RasterLayer& layer : layers) height += kTitle + panel_height(layer.num_neurons) + kGap;
  Image image(width, height);
  Panel panel{kLeft, 0, width - kLeft - kRight, 0};
  int top = 0;
  for (const RasterLayer& layer : layers) {
    panel.top = top + kTitle;
    panel.height = panel_height(layer.num_neurons);
    image.text(panel.left, top + 6, layer.title, kPlotTextScale);
    draw_spikes(image, panel, layer, num_ticks);
    label_parts(image, panel, "", static_cast<int>(layer.num_neurons), Axis::upwards);
    top = panel.top + panel.height + kGap;
  }
  label_time(image, panel, 1e3 * dt_ms * num_ticks);
  return image;
}

}  // namespace synfire::datasets
