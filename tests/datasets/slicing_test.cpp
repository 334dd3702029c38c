#include "datasets/slicing.hpp"

#include <numeric>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "tests/datasets/sample_digit.hpp"

namespace synfire::datasets {
namespace {

using Ranges = std::vector<IndexRange>;

std::span<const std::int64_t> times(const EventStream& events) { return events.t_us; }

/// Sorted random times with many ties, so that events lie on the edges of windows too.
std::vector<std::int64_t> random_times(std::uint64_t seed) {
  const RandomStream random(seed, 0, 0);
  std::vector<std::int64_t> t_us(random.below(0, 200));
  std::int64_t t = static_cast<std::int64_t>(random.below(1, 1'000'000'000'000));
  for (std::size_t i = 0; i < t_us.size(); ++i) t_us[i] = t += static_cast<std::int64_t>(random.below(i + 2, 12));
  return t_us;
}

/// Every index once, in order.
bool partitions(const Ranges& ranges, std::size_t num_events) {
  std::size_t next = 0;
  for (const IndexRange& range : ranges) {
    if (range.begin != next || range.end < range.begin) return false;
    next = range.end;
  }
  return next == num_events;
}

TEST_CASE("without overlap the default windows hold every event exactly once") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const std::vector<std::int64_t> t_us = random_times(seed);
    const std::span<const std::int64_t> view(t_us);
    const RandomStream random(seed, 1, 0);
    const auto window = static_cast<std::int64_t>(1 + random.below(0, 300));
    const int bins = static_cast<int>(1 + random.below(1, 20));

    CHECK(partitions(slice_by_time(view, {.window_us = window}), t_us.size()));
    CHECK(partitions(slice_by_count(t_us.size(), {.count = window}), t_us.size()));
    CHECK(partitions(slice_time_bins(view, {.bins = bins}), t_us.size()));
    CHECK(partitions(slice_event_bins(t_us.size(), {.bins = bins}), t_us.size()));
    CHECK(slice_time_bins(view, {.bins = bins}).size() == static_cast<std::size_t>(bins));
  }
}

TEST_CASE("with overlap the default windows still lose no event") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const std::vector<std::int64_t> t_us = random_times(seed);
    const std::span<const std::int64_t> view(t_us);

    CHECK(num_events_outside(slice_by_time(view, {.window_us = 70, .overlap_us = 30}), t_us.size()) == 0);
    CHECK(num_events_outside(slice_by_count(t_us.size(), {.count = 7, .overlap = 3}), t_us.size()) == 0);
    CHECK(num_events_outside(slice_time_bins(view, {.bins = 6, .overlap = 0.4}), t_us.size()) == 0);
    CHECK(num_events_outside(slice_event_bins(t_us.size(), {.bins = 6, .overlap = 0.4}), t_us.size()) == 0);
  }
}

TEST_CASE("an event at the end of a duration that is a multiple of the window is kept, which tonic loses") {
  const std::vector<std::int64_t> t_us{0, 5, 10, 15, 20};
  const std::span<const std::int64_t> view(t_us);

  CHECK(slice_by_time(view, {.window_us = 10}) == Ranges{{0, 2}, {2, 5}});
  CHECK(slice_by_time(view, {.window_us = 10, .include_incomplete = true}, Convention::tonic) ==
        Ranges{{0, 2}, {2, 4}});
}

TEST_CASE("events at one point in time all lie in the last of several bins") {
  const std::vector<std::int64_t> t_us{7, 7, 7};
  const std::span<const std::int64_t> view(t_us);

  CHECK(slice_time_bins(view, {.bins = 3}) == Ranges{{0, 0}, {0, 0}, {0, 3}});
  CHECK(slice_by_time(view, {.window_us = 10}) == Ranges{{0, 3}});
  // tonic's bins are empty, and spikingjelly's rules have no answer.
  CHECK(slice_time_bins(view, {.bins = 3}, Convention::tonic) == Ranges{{0, 0}, {0, 0}, {0, 0}});
  CHECK_THROWS_AS(slice_time_bins(view, {.bins = 3}, Convention::spikingjelly), ShapeError);
  CHECK_THROWS_AS(slice_by_time(view, {.window_us = 10}, Convention::spikingjelly), ShapeError);
}

TEST_CASE("an empty stream has no windows and as many empty bins as asked for") {
  const std::span<const std::int64_t> none;

  CHECK(slice_by_time(none, {.window_us = 10}).empty());
  CHECK(slice_by_count(0, {.count = 10}).empty());
  CHECK(slice_time_bins(none, {.bins = 2}) == Ranges{{0, 0}, {0, 0}});
  CHECK(slice_event_bins(0, {.bins = 2}) == Ranges{{0, 0}, {0, 0}});
}

TEST_CASE("a span may be longer than the events") {
  const std::vector<std::int64_t> t_us{10, 25, 39};
  const std::span<const std::int64_t> view(t_us);

  CHECK(slice_time_bins(view, {.bins = 5, .span = TimeSpan{0, 50}}) == Ranges{{0, 0}, {0, 1}, {1, 2}, {2, 3}, {3, 3}});
  CHECK(slice_by_time(view, {.window_us = 20, .span = TimeSpan{0, 40}}) == Ranges{{0, 1}, {1, 3}});
}

