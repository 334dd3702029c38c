#include "datasets/augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/random.hpp"

namespace synfire::datasets {

namespace {

// Streams of random numbers of this file.
constexpr std::uint32_t kSampleStream = 0xDA7A0001U;  ///< what a sample draws once
constexpr std::uint32_t kEventStream = 0xDA7A0002U;   ///< what its events draw

/// What a sample draws once, each from an element of its own: adding a transform changes no other one's numbers.
enum class Draw : std::uint64_t {
  time_shift,
  flip_lr,
  flip_ud,
  flip_polarity,
  shift_x,
  shift_y,
  angle,
  scale,
  shear,
  drop_kind,
  drop_ratio,
  drop_x,
  drop_y
};

class SampleRandom {
 public:
  explicit SampleRandom(const AugmentKey& key)
      : sample_(key.seed, kSampleStream, static_cast<std::uint32_t>(key.epoch)),
        event_(key.seed, kEventStream, static_cast<std::uint32_t>(key.epoch)),
        base_(static_cast<std::uint64_t>(key.sample) << 32U) {}

  bool chance(Draw draw, double p) const { return p > 0.0 && sample_.uniform(base_ + at(draw)) < p; }
  double uniform(Draw draw, double low, double high) const {
    return low + (high - low) * sample_.uniform(base_ + at(draw));
  }
  std::uint64_t below(Draw draw, std::uint64_t n) const { return sample_.below(base_ + at(draw), n); }
  int within(Draw draw, int most) const {
    return static_cast<int>(below(draw, 2 * static_cast<std::uint64_t>(most) + 1)) - most;
  }
  /// One word for each event: the block of events 4 i to 4 i + 3.
  Philox::Block drop_words(std::uint64_t i) const { return event_.words(base_ + i); }
  Philox::Block warp_words(std::uint64_t i) const { return event_.words(base_ + (std::uint64_t{1} << 31U) + i); }

 private:
  static std::uint64_t at(Draw draw) { return static_cast<std::uint64_t>(draw); }

  RandomStream sample_;
  RandomStream event_;
  std::uint64_t base_;
};

/// Keeps the events for which `keep(i)` is true, in their order.
template <class Keep>
void filter(CompactEvents& events, Keep keep) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!keep(i)) continue;
    events.t_us[kept] = events.t_us[i];
    events.x[kept] = events.x[i];
    events.y[kept] = events.y[i];
    events.on[kept] = events.on[i];
    ++kept;
  }
  events.resize(kept);
}

/// Exactly round(ratio n) of the events, every such subset equally likely (selection sampling).
void drop_share(CompactEvents& events, double ratio, const SampleRandom& random) {
  std::uint64_t left = events.size();
  auto to_drop = static_cast<std::uint64_t>(std::llround(ratio * static_cast<double>(left)));
  Philox::Block words{};
  filter(events, [&](std::size_t i) {
    if (i % 4 == 0) words = random.drop_words(i / 4);
    // Drops with probability to_drop / left; the high half of the product compares without a division.
    const bool drop = (std::uint64_t{words[i % 4]} * left) >> 32U < to_drop;
    --left;
    if (drop) --to_drop;
    return !drop;
  });
}

void drop_window(CompactEvents& events, double ratio, std::int64_t duration_us, const SampleRandom& random) {
  const double length = ratio * static_cast<double>(duration_us);
  const double begin = random.uniform(Draw::drop_x, 0.0, static_cast<double>(duration_us) - length);
  filter(events, [&](std::size_t i) {
    const double t = static_cast<double>(events.t_us[i]);
    return t < begin || t >= begin + length;
  });
}

void drop_box(CompactEvents& events, double ratio, int width, int height, const SampleRandom& random) {
  const int box_width = static_cast<int>(ratio * width), box_height = static_cast<int>(ratio * height);
  const int left = static_cast<int>(random.below(Draw::drop_x, static_cast<std::uint64_t>(width - box_width + 1)));
  const int top = static_cast<int>(random.below(Draw::drop_y, static_cast<std::uint64_t>(height - box_height + 1)));
  filter(events, [&](std::size_t i) {
    const int x = events.x[i] - left, y = events.y[i] - top;
    return x < 0 || x >= box_width || y < 0 || y >= box_height;
  });
}

void drop(CompactEvents& events, int width, int height, std::int64_t duration_us, const AugmentConfig& config,
          const SampleRandom& random) {
  enum class Kind { identity, share, window, box };
  std::array<Kind, 4> kinds{Kind::identity};
  std::array<double, 4> most{};
  std::size_t count = 1;
  const auto offer = [&](Kind kind, double maximum) {
    if (maximum <= 0.0) return;
    kinds[count] = kind;
    most[count++] = maximum;
  };
  offer(Kind::share, config.drop_events_max);
  offer(Kind::window, config.drop_time_max);
  offer(Kind::box, config.drop_area_max);
  if (count == 1) return;

  const std::size_t chosen = random.below(Draw::drop_kind, count);
  const double ratio = random.uniform(Draw::drop_ratio, 0.0, most[chosen]);
  if (kinds[chosen] == Kind::share) drop_share(events, ratio, random);
  if (kinds[chosen] == Kind::window) drop_window(events, ratio, duration_us, random);
  if (kinds[chosen] == Kind::box) drop_box(events, ratio, width, height, random);
}

