#include "datasets/sample_index.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

namespace synfire::datasets {
namespace {

/// `count` events from `origin_us` on, 10 us apart.
CompactEvents regular_events(std::int64_t origin_us, std::size_t count) {
  CompactEvents events;
  events.origin_us = origin_us;
  events.resize(count);
  for (std::size_t i = 0; i < count; ++i) events.t_us[i] = static_cast<std::uint32_t>(10 * i);
  return events;
}

std::vector<RecordingEntry> whole(std::size_t count, std::int32_t num_labels) {
  std::vector<RecordingEntry> entries;
  for (std::size_t i = 0; i < count; ++i)
    entries.push_back({"", "group" + std::to_string(i), {{static_cast<std::int32_t>(i) % num_labels, {}}}});
  return entries;
}

std::set<std::string> groups(const std::vector<RecordingEntry>& entries, const std::vector<Sample>& samples) {
  std::set<std::string> result;
  for (const Sample& sample : samples) result.insert(entries[sample.recording].group);
  return result;
}

TEST_CASE("a whole recording is a sample from its first event to just after its last one") {
  const std::vector<CompactEvents> recordings{regular_events(1'000, 5), CompactEvents{}};

  const std::vector<Sample> samples = cut_samples(whole(2, 2), recordings, {});

  REQUIRE(samples.size() == 2);
  CHECK(samples[0] == Sample{0, 0, 1'000, 1'041, 1'000, 1'041});
  CHECK(samples[1].t_begin_us == samples[1].t_end_us);  // without events, but not lost
  CHECK(cut_samples(whole(2, 2), recordings, {.min_events = 1}).size() == 1);
}

TEST_CASE("windows follow each other and a last partial one is dropped") {
  const std::vector<CompactEvents> recordings{regular_events(1'000, 11)};  // 1,000 to 1,100 us

  const std::vector<Sample> samples = cut_samples(whole(1, 1), recordings, {.window_ms = 0.04});

  REQUIRE(samples.size() == 2);
  CHECK(samples[0] == Sample{0, 0, 1'000, 1'040, 1'000, 1'101});
  CHECK(samples[1] == Sample{0, 0, 1'040, 1'080, 1'000, 1'101});
}

TEST_CASE("segments may overlap, and their windows begin where they begin") {
  const std::vector<CompactEvents> recordings{regular_events(0, 100)};
  const std::vector<RecordingEntry> entries{{"", "a", {{3, TimeSpan{105, 205}}, {5, TimeSpan{155, 355}}}}};

  const std::vector<Sample> samples = cut_samples(entries, recordings, {.window_ms = 0.1});

  REQUIRE(samples.size() == 3);
  CHECK(samples[0] == Sample{0, 3, 105, 205, 105, 205});
  CHECK(samples[1] == Sample{0, 5, 155, 255, 155, 355});
  CHECK(samples[2] == Sample{0, 5, 255, 355, 155, 355});
}

TEST_CASE("windows with few events are left out") {
  std::vector<CompactEvents> recordings{regular_events(0, 20)};
  recordings[0].t_us[19] = 1'000;  // a lonely event after a pause

  CHECK(cut_samples(whole(1, 1), recordings, {.window_ms = 0.1, .min_events = 5}).size() == 2);
  CHECK(cut_samples(whole(1, 1), recordings, {.window_ms = 0.1}).size() == 10);
}

TEST_CASE("groups are held out whole, of every class its share") {
  const std::vector<RecordingEntry> entries = whole(40, 2);
  const std::vector<CompactEvents> recordings(40, regular_events(0, 101));
  const std::vector<Sample> samples = cut_samples(entries, recordings, {.window_ms = 0.1});
  REQUIRE(samples.size() == 400);

  const HeldOut split = hold_out_groups(entries, samples, 0.25, 7);
  CHECK(split.kept.size() == 300);
  int of_class_0 = 0;
  for (const Sample& sample : split.held) of_class_0 += sample.label == 0 ? 1 : 0;
  CHECK(of_class_0 == 50);
  const std::set<std::string> held = groups(entries, split.held);
  CHECK(held.size() == 10);
  for (const std::string& group : groups(entries, split.kept)) CHECK_FALSE(held.contains(group));

  CHECK(groups(entries, hold_out_groups(entries, samples, 0.25, 7).held) == held);
  CHECK(groups(entries, hold_out_groups(entries, samples, 0.25, 8).held) != held);
  CHECK(groups(entries, hold_out_groups(entries, samples, 0.001, 7).held).size() == 2);
}

TEST_CASE("subjects with samples of several classes are held out as a whole") {
  std::vector<RecordingEntry> entries;
  for (int i = 0; i < 12; ++i)
    entries.push_back({"", "user" + std::to_string(i / 3), {{0, TimeSpan{0, 50}}, {1, TimeSpan{50, 100}}}});
  const std::vector<CompactEvents> recordings(12, regular_events(0, 11));
  const std::vector<Sample> samples = cut_samples(entries, recordings, {});

  const HeldOut split = hold_out_groups(entries, samples, 0.25, 1);

  CHECK(groups(entries, split.held).size() == 1);
  CHECK(split.held.size() == 6);
  CHECK(split.kept.size() == 18);
}

TEST_CASE("the only recording of a class is not held out") {
  const std::vector<RecordingEntry> entries = whole(1, 1);
  const std::vector<Sample> samples = cut_samples(entries, std::vector{regular_events(0, 11)}, {});

  CHECK(hold_out_groups(entries, samples, 0.5, 1).held.empty());
}

TEST_CASE("the end of each recording is held out in time, and windows that stay keep out of it") {
  const std::vector<RecordingEntry> entries = whole(2, 2);
  const std::vector<CompactEvents> recordings(2, regular_events(0, 101));  // 0 to 1,000 us
  const std::vector<Sample> samples = cut_samples(entries, recordings, {.window_ms = 0.1});

  const HeldOut split = hold_out_ends(samples, 0.3);

  REQUIRE(split.kept.size() == 14);
  REQUIRE(split.held.size() == 6);
  for (const Sample& sample : split.kept) {
    CHECK(sample.t_end_us <= 700);
    CHECK(sample.t_latest_us == 700);
    CHECK(sample.t_earliest_us == 0);
  }
  for (const Sample& sample : split.held) {
    CHECK(sample.t_begin_us >= 700);
    CHECK(sample.t_earliest_us == 700);
  }
}

}  // namespace
}  // namespace synfire::datasets
