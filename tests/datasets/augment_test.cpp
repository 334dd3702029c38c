#include "datasets/augment.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.hpp"

namespace synfire::datasets {
namespace {

constexpr int kWidth = 40, kHeight = 30;
constexpr std::int64_t kDuration_us = 10'000;

CompactEvents random_events(std::size_t count) {
  const RandomStream random(3, 0, 0);
  CompactEvents events;
  events.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    events.t_us[i] = static_cast<std::uint32_t>(i * static_cast<std::size_t>(kDuration_us) / count);
    events.x[i] = static_cast<std::uint16_t>(random.below(3 * i, kWidth));
    events.y[i] = static_cast<std::uint16_t>(random.below(3 * i + 1, kHeight));
    events.on[i] = static_cast<std::uint8_t>(random.below(3 * i + 2, 2));
  }
  return events;
}

/// One event in every pixel, in the order of time.
CompactEvents full_picture(int repeats) {
  CompactEvents events;
  for (int i = 0; i < repeats; ++i) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        events.t_us.push_back(static_cast<std::uint32_t>(events.t_us.size()));
        events.x.push_back(static_cast<std::uint16_t>(x));
        events.y.push_back(static_cast<std::uint16_t>(y));
        events.on.push_back(1);
      }
    }
  }
  return events;
}

CompactEvents augmented(CompactEvents events, const AugmentConfig& config, const AugmentKey& key = {}) {
  augment(events, kWidth, kHeight, kDuration_us, config, key);
  return events;
}

bool equal(const CompactEvents& a, const CompactEvents& b) {
  return a.t_us == b.t_us && a.x == b.x && a.y == b.y && a.on == b.on;
}

/// Pearson's statistic against equal frequencies.
double chi_square(const std::vector<int>& counts) {
  double total = 0.0, sum = 0.0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

/// Above this, equal frequencies of `cells` are refuted at about 1 in 10^5: mean + 4.3 standard deviations, with the
/// Wilson-Hilferty correction for few cells.
double chi_square_limit(std::size_t cells) {
  const double k = static_cast<double>(cells - 1), cube = 1.0 - 2.0 / (9.0 * k) + 4.3 * std::sqrt(2.0 / (9.0 * k));
  return k * cube * cube * cube;
}

TEST_CASE("without settings a sample stays as it is") {
  const CompactEvents events = random_events(1000);

  CHECK(equal(augmented(events, {}), events));
  CHECK(augmented({}, {.flip_lr = 1.0, .shift_px = 3, .rotate_deg = 10.0, .drop_time_max = 0.5}).empty());
}

TEST_CASE("flips mirror every event, and two flips are none") {
  const CompactEvents events = random_events(1000);
  const AugmentConfig flips{.flip_lr = 1.0, .flip_ud = 1.0, .flip_polarity = 1.0};

  const CompactEvents once = augmented(events, flips);
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(once.x[i] == kWidth - 1 - events.x[i]);
    CHECK(once.y[i] == kHeight - 1 - events.y[i]);
    CHECK(once.on[i] == 1 - events.on[i]);
  }
  CHECK(equal(augmented(once, flips), events));
}

TEST_CASE("a sample depends on seed, epoch and its number, and on nothing else") {
  const CompactEvents events = random_events(2000);
  const AugmentConfig config{.flip_lr = 0.5, .shift_px = 4, .rotate_deg = 20.0, .scale = 0.2, .drop_events_max = 0.5};
  const AugmentKey key{.seed = 1, .epoch = 2, .sample = 3};

  const CompactEvents reference = augmented(events, config, key);
  CHECK(equal(augmented(events, config, key), reference));
  CHECK_FALSE(equal(augmented(events, config, {.seed = 9, .epoch = 2, .sample = 3}), reference));
  CHECK_FALSE(equal(augmented(events, config, {.seed = 1, .epoch = 9, .sample = 3}), reference));
  CHECK_FALSE(equal(augmented(events, config, {.seed = 1, .epoch = 2, .sample = 9}), reference));
}