void flip(CompactEvents& events, int width, int height, const AugmentConfig& config, const SampleRandom& random) {
  if (random.chance(Draw::flip_lr, config.flip_lr))
    for (std::uint16_t& x : events.x) x = static_cast<std::uint16_t>(width - 1 - x);
  if (random.chance(Draw::flip_ud, config.flip_ud))
    for (std::uint16_t& y : events.y) y = static_cast<std::uint16_t>(height - 1 - y);
  if (random.chance(Draw::flip_polarity, config.flip_polarity))
    for (std::uint8_t& on : events.on) on = static_cast<std::uint8_t>(1 - on);
}

/// Moves events by `place(i, x, y)`, which says where event i at (x, y) goes, and drops those that leave the sensor.
template <class Place>
void move(CompactEvents& events, int width, int height, Place place) {
  filter(events, [&](std::size_t i) {
    int x = events.x[i], y = events.y[i];
    place(i, x, y);
    if (x < 0 || x >= width || y < 0 || y >= height) return false;
    events.x[i] = static_cast<std::uint16_t>(x);
    events.y[i] = static_cast<std::uint16_t>(y);
    return true;
  });
}

void warp(CompactEvents& events, int width, int height, const AugmentConfig& config, const SampleRandom& random) {
  const int shift_x = random.within(Draw::shift_x, config.shift_px);
  const int shift_y = random.within(Draw::shift_y, config.shift_px);
  if (config.rotate_deg == 0.0 && config.scale == 0.0 && config.shear == 0.0) {
    if (shift_x == 0 && shift_y == 0) return;
    move(events, width, height, [&](std::size_t, int& x, int& y) {
      x += shift_x;
      y += shift_y;
    });
    return;
  }

  const double angle = random.uniform(Draw::angle, -config.rotate_deg, config.rotate_deg) * std::numbers::pi / 180.0;
  const double scale = random.uniform(Draw::scale, 1.0 - config.scale, 1.0 + config.scale);
  const double shear = random.uniform(Draw::shear, -config.shear, config.shear);
  // scale * rotation * [1 shear; 0 1], about the centre of the sensor.
  const auto xx = static_cast<float>(scale * std::cos(angle)), yx = static_cast<float>(scale * std::sin(angle));
  const auto xy = static_cast<float>(scale * (shear * std::cos(angle) - std::sin(angle)));
  const auto yy = static_cast<float>(scale * (shear * std::sin(angle) + std::cos(angle)));
  const float centre_x = 0.5F * static_cast<float>(width), centre_y = 0.5F * static_cast<float>(height);
  const float to_x = centre_x + static_cast<float>(shift_x), to_y = centre_y + static_cast<float>(shift_y);

  Philox::Block words{};
  move(events, width, height, [&](std::size_t i, int& x, int& y) {
    if (i % 4 == 0) words = random.warp_words(i / 4);
    // A point in the pixel's square: 16 bits for each coordinate, four events to a block of the generator.
    const std::uint32_t word = words[i % 4];
    const float from_x = static_cast<float>(x) + static_cast<float>(word & 0xFFFFU) * 0x1.0p-16F - centre_x;
    const float from_y = static_cast<float>(y) + static_cast<float>(word >> 16U) * 0x1.0p-16F - centre_y;
    x = static_cast<int>(std::floor(xx * from_x + xy * from_y + to_x));
    y = static_cast<int>(std::floor(yx * from_x + yy * from_y + to_y));
  });
}

}  // namespace

std::int64_t draw_time_shift_us(const AugmentConfig& config, const AugmentKey& key, std::int64_t least_us,
                                std::int64_t most_us) {
  if (config.shift_time_ms <= 0.0) return 0;
  const double most = config.shift_time_ms * 1000.0;
  const double low = std::max(-most, static_cast<double>(least_us)),
               high = std::min(most, static_cast<double>(most_us));
  return std::llround(SampleRandom(key).uniform(Draw::time_shift, low, high));
}

void augment(CompactEvents& events, int width, int height, std::int64_t duration_us, const AugmentConfig& config,
             const AugmentKey& key) {
  const SampleRandom random(key);
  drop(events, width, height, duration_us, config, random);
  flip(events, width, height, config, random);
  warp(events, width, height, config, random);
}

}  // namespace synfire::datasets
