// AEDAT 3.1 and 3.0 files built from the description of the format (docs/formats.md); no recorded one could be had.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "tests/datasets/recording_bytes.hpp"

namespace synfire::datasets {
namespace {

using namespace test_bytes;

std::string header(const std::string& camera, const std::string& version = "3.1") {
  return "#!AER-DAT" + version + "\r\n#Format: RAW\r\n#Source 1: " + camera +
         "\r\n#-Source 2: DAVIS640\r\n#Start-Time: 2016-06-28 10:00:00 (TZ+0200)\r\n" +
         (version == "3.1" ? "#!END-HEADER\r\n" : "");
}

struct PacketFields {
  std::uint16_t type = 1, source = 1;
  std::uint32_t size = 8, time_offset = 4, overflow = 0, capacity = 0, number = 0, valid = 0;
};

std::string packet(const PacketFields& fields, const std::string& payload) {
  return little(fields.type, 2) + little(fields.source, 2) + little(fields.size, 4) + little(fields.time_offset, 4) +
         little(fields.overflow, 4) + little(fields.capacity, 4) + little(fields.number, 4) + little(fields.valid, 4) +
         payload;
}

std::string polarity(std::uint32_t x, std::uint32_t y, bool on, std::uint32_t t_us, bool valid = true) {
  return little((x << 17U) | (y << 2U) | (on ? 2U : 0U) | (valid ? 1U : 0U), 4) + little(t_us, 4);
}

/// A packet of events of 8 bytes that says the truth about them.
std::string events(const std::vector<std::string>& items, std::uint32_t overflow = 0, std::uint16_t type = 1,
                   std::uint16_t source = 1) {
  std::string payload;
  for (const std::string& item : items) payload += item;
  const auto count = static_cast<std::uint32_t>(items.size());
  return packet({type, source, 8, 4, overflow, count, count, count}, payload);
}

std::string special(std::uint32_t type, std::uint32_t t_us) { return little((type << 1U) | 1U, 4) + little(t_us, 4); }

TEST_CASE("polarity events of AEDAT 3.1 lie upright, with 31 bits of time under the packet's overflow") {
  const std::string file = header("DVS128") + events({polarity(127, 0, true, 5), polarity(0, 127, false, 0x7fffffff)}) +
                           events({polarity(1, 2, true, 3)}, 1) + events({polarity(3, 4, false, 9)}, 2);

  const Recording recording = decode(file);

  REQUIRE(recording.events.size() == 4);
  CHECK(recording.events[0] == Event{5, 127, 0, 1});
  CHECK(recording.events[1] == Event{0x7fffffff, 0, 127, 0});
  CHECK(recording.events[2] == Event{(std::int64_t{1} << 31) + 3, 1, 2, 1});
  CHECK(recording.events[3] == Event{(std::int64_t{2} << 31) + 9, 3, 4, 0});
  CHECK(recording.events.width == 128);
  CHECK(recording.source == "DVS128");
  CHECK(recording.warnings.empty());
}

TEST_CASE("packets of other types are skipped by their size") {
  const std::string imu = packet({3, 1, 36, 4, 0, 2, 2, 2}, std::string(72, '\x55'));
  const std::string frame = packet({2, 1, 100, 12, 0, 1, 1, 1}, std::string(100, '\x55'));
  const std::string unknown = packet({100, 1, 3, 0, 0, 5, 4, 0}, std::string(15, '\x55'));
  const std::string file = header("DAVIS240C") + events({special(2, 1)}, 0, 0) + events({polarity(1, 1, true, 2)}) +
                           imu + frame + unknown + events({polarity(2, 2, true, 3)});

  const Recording recording = decode(file);

  CHECK(recording.events.t_us == EventColumn<std::int64_t>{2, 3});
  CHECK(recording.events.width == 240);
  CHECK(recording.skipped_special == 1 + 2 + 1 + 4);
}

TEST_CASE("invalid events are skipped and counted, or kept on request") {
  const std::string file =
      header("DVS128") + packet({1, 1, 8, 4, 0, 3, 3, 2},
                                polarity(1, 1, true, 1) + polarity(2, 2, true, 2, false) + polarity(3, 3, true, 3));
  ReadOptions keep;
  keep.keep_invalid = true;

  CHECK(decode(file).events.t_us == EventColumn<std::int64_t>{1, 3});
  CHECK(decode(file).skipped_invalid == 1);
  CHECK(decode(file, keep).events.t_us == EventColumn<std::int64_t>{1, 2, 3});
}

TEST_CASE("a file of invalid events only says so") {
  const Recording recording =
      decode(header("DVS128") + packet({1, 1, 8, 4, 0, 1, 1, 0}, polarity(1, 1, true, 1, false)));

  CHECK(recording.events.empty());
  REQUIRE(recording.warnings.size() == 1);
  CHECK(contains(recording.warnings[0], "all 1 events are marked invalid"));
}

TEST_CASE("room that a packet has beyond its events is skipped") {
  const std::string file = header("DVS128") +
                           packet({1, 1, 8, 4, 0, 3, 1, 1}, polarity(1, 1, true, 1) + std::string(16, '\xff')) +
                           events({polarity(2, 2, true, 2)});

  CHECK(decode(file).events.t_us == EventColumn<std::int64_t>{1, 2});
}

TEST_CASE("after a reset of the camera's clock time starts again, counted and said") {
  const std::string file = header("DVS128") + events({polarity(1, 1, true, 1000)}) +
                           events({special(1, 0x7fffffff)}, 0, 0) + events({polarity(1, 1, true, 7)});

  const Recording recording = decode(file);

  CHECK(recording.events.t_us == EventColumn<std::int64_t>{1000, 7});
  CHECK(recording.backward_steps == 1);
  REQUIRE(recording.warnings.size() == 1);
  CHECK(contains(recording.warnings[0], "clock back to 0 1 times"));
}

TEST_CASE("AEDAT 3.0 has no end of its header and its origin lower left") {
  const std::string file = header("DVS128", "3.0") + events({polarity(1, 2, true, 5)});
  ReadOptions as_stored;
  as_stored.orientation = Orientation::as_stored;

  CHECK(decode(file).events[0] == Event{5, 1, 125, 1});
  CHECK(decode(file, as_stored).events[0] == Event{5, 1, 2, 1});
}

TEST_CASE("the size of an unknown camera is what the options say, else what the events need") {
  const std::string file = header("Gizmo") + events({polarity(9, 3, true, 1), polarity(2, 7, true, 2)});
  ReadOptions options;
  options.width = 20;
  options.height = 10;

  CHECK(decode(file, options).events.width == 20);
  CHECK(decode(file, options).warnings.empty());
  CHECK(decode(file).events.width == 10);
  CHECK(decode(file).events.height == 8);
  CHECK(contains(decode(file).warnings.at(0), "the camera \"Gizmo\" is unknown"));
}

TEST_CASE("events of two cameras are not mixed") {
  const std::string file =
      header("DVS128") + events({polarity(1, 1, true, 1)}) + events({polarity(2, 2, true, 2)}, 0, 1, 7);
  ReadOptions second;
  second.stream = 7;
  second.width = second.height = 128;

  CHECK(contains(decode_error<ConfigError>(file), "sources 1 and 7"));
  CHECK(decode(file, second).events.t_us == EventColumn<std::int64_t>{2});
}

TEST_CASE("a packet header that contradicts itself is an error that names its byte") {
  const std::string start = header("DVS128");
  const std::string where = "byte " + std::to_string(start.size()) + ": ";
  struct Case {
    PacketFields fields;
    std::string text;
  };
  for (const auto& [fields, text] :
       {Case{{1, 1, 9, 4, 0, 1, 1, 1}, "has 8 bytes, a packet says 9"},
        Case{{0, 1, 4, 4, 0, 1, 1, 1}, "has 8 bytes, a packet says 4"},
        Case{{1, 1, 8, 0, 0, 1, 1, 1}, "time of an event"}, Case{{1, 1, 8, 4, 0, 1, 2, 1}, "2 events in room for 1"},
        Case{{1, 1, 8, 4, 0, 1, 1, 2}, "2 valid events of 1"},
        Case{{1, 1, 8, 4, 0x80000000U, 1, 1, 1}, "2147483648 time overflows"},
        Case{{1, 1, 8, 4, 0, 0xffffffffU, 1, 1}, "a packet says 34359738360 bytes, 8 are left"},
        Case{{2, 1, 0xffffffffU, 4, 0, 0xffffffffU, 1, 1}, "a packet says 18446744065119617025 bytes, 8 are left"}}) {
    const std::string error = decode_error<FormatError>(start + packet(fields, polarity(1, 1, true, 1)));
    CHECK_MESSAGE(contains(error, where), error);
    CHECK_MESSAGE(contains(error, text), error);
  }
}

TEST_CASE("events outside the sensor or of negative time are errors, or dropped and counted") {
  const std::string start = header("DVS128");
  const std::string good = polarity(1, 1, true, 1), outside = polarity(128, 1, true, 2),
                    negative = polarity(1, 1, true, 0x80000000U);
  ReadOptions lenient;
  lenient.lenient = true;

  const std::string where = "byte " + std::to_string(start.size() + 28 + 8) + ": event 1 ";
  CHECK(contains(decode_error<FormatError>(start + events({good, outside})), where + "is at (128, 1)"));
  CHECK(contains(decode_error<FormatError>(start + events({good, negative})), where + "has a negative time"));
  const Recording recording = decode(start + events({good, outside, negative, good}), lenient);
  CHECK(recording.events.size() == 2);
  CHECK(recording.out_of_range == 2);
}

TEST_CASE("a truncated packet is an error, or gives its whole events with a warning") {
  const std::string file =
      header("DVS128") + events({polarity(1, 1, true, 1), polarity(1, 1, true, 2), polarity(1, 1, true, 3)});
  ReadOptions lenient;
  lenient.lenient = true;

  const Recording recording = decode(file.substr(0, file.size() - 9), lenient);

  CHECK(contains(decode_error<FormatError>(file.substr(0, file.size() - 9)), "a packet says 24 bytes, 15 are left"));
  CHECK(recording.events.t_us == EventColumn<std::int64_t>{1});
  CHECK(recording.missing_bytes == 9);
  CHECK(contains(decode_error<FormatError>(file + "abc"), "3 bytes of its header of 28"));
  CHECK(decode(file + "abc", lenient).events.size() == 3);
}

TEST_CASE("a header of another version or without its end is an error") {
  CHECK(contains(decode_error<FormatError>("#!AER-DAT3.2\r\n#!END-HEADER\r\n"), "found version \"3.2\""));
  CHECK(contains(decode_error<FormatError>("#!AER-DAT3.1\r\n#Format: RAW\r\n"), "does not end with #!END-HEADER"));
  CHECK(contains(decode_error<FormatError>("#!AER-DAT3.1\r\n#Format: Compressed\r\n#!END-HEADER\r\n"),
                 "found Compressed"));
}

}  // namespace
}  // namespace synfire::datasets