TEST_CASE("shifts are whole pixels, equal for all events and uniform over the samples") {
  CompactEvents events;
  events.resize(2);
  events.x = {10, 20};
  events.y = {15, 12};
  constexpr int kShift = 3, kSide = 2 * kShift + 1;
  std::vector<int> counts(kSide * kSide);

  for (std::int64_t sample = 0; sample < 20'000; ++sample) {
    const CompactEvents moved = augmented(events, {.shift_px = kShift}, {.sample = sample});
    REQUIRE(moved.size() == 2);
    const int dx = moved.x[0] - 10, dy = moved.y[0] - 15;
    REQUIRE(moved.x[1] - 20 == dx);
    REQUIRE(moved.y[1] - 12 == dy);
    REQUIRE(std::abs(dx) <= kShift);
    REQUIRE(std::abs(dy) <= kShift);
    ++counts[static_cast<std::size_t>((dx + kShift) * kSide + dy + kShift)];
  }

  CHECK(chi_square(counts) < chi_square_limit(counts.size()));
}

TEST_CASE("events shifted out of the sensor are lost, not moved to the other side") {
  CompactEvents events;
  events.resize(1);
  events.x = {0};
  events.y = {15};
  int lost = 0;

  for (std::int64_t sample = 0; sample < 100; ++sample) {
    const CompactEvents moved = augmented(events, {.shift_px = 2}, {.sample = sample});
    if (moved.empty()) ++lost;
    if (!moved.empty()) CHECK(moved.x[0] <= 2);
  }

  CHECK(lost > 0);
}

TEST_CASE("a rotation keeps the distance from the centre") {
  // An event starts anywhere in its pixel and ends anywhere in one: half a diagonal at either end.
  const double tolerance = std::sqrt(2.0);
  const auto radius = [](double x, double y) { return std::hypot(x + 0.5 - 0.5 * kWidth, y + 0.5 - 0.5 * kHeight); };
  CompactEvents events;
  events.resize(1);
  events.x = {28};
  events.y = {20};
  std::set<std::pair<int, int>> places;

  for (std::int64_t sample = 0; sample < 200; ++sample) {
    const CompactEvents turned = augmented(events, {.rotate_deg = 90.0}, {.sample = sample});
    REQUIRE(turned.size() == 1);
    CHECK(std::abs(radius(turned.x[0], turned.y[0]) - radius(28, 20)) <= tolerance);
    places.insert({turned.x[0], turned.y[0]});
  }

  CHECK(places.size() > 10);
}

TEST_CASE("scaling moves events along the line from the centre") {
  CompactEvents events;
  events.resize(2);
  events.x = {10, 30};
  events.y = {15, 15};
  double least = 1e9, most = 0.0;

  for (std::int64_t sample = 0; sample < 500; ++sample) {
    const CompactEvents scaled = augmented(events, {.scale = 0.5}, {.sample = sample});
    REQUIRE(scaled.size() == 2);
    const double factor = (scaled.x[1] - scaled.x[0]) / 20.0;
    least = std::min(least, factor);
    most = std::max(most, factor);
  }

  // Both ends are off by less than a pixel: 2 / 20 of the factor; 500 draws come within 0.02 of the bounds.
  CHECK(least >= 0.5 - 0.1);
  CHECK(least <= 0.5 + 0.12);
  CHECK(most <= 1.5 + 0.1);
  CHECK(most >= 1.5 - 0.12);
}

TEST_CASE("an enlarged picture has no holes") {
  // 64 events a pixel, spread over less than 1.3^2 pixels: a pixel stays empty with less than exp(-64 / 1.7).
  const CompactEvents picture = full_picture(64);

  for (std::int64_t sample = 0; sample < 10; ++sample) {
    const CompactEvents scaled = augmented(picture, {.rotate_deg = 10.0, .scale = 0.3}, {.sample = sample});
    std::vector<int> seen(kWidth * kHeight);
    for (std::size_t i = 0; i < scaled.size(); ++i)
      ++seen[static_cast<std::size_t>(scaled.y[i] * kWidth + scaled.x[i])];
    // The middle stays covered however much the picture shrinks or turns.
    for (int y = kHeight / 2 - 6; y < kHeight / 2 + 6; ++y)
      for (int x = kWidth / 2 - 6; x < kWidth / 2 + 6; ++x) CHECK(seen[static_cast<std::size_t>(y * kWidth + x)] > 0);
  }
}

