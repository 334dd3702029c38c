// Round trips: what is written is read as it was.
#include "datasets/event_writer.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "datasets/event_reader.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synfire::datasets {
namespace {

std::vector<EventFormat> all_formats() { return {EventFormat::aedat2, EventFormat::aedat3, EventFormat::nmnist_bin}; }

/// Events at random pixels, `step_us` apart on average, from `t_begin_us` on.
EventStream random_stream(int width, int height, std::size_t count, std::int64_t t_begin_us, std::int64_t step_us) {
  const RandomStream random(3, 0, 0);
  EventStream events;
  events.width = width;
  events.height = height;
  std::int64_t t_us = t_begin_us;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = [&](std::size_t what, int n) { return random.below(4 * i + what, static_cast<std::uint64_t>(n)); };
    events.push_back({t_us, static_cast<std::uint16_t>(at(0, width)), static_cast<std::uint16_t>(at(1, height)),
                      static_cast<std::uint8_t>(at(2, 2))});
    t_us += static_cast<std::int64_t>(at(3, static_cast<int>(2 * step_us + 1)));
  }
  return events;
}

Recording round_trip(const EventStream& events, EventFormat format, const WriteOptions& options = {}) {
  ReadOptions read_options;
  read_options.format = format;
  read_options.width = events.width;
  read_options.height = events.height;
  const std::string content = encode_recording(events, "memory", format, options);
  return decode_recording(std::as_bytes(std::span(content)), "memory", read_options);
}

void check_same_events(const Recording& recording, const EventStream& events) {
  CHECK(recording.events.t_us == events.t_us);
  CHECK(recording.events.x == events.x);
  CHECK(recording.events.y == events.y);
  CHECK(recording.events.on == events.on);
  CHECK(recording.events.width >= events.width);
  CHECK(recording.events.height >= events.height);
  CHECK(recording.warnings == std::vector<std::string>{});
}