TEST_CASE("parameters without a meaning are refused") {
  const std::vector<std::int64_t> t_us{0, 1'000'000'000'000};
  const std::span<const std::int64_t> view(t_us);

  CHECK_THROWS_AS(slice_by_time(view, {.window_us = 0}), ShapeError);
  CHECK_THROWS_AS(slice_by_time(view, {.window_us = 10, .overlap_us = 10}), ShapeError);
  CHECK_THROWS_AS(slice_by_time(view, {.window_us = 1}), ShapeError);  // a million million windows
  CHECK_THROWS_AS(slice_by_time(view, {.window_us = 1, .span = TimeSpan{5, 4}}), ShapeError);
  CHECK_THROWS_AS(slice_by_count(5, {.count = 0}), ShapeError);
  CHECK_THROWS_AS(slice_by_count(5, {.count = 2}, Convention::spikingjelly), ShapeError);
  CHECK_THROWS_AS(slice_time_bins(view, {.bins = 0}), ShapeError);
  CHECK_THROWS_AS(slice_event_bins(5, {.bins = 2, .overlap = 1.0}), ShapeError);
}

// The numbers of the following cases were measured on the same file with tonic 1.x (d0cb6df) and spikingjelly
// (afb1322), run unmodified.

TEST_CASE("windows by time are tonic's on a real digit") {
  const std::optional<EventStream> digit = test::sample_digit();
  if (!digit) return;
  const TimeWindows windows{.window_us = 50'000};
  const TimeWindows incomplete{.window_us = 50'000, .include_incomplete = true};
  Ranges expected{{0, 650}, {650, 1373}, {1373, 2101}, {2101, 2661}, {2661, 3251}, {3251, 4304}};

  CHECK(slice_by_time(times(*digit), windows, Convention::tonic) == expected);
  expected.push_back({4304, 4325});
  CHECK(slice_by_time(times(*digit), incomplete, Convention::tonic) == expected);
  CHECK(slice_by_time(times(*digit), windows) == expected);
}

TEST_CASE("time bins are tonic's on a real digit, its last event lost") {
  const std::optional<EventStream> digit = test::sample_digit();
  if (!digit) return;

  const Ranges bins = slice_time_bins(times(*digit), {.bins = 4}, Convention::tonic);
  CHECK(bins == Ranges{{0, 1295}, {1295, 2205}, {2205, 2806}, {2806, 4324}});
  CHECK(num_events_outside(bins, digit->size()) == 1);
  CHECK(slice_time_bins(times(*digit), {.bins = 4, .overlap = 0.5}, Convention::tonic) ==
        Ranges{{0, 1472}, {883, 2514}, {1472, 2806}, {2514, 4241}});
  CHECK(slice_time_bins(times(*digit), {.bins = 4}) == Ranges{{0, 1295}, {1295, 2205}, {2205, 2806}, {2806, 4325}});
}

TEST_CASE("windows by count and event bins are tonic's on a real digit") {
  const std::optional<EventStream> digit = test::sample_digit();
  if (!digit) return;
  const std::size_t n = digit->size();

  CHECK(slice_by_count(n, {.count = 1000}, Convention::tonic).size() == 4);
  CHECK(slice_by_count(n, {.count = 1000, .include_incomplete = true}, Convention::tonic).back() ==
        IndexRange{4000, 4325});
  CHECK(slice_event_bins(n, {.bins = 4}, Convention::tonic) ==
        Ranges{{0, 1081}, {1081, 2162}, {2162, 3243}, {3243, 4324}});
  CHECK(slice_event_bins(n, {.bins = 4, .overlap = 0.5}, Convention::tonic) ==
        Ranges{{0, 1621}, {810, 2431}, {1620, 3241}, {2430, 4051}});
}

TEST_CASE("frames by number, by time and of fixed duration are cut as spikingjelly does on a real digit") {
  const std::optional<EventStream> digit = test::sample_digit();
  if (!digit) return;
  const std::size_t n = digit->size();
  const auto sizes = [&](std::int64_t window_us) {
    std::vector<std::size_t> result;
    for (const IndexRange& range : slice_by_time(times(*digit), {.window_us = window_us}, Convention::spikingjelly))
      result.push_back(range.size());
    return result;
  };

  CHECK(slice_event_bins(n, {.bins = 4}, Convention::spikingjelly) ==
        Ranges{{0, 1081}, {1081, 2162}, {2162, 3243}, {3243, 4325}});
  CHECK(slice_event_bins(n, {.bins = 10}, Convention::spikingjelly).back() == IndexRange{3888, 4325});
  CHECK(slice_time_bins(times(*digit), {.bins = 4}, Convention::spikingjelly) ==
        Ranges{{0, 1295}, {1295, 2205}, {2205, 2806}, {2806, 4325}});
  CHECK(sizes(10'000).size() == 32);
  CHECK(sizes(100'000) == std::vector<std::size_t>{1373, 1288, 1643, 21});
  CHECK(sizes(155'260) == std::vector<std::size_t>{2205, 2119, 1});
  CHECK(sizes(310'521) == std::vector<std::size_t>{4325});
}

}  // namespace
}  // namespace synfire::datasets
