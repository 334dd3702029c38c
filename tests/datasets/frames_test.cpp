#include "datasets/frames.hpp"

#include <numeric>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "tests/datasets/sample_digit.hpp"

namespace synfire::datasets {
namespace {

/// Events per frame.
std::vector<int> sums(const Tensor<float>& frames) {
  std::vector<int> result;
  const std::ptrdiff_t step = frames.shape().size_from(1);
  for (std::ptrdiff_t t = 0; t < frames.shape()[0]; ++t) {
    const std::span<const float> frame =
        frames.span().subspan(static_cast<std::size_t>(t * step), static_cast<std::size_t>(step));
    result.push_back(static_cast<int>(std::accumulate(frame.begin(), frame.end(), 0.0)));
  }
  return result;
}

struct Row {
  std::size_t steps;
  int total;
  std::vector<int> first;
  std::vector<int> last;
};

void check_row(const EventStream& digit, const std::vector<IndexRange>& ranges, const Row& row) {
  const std::vector<int> frame = sums(make_frames(digit, ranges, PixelMap(34, 34)));
  REQUIRE(frame.size() == row.steps);
  CHECK(std::accumulate(frame.begin(), frame.end(), 0) == row.total);
  CHECK(std::equal(row.first.begin(), row.first.end(), frame.begin()));
  CHECK(std::equal(row.last.rbegin(), row.last.rend(), frame.rbegin()));
}

EventStream three_events() {
  EventStream events;
  events.width = 4;
  events.height = 3;
  events.push_back({0, 1, 2, 1});
  events.push_back({10, 1, 2, 1});
  events.push_back({20, 3, 0, 0});
  return events;
}

TEST_CASE("a frame counts OFF events in channel 0 and ON events in channel 1, row by row") {
  const EventStream events = three_events();

  const Tensor<float> frames = make_frames(events, std::vector<IndexRange>{{0, 2}, {2, 3}}, PixelMap(4, 3));

  REQUIRE(frames.shape() == Shape{2, 3, 4, 2});
  CHECK(frames[(0 * 12 + 2 * 4 + 1) * 2 + 1] == 2.0F);
  CHECK(frames[(1 * 12 + 0 * 4 + 3) * 2 + 0] == 1.0F);
  CHECK(sums(frames) == std::vector<int>{2, 1});
}

TEST_CASE("a binary frame says only whether a pixel fired") {
  const EventStream events = three_events();

  CHECK(sums(make_frames(events, std::vector<IndexRange>{{0, 3}}, PixelMap(4, 3), true)) == std::vector<int>{2});
}

TEST_CASE("counts do not wrap where tonic's 16-bit frames would") {
  EventStream events;
  events.width = events.height = 1;
  for (int i = 0; i < 40'000; ++i) events.push_back({i, 0, 0, 1});

  const Tensor<float> frame = make_frames(events, std::vector<IndexRange>{{0, 40'000}}, PixelMap(1, 1));

  CHECK(frame[1] == 40'000.0F);
}

TEST_CASE("down-sampling keeps every event, also where the factor does not divide the sensor") {
  const EventStream events = three_events();

  const Tensor<float> frame = make_frames(events, std::vector<IndexRange>{{0, 3}}, PixelMap(4, 3, 2));

  REQUIRE(frame.shape() == Shape{1, 2, 2, 2});
  CHECK(frame[(1 * 2 + 0) * 2 + 1] == 2.0F);
  CHECK(frame[(0 * 2 + 1) * 2 + 0] == 1.0F);
}

TEST_CASE("padding and cropping are centred") {
  const PixelMap padded(4, 4, 1, 7, 6);
  CHECK(padded.offset(0, 0) == 2 * (1 * 7 + 2));
  const PixelMap cropped(6, 6, 1, 4, 3);
  CHECK(cropped.offset(0, 3) < 0);
  CHECK(cropped.offset(1, 1) == 0);
  CHECK(cropped.offset(4, 3) == 2 * (2 * 4 + 3));
  CHECK(cropped.offset(4, 4) < 0);
  CHECK_THROWS_AS(PixelMap(0, 3), ShapeError);
  CHECK_THROWS_AS(PixelMap(4, 3, 0), ShapeError);
}

TEST_CASE("a sample becomes exactly the frames asked for, by its own span") {
  const std::vector<std::uint32_t> t_us{0, 9, 10, 25, 39};
  const TimeSpan span{0, 40};

  CHECK(frame_ranges(t_us, span, {.bins = 4}) == std::vector<IndexRange>{{0, 2}, {2, 3}, {3, 4}, {4, 5}});
  CHECK(frame_ranges(t_us, span, {.bins = 3, .bin_ms = 0.01}) == std::vector<IndexRange>{{0, 2}, {2, 3}, {3, 4}});
  CHECK(frame_ranges(t_us, span, {.bins = 6, .bin_ms = 0.01}).size() == 6);
  CHECK(frame_ranges(t_us, span, {.bins = 2, .mode = FrameMode::number}) == std::vector<IndexRange>{{0, 2}, {2, 5}});
  CHECK(frame_ranges(t_us, span, {.bins = 5, .bin_ms = 0.01, .convention = Convention::tonic}) ==
        std::vector<IndexRange>{{0, 2}, {2, 3}, {3, 4}, {5, 5}, {5, 5}});
  CHECK(frame_ranges({}, span, {.bins = 2}) == std::vector<IndexRange>{{0, 0}, {0, 0}});
}

TEST_CASE("frames of a real digit have tonic's sums") {  // tonic 1.x (d0cb6df), run unmodified on the same file
  const std::optional<EventStream> digit = test::sample_digit();
  if (!digit) return;
  const std::span<const std::int64_t> t_us(digit->t_us);
  const auto tonic = Convention::tonic;
  const std::size_t n = digit->size();

  check_row(*digit, slice_by_time(t_us, {.window_us = 10'000}, tonic), {31, 4323, {16, 50, 114}, {74, 19}});
  check_row(*digit, slice_by_time(t_us, {.window_us = 10'000, .include_incomplete = true}, tonic),
            {32, 4325, {16, 50, 114}, {19, 2}});
  check_row(*digit, slice_by_time(t_us, {.window_us = 10'000, .overlap_us = 2'000}, tonic),
            {38, 5428, {16, 40, 80}, {95, 39}});
  check_row(*digit, slice_by_time(t_us, {.window_us = 1'000'000}, tonic), {1, 4325, {}, {}});
  check_row(*digit, slice_by_time(t_us, {.window_us = 10'000, .span = TimeSpan{0, 320'000}}, tonic),
            {32, 4325, {16, 46, 103}, {21, 2}});
  check_row(*digit, slice_by_count(n, {.count = 1000}, tonic), {4, 4000, {}, {1000, 1000}});
  check_row(*digit, slice_by_count(n, {.count = 1000, .include_incomplete = true}, tonic), {5, 4325, {}, {1000, 325}});
  check_row(*digit, slice_by_count(n, {.count = 1000, .overlap = 200, .include_incomplete = true}, tonic),
            {6, 5325, {}, {1000, 325}});
  check_row(*digit, slice_time_bins(t_us, {.bins = 10}, tonic), {10, 4324, {198, 789, 373}, {855, 250}});
  check_row(*digit, slice_time_bins(t_us, {.bins = 10, .overlap = 0.2}, tonic),
            {10, 5365, {313, 935, 438}, {1076, 493}});
  check_row(*digit, slice_event_bins(n, {.bins = 10}, tonic), {10, 4320, {432}, {432, 432}});
  check_row(*digit, slice_event_bins(n, {.bins = 10, .overlap = 0.2}, tonic), {10, 5180, {518}, {518, 518}});
}

TEST_CASE("frames of fixed duration of a real digit have spikingjelly's sums") {  // spikingjelly (afb1322)
  const std::optional<EventStream> digit = test::sample_digit();
  if (!digit) return;
  const std::span<const std::int64_t> t_us(digit->t_us);

  check_row(*digit, slice_by_time(t_us, {.window_us = 10'000}, Convention::spikingjelly),
            {32, 4325, {16, 50, 114}, {19, 2}});
}

TEST_CASE("a centre crop of a real digit keeps tonic's events") {  // CenterCrop((20, 20)): 3,951 events
  const std::optional<EventStream> digit = test::sample_digit();
  if (!digit) return;

  const Tensor<float> frame =
      make_frames(*digit, std::vector<IndexRange>{{0, digit->size()}}, PixelMap(34, 34, 1, 20, 20));

  CHECK(sums(frame) == std::vector<int>{3951});
}

}  // namespace
}  // namespace synfire::datasets