TEST_CASE("dropping by number drops every event equally often") {
  const CompactEvents events = random_events(50);
  std::vector<int> kept(events.size());
  int identities = 0;
  double share = 0.0;

  for (std::int64_t sample = 0; sample < 20'000; ++sample) {
    const CompactEvents left = augmented(events, {.drop_events_max = 0.8}, {.sample = sample});
    identities += left.size() == events.size() ? 1 : 0;
    share += static_cast<double>(left.size()) / static_cast<double>(events.size());
    for (const std::uint32_t t : left.t_us) ++kept[t * events.size() / static_cast<std::size_t>(kDuration_us)];
  }

  CHECK(chi_square(kept) < chi_square_limit(kept.size()));
  // Half of the samples stay whole, the other half keep 0.6 on average: 0.8 in all; standard deviation below 0.3.
  CHECK(std::abs(share / 20'000.0 - 0.8) < 4.3 * 0.3 / std::sqrt(20'000.0));
  CHECK(identities >= 9'500);
  CHECK(identities <= 10'700);
}

TEST_CASE("dropping by time leaves a gap, dropping by area a box without events") {
  const CompactEvents events = full_picture(10);
  int gaps = 0, boxes = 0;

  for (std::int64_t sample = 0; sample < 100; ++sample) {
    const CompactEvents left = augmented(events, {.drop_time_max = 0.5, .drop_area_max = 0.5}, {.sample = sample});
    if (left.size() == events.size()) continue;
    std::vector<int> seen(kWidth * kHeight);
    for (std::size_t i = 0; i < left.size(); ++i) ++seen[static_cast<std::size_t>(left.y[i] * kWidth + left.x[i])];
    int x_first = kWidth, x_last = -1, y_first = kHeight, y_last = -1, missing = 0;
    for (int i = 0; i < kWidth * kHeight; ++i) {
      if (seen[static_cast<std::size_t>(i)] > 0) continue;
      ++missing;
      x_first = std::min(x_first, i % kWidth);
      x_last = std::max(x_last, i % kWidth);
      y_first = std::min(y_first, i / kWidth);
      y_last = std::max(y_last, i / kWidth);
    }
    if (missing > 0) {
      ++boxes;
      CHECK(missing == (x_last - x_first + 1) * (y_last - y_first + 1));
      CHECK(left.size() == events.size() - static_cast<std::size_t>(10 * missing));
    } else {
      ++gaps;
      std::size_t jumps = left.t_us.front() > 0 || left.t_us.back() + 1U < events.size() ? 1 : 0;
      for (std::size_t i = 1; i < left.size(); ++i) jumps += left.t_us[i] != left.t_us[i - 1] + 1 ? 1 : 0;
      CHECK(jumps == 1);
    }
  }

  CHECK(gaps > 15);
  CHECK(boxes > 15);
}

TEST_CASE("a window's shift in time stays within its bounds") {
  std::int64_t least = 0, most = 0;

  for (std::int64_t sample = 0; sample < 1000; ++sample) {
    const std::int64_t shift = draw_time_shift_us({.shift_time_ms = 5.0}, {.sample = sample}, -2'000, 20'000);
    least = std::min(least, shift);
    most = std::max(most, shift);
  }

  CHECK(least >= -2'000);
  CHECK(least < -1'900);
  CHECK(most <= 5'000);
  CHECK(most > 4'900);
  CHECK(draw_time_shift_us({}, {}, -2'000, 20'000) == 0);
}

}  // namespace
}  // namespace synfire::datasets
