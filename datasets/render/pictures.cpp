#include "datasets/render/pictures.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace synfire::datasets {

namespace {

constexpr std::int64_t kNever = INT64_MIN / 2;
constexpr int kAnimationDelay_ms = 40;
constexpr int kLongestAnimation = 125;  // pictures
constexpr int kThumbnail = 128;         // pixels

std::int64_t first_us(const EventStream& events) {
  return events.empty() ? 0 : *std::min_element(events.t_us.begin(), events.t_us.end());
}

/// At least 1.
std::int64_t span_us(const EventStream& events) {
  return events.empty() ? 1 : *std::max_element(events.t_us.begin(), events.t_us.end()) - first_us(events) + 1;
}

/// Positions of the events in the order of time.
std::vector<std::size_t> order_of(const EventStream& events) {
  std::vector<std::size_t> order(events.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!std::is_sorted(events.t_us.begin(), events.t_us.end())) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return events.t_us[a] < events.t_us[b]; });
  }
  return order;
}

}  // namespace

std::vector<Image> trace_images(const EventStream& events, const std::vector<std::int64_t>& times_us,
                                std::int64_t decay_us) {
  assert(decay_us > 0 && std::is_sorted(times_us.begin(), times_us.end()));
  const auto width = static_cast<std::size_t>(events.width), height = static_cast<std::size_t>(events.height);
  std::vector<std::int64_t> last_us(width * height, kNever);
  std::vector<std::uint8_t> on(width * height, 0);
  const std::vector<std::size_t> order = order_of(events);

  std::vector<Image> images;
  std::size_t next = 0;
  for (const std::int64_t now_us : times_us) {
    for (; next < order.size() && events.t_us[order[next]] <= now_us; ++next) {
      const std::size_t event = order[next];
      const std::size_t pixel = events.y[event] * width + events.x[event];
      last_us[pixel] = events.t_us[event];
      on[pixel] = events.on[event];
    }
    Image image(events.width, events.height);
    for (std::size_t pixel = 0; pixel < last_us.size(); ++pixel) {
      if (now_us - last_us[pixel] > 3 * decay_us) continue;
      const double age = static_cast<double>(now_us - last_us[pixel]) / static_cast<double>(decay_us);
      const int ink = static_cast<int>(std::lround((Image::kLevels - 1) * std::exp(-age)));
      image.put(static_cast<int>(pixel % width), static_cast<int>(pixel / width), on[pixel] != 0 ? ink : 0,
                on[pixel] != 0 ? 0 : ink);
    }
    images.push_back(std::move(image));
  }
  return images;
}

std::int64_t usual_decay_us(const EventStream& events) {
  return std::clamp<std::int64_t>(span_us(events) / 20, 1, 40'000);
}

std::vector<std::int64_t> equal_times_us(const EventStream& events, int count) {
  std::vector<std::int64_t> times_us;
  const double span = static_cast<double>(span_us(events)) / count;
  for (int i = 0; i < count; ++i) times_us.push_back(first_us(events) + static_cast<std::int64_t>((i + 0.5) * span));
  return times_us;
}

Animation animate(const EventStream& events) {
  // A hundred pictures show the whole of a short recording; a step of more than the delay would be faster than life.
  const std::int64_t delay_us = std::int64_t{1000} * kAnimationDelay_ms;
  const std::int64_t step_us = std::clamp<std::int64_t>(span_us(events) / 80, 1, delay_us);
  std::vector<std::int64_t> times_us;
  for (int i = 1; i <= kLongestAnimation && (i - 1) * step_us < span_us(events); ++i)
    times_us.push_back(first_us(events) + i * step_us);
  return {trace_images(events, times_us, usual_decay_us(events)), kAnimationDelay_ms,
          static_cast<double>(delay_us) / static_cast<double>(step_us)};
}

Image contact_sheet(const std::vector<Image>& images, const std::vector<std::string>& captions, int columns) {
  assert(!images.empty() && captions.size() == images.size() && columns > 0);
  constexpr int kGap = 6, kScale = 2;
  const int width = images.front().width() + kGap;
  const int caption = Image::text_height(kScale) + 2 * kGap;
  const int height = images.front().height() + caption;
  const int count = static_cast<int>(images.size());
  Image sheet(kGap + width * std::min(columns, count), kGap + height * ((count + columns - 1) / columns));
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const int x = kGap + width * (i % columns), y = kGap + height * (i / columns);
    sheet.paste(images[index], x, y);
    sheet.frame(x - 1, y - 1, images[index].width() + 2, images[index].height() + 2);
    sheet.text(x, y + images[index].height() + kGap, captions[index], kScale);
  }
  return sheet;
}

std::vector<unsigned char> thumbnail_png(const EventStream& events) {
  const std::int64_t decay_us = usual_decay_us(events);
  const std::int64_t middle_us = first_us(events) + span_us(events) / 2;
  const int factor = (kThumbnail + std::max(1, events.width) - 1) / std::max(1, events.width);
  return png_bytes(enlarged(trace_images(events, {middle_us}, decay_us).front(), factor));
}

}  // namespace synfire::datasets
