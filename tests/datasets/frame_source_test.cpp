#include "datasets/frame_source.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"

namespace synfire::datasets {
namespace {

constexpr int kSide = 12;
using Use = FrameSource::Use;

/// Recordings of a second with random events; sample i is of recording i / 4 and a quarter of a second long.
struct Data {
  std::shared_ptr<RecordingSet> set = std::make_shared<RecordingSet>();
  std::vector<Sample> samples;

  explicit Data(std::size_t num_samples) {
    set->width = set->height = kSide;
    std::vector<RecordingEntry> entries;
    for (std::size_t r = 0; 4 * r < num_samples; ++r) {
      const RandomStream random(11, static_cast<std::uint32_t>(r), 0);
      CompactEvents events;
      events.origin_us = 5'000'000'000 + static_cast<std::int64_t>(r);
      events.resize(1001);
      for (std::size_t i = 0; i < events.size(); ++i) {
        events.t_us[i] = static_cast<std::uint32_t>(1'000 * i);
        events.x[i] = static_cast<std::uint16_t>(random.below(3 * i, kSide));
        events.y[i] = static_cast<std::uint16_t>(random.below(3 * i + 1, kSide));
        events.on[i] = static_cast<std::uint8_t>(random.below(3 * i + 2, 2));
      }
      set->recordings.push_back(events);
      set->files.push_back("recording" + std::to_string(r));
      entries.push_back({"", "", {{static_cast<std::int32_t>(r % 3), {}}}});
    }
    samples = cut_samples(entries, set->recordings, {.window_ms = 250.0});
    samples.resize(num_samples);
  }

  FrameSource source(Use use, int batch_size, const LoaderConfig& loader, const AugmentConfig& augment = {},
                     const FrameConfig& frames = {.bins = 5}) const {
    return FrameSource(set, samples, {"a", "b", "c"}, use, frames, augment, batch_size, loader);
  }
};

constexpr AugmentConfig kAugment{
    .flip_lr = 0.5, .shift_px = 2, .rotate_deg = 10.0, .drop_events_max = 0.5, .shift_time_ms = 20.0};

struct Copy {
  std::vector<float> input;
  std::vector<std::int32_t> label;
  std::vector<std::int64_t> index;
  bool operator==(const Copy&) const = default;
};

std::vector<Copy> read_epoch(FrameSource& source, std::uint64_t seed, int epoch, std::int64_t first = 0) {
  std::vector<Copy> batches;
  Batch batch;
  source.start_epoch(seed, epoch, first);
  while (source.next(batch)) {
    CHECK(batch.input.shape()[1] == static_cast<std::ptrdiff_t>(batch.label.size()));
    batches.push_back({{batch.input.span().begin(), batch.input.span().end()}, batch.label, batch.index});
  }
  return batches;
}

TEST_CASE("an epoch is the same for any number of threads and batches ahead") {
  const Data data(50);
  FrameSource reference = data.source(Use::training, 8, {.threads = 0}, kAugment);
  const std::vector<Copy> expected = read_epoch(reference, 3, 1);
  REQUIRE(expected.size() == 7);

  for (const int threads : {1, 2, 8}) {
    CAPTURE(threads);
    FrameSource source = data.source(Use::training, 8, {.threads = threads, .prefetch = 1 + threads / 2}, kAugment);
    CHECK(read_epoch(source, 3, 1) == expected);
  }
}

TEST_CASE("an epoch that is resumed at any batch goes on as it would have") {
  const Data data(50);
  FrameSource source = data.source(Use::training, 8, {.threads = 2}, kAugment);
  const std::vector<Copy> whole = read_epoch(source, 3, 1);

  for (std::int64_t first = 0; first <= 7; ++first) {
    FrameSource other = data.source(Use::training, 8, {.threads = 2}, kAugment);
    CHECK(read_epoch(other, 3, 1, first) == std::vector<Copy>(whole.begin() + first, whole.end()));
  }
}

TEST_CASE("training shuffles and augments by seed and epoch, each sample once") {
  const Data data(40);
  FrameSource source = data.source(Use::training, 8, {.threads = 2}, kAugment);

  const std::vector<Copy> batches = read_epoch(source, 3, 0);
  std::set<std::int64_t> seen;
  for (const Copy& batch : batches) {
    for (std::size_t b = 0; b < batch.index.size(); ++b) {
      seen.insert(batch.index[b]);
      CHECK(batch.label[b] == data.samples[static_cast<std::size_t>(batch.index[b])].label);
    }
  }
  CHECK(seen.size() == 40);
  CHECK(read_epoch(source, 3, 1)[0].index != batches[0].index);
  CHECK(read_epoch(source, 4, 0)[0].index != batches[0].index);
  CHECK(read_epoch(source, 3, 0) == batches);
}

TEST_CASE("a sample is augmented anew in each epoch and for each seed") {
  const Data data(1);  // alone, so that its batch shows nothing but the augmentation
  FrameSource source = data.source(Use::training, 1, {}, kAugment);

  const std::vector<float> input = read_epoch(source, 3, 0).at(0).input;
  CHECK(read_epoch(source, 3, 1).at(0).input != input);
  CHECK(read_epoch(source, 4, 0).at(0).input != input);
  CHECK(read_epoch(source, 3, 0).at(0).input == input);
}

TEST_CASE("evaluation comes in order, unchanged and whole") {
  const Data data(17);
  FrameSource source = data.source(Use::evaluation, 8, {.threads = 2}, kAugment);

  const std::vector<Copy> batches = read_epoch(source, 3, 1);
  REQUIRE(batches.size() == 3);
  CHECK(source.num_batches() == 3);
  std::int64_t next = 0;
  for (const Copy& batch : batches)
    for (const std::int64_t index : batch.index) CHECK(index == next++);
  CHECK(next == 17);
  CHECK(read_epoch(source, 9, 9) == batches);
}

TEST_CASE("frames of a window hold all of its events and no others") {
  const Data data(17);
  FrameSource source = data.source(Use::evaluation, 4, {});
  CHECK(source.sample_shape() == Shape{5, kSide, kSide, 2});

  for (const Copy& batch : read_epoch(source, 0, 0)) {
    const std::size_t size = batch.index.size(), frame = kSide * kSide * 2;
    for (std::size_t b = 0; b < size; ++b) {
      for (std::size_t t = 0; t < 5; ++t) {
        const auto begin = batch.input.begin() + static_cast<std::ptrdiff_t>((t * size + b) * frame);
        CHECK(std::accumulate(begin, begin + frame, 0.0F) == 50.0F);  // an event a millisecond, 50 ms a bin
      }
    }
  }
}

TEST_CASE("a training batch of a single left-over sample sits out, any other rest counts") {
  CHECK(Data(18).source(Use::training, 8, {.threads = 0}).num_batches() == 3);
  CHECK(Data(17).source(Use::training, 8, {.threads = 0}).num_batches() == 2);
  CHECK(Data(16).source(Use::training, 8, {.threads = 0}).num_batches() == 2);
  CHECK(Data(1).source(Use::training, 8, {.threads = 0}).num_batches() == 1);
  const Data data(17);
  FrameSource source = data.source(Use::training, 8, {});
  CHECK(read_epoch(source, 0, 0).size() == 2);
}

TEST_CASE("the events of a sample are the recorded ones, in their own time") {
  const Data data(8);
  const FrameSource source = data.source(Use::evaluation, 4, {});

  const EventStream events = source.events(5);

  REQUIRE(events.size() == 250);
  CHECK(events.width == kSide);
  CHECK(source.file(5) == "recording1");
  CHECK(events.t_us.front() == 5'000'000'001 + 250'000);
  CHECK(events.x.front() == data.set->recordings[1].x[250]);
}

TEST_CASE("a sample that a convention has no frames for is named when its batch is due") {
  const Data data(12);
  auto& hole = data.set->recordings[1];
  for (std::uint32_t& t : hole.t_us) t = t < 300'000 ? 0 : t;  // the second recording starts with a pause
  FrameSource source = data.source(Use::evaluation, 4, {}, {}, {.bins = 5, .convention = Convention::spikingjelly});
  Batch batch;

  source.start_epoch(0, 0, 0);
  CHECK(source.next(batch));
  CHECK_THROWS_WITH_AS(source.next(batch),
                       "recording1: [slice_time_bins] spikingjelly has no rule for a bin without events", ShapeError);
}

TEST_CASE("a window that is moved in time stays within its part of the recording") {
  const Data data(4);
  // With bins of 50 ms, a window moved by up to 20 ms has full bins wherever it lies, unless it left the recording.
  FrameSource source = data.source(Use::training, 4, {}, {.shift_time_ms = 20.0});
  FrameSource unmoved = data.source(Use::evaluation, 4, {});

  const std::vector<Copy> moved = read_epoch(source, 1, 0);
  CHECK(std::accumulate(moved[0].input.begin(), moved[0].input.end(), 0.0F) == 1000.0F);
  const auto still = read_epoch(unmoved, 1, 0)[0];
  int changed = 0;
  for (std::size_t b = 0; b < 4; ++b) {
    const auto sample = static_cast<std::size_t>(moved[0].index[b]);
    for (std::size_t i = 0; i < kSide * kSide * 2; ++i)
      changed += moved[0].input[b * kSide * kSide * 2 + i] != still.input[sample * kSide * kSide * 2 + i] ? 1 : 0;
  }
  CHECK(changed > 20);
}

}  // namespace
}  // namespace synfire::datasets