TEST_CASE("a written recording is read as it was, over several blocks and packets") {
  const EventStream events = random_stream(128, 128, 20'001, 17, 300);

  for (const EventFormat format : all_formats()) {
    CAPTURE(format_name(format));
    check_same_events(round_trip(events, format), events);
  }
}

TEST_CASE("no event and one event survive the round trip") {
  for (const EventFormat format : all_formats()) {
    CAPTURE(format_name(format));
    check_same_events(round_trip(random_stream(34, 34, 0, 0, 1), format), random_stream(34, 34, 0, 0, 1));
    check_same_events(round_trip(random_stream(34, 34, 1, 5, 1), format), random_stream(34, 34, 1, 5, 1));
  }
}

TEST_CASE("the corners of the sensor survive the round trip, in either polarity") {
  struct Sensor {
    EventFormat format;
    int width, height;
  };
  for (const auto& [format, width, height] :
       {Sensor{EventFormat::aedat2, 128, 128}, Sensor{EventFormat::aedat2, 346, 260},
        Sensor{EventFormat::aedat3, 128, 128}, Sensor{EventFormat::aedat3, 240, 180},
        Sensor{EventFormat::aedat3, 346, 260}, Sensor{EventFormat::aedat3, 640, 480}, Sensor{EventFormat::aedat4, 1, 1},
        Sensor{EventFormat::aedat4, 32768, 32768}, Sensor{EventFormat::nmnist_bin, 34, 34},
        Sensor{EventFormat::nmnist_bin, 256, 256}}) {
    CAPTURE(format_name(format));
    CAPTURE(width);
    EventStream events;
    events.width = width;
    events.height = height;
    const auto right = static_cast<std::uint16_t>(width - 1), bottom = static_cast<std::uint16_t>(height - 1);
    for (const std::uint8_t on : {std::uint8_t{0}, std::uint8_t{1}})
      for (const std::uint16_t x : {std::uint16_t{0}, right})
        for (const std::uint16_t y : {std::uint16_t{0}, bottom}) events.push_back({7, x, y, on});

    const Recording recording = round_trip(events, format);

    check_same_events(recording, events);
    CHECK(recording.events.width == width);
    CHECK(recording.events.height == height);
  }
}

TEST_CASE("times beyond 2^31 and 2^32 us survive the round trip") {
  for (const std::int64_t near :
       {std::int64_t{1} << 31, std::int64_t{1} << 32, std::int64_t{3} << 31, std::int64_t{1} << 33}) {
    for (const EventFormat format : {EventFormat::aedat2, EventFormat::aedat3, EventFormat::aedat4}) {
      CAPTURE(format_name(format));
      CAPTURE(near);
      EventStream events = random_stream(128, 128, 1, 0, 1);
      for (std::int64_t t_us = std::int64_t{1} << 30; t_us < near; t_us += std::int64_t{1} << 30)
        events.push_back({t_us, 1, 2, 1});
      // With a late event on either side of the wrap.
      for (const std::int64_t step : {-2, -1, 0, -1, 1, 0}) events.push_back({near + step, 3, 4, 0});

      const Recording recording = round_trip(events, format);

      check_same_events(recording, events);
      CHECK(recording.backward_steps == 2);
    }
  }
}

TEST_CASE("AEDAT4 round trips in each compression, with absolute and negative times") {
  for (const Aedat4Compression compression :
       {Aedat4Compression::none, Aedat4Compression::lz4, Aedat4Compression::zstd}) {
    CAPTURE(static_cast<int>(compression));
    EventStream events = random_stream(346, 260, 20'001, 1'718'924'384'950'507, 30);
    events.push_back({std::numeric_limits<std::int64_t>::min(), 0, 0, 1});
    events.push_back({std::numeric_limits<std::int64_t>::max(), 0, 0, 1});

    const Recording recording = round_trip(events, EventFormat::aedat4, {compression});

    check_same_events(recording, events);
    CHECK(recording.source == "Synfire");
    CHECK(recording.backward_steps == 1);
    CHECK(recording.skipped_special == 0);
  }
}

TEST_CASE("what a format cannot represent is refused, with the number of the event") {
  struct Case {
    EventFormat format;
    int width, height;
    std::int64_t t_us;
    int y;
    std::string text;
  };
  for (const Case& c :
       {Case{EventFormat::aedat2, 128, 128, std::int64_t{1} << 32, 0, "event 1 cannot be written: AEDAT 2.0 times"},
        Case{EventFormat::aedat2, 128, 128, -1, 0, "event 1 cannot be written: AEDAT 2.0 times"},
        Case{EventFormat::aedat2, 347, 260, 0, 0, "up to 346x260, got 347x260"},
        Case{EventFormat::aedat3, 128, 128, -1, 0, "event 1 cannot be written: AEDAT 3.1 times"},
        Case{EventFormat::aedat3, 641, 480, 0, 0, "up to 640x480, got 641x480"},
        Case{EventFormat::nmnist_bin, 34, 34, std::int64_t{1} << 23, 0, "event 1 cannot be written: times of a .bin"},
        Case{EventFormat::nmnist_bin, 34, 256, 0, 240, "event 1 cannot be written: x and y of a .bin"},
        Case{EventFormat::nmnist_bin, 34, 34, 0, 34, "event 1 cannot be written: (1, 34) is outside"}}) {
    CAPTURE(format_name(c.format));
    EventStream events;
    events.width = c.width;
    events.height = c.height;
    events.push_back({0, 0, 0, 0});
    events.push_back({c.t_us, 1, static_cast<std::uint16_t>(c.y), 1});
    std::string text;

    try {
      encode_recording(events, "memory", c.format);
    } catch (const FileError& error) {
      text = error.what();
    }

    CHECK_MESSAGE(text.find(c.text) != std::string::npos, text);
  }
}

TEST_CASE("a file is written whole and found by its content, whatever its name") {
  const test::TemporaryFolder folder;
  const EventStream events = random_stream(128, 128, 1000, 0, 100);

  for (const EventFormat format : {EventFormat::aedat2, EventFormat::aedat3, EventFormat::aedat4}) {
    const std::filesystem::path file = folder / "recording.bin";
    write_recording(file, events, format);

    CHECK(detect_format(file) == format);
    check_same_events(read_recording(file), events);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

}  // namespace
}  // namespace synfire::datasets
