// 40-bit recordings built from the description of the format (docs/formats.md).
#include <string>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "tests/datasets/recording_bytes.hpp"

namespace synfire::datasets {
namespace {

using namespace test_bytes;

std::string record(std::uint32_t x, std::uint32_t y, bool on, std::uint32_t t_us) {
  return big(x, 1) + big(y, 1) + big((on ? 0x800000U : 0U) | t_us, 3);
}

Recording decode_bin(const std::string& content, ReadOptions options = {}) {
  options.format = EventFormat::nmnist_bin;
  return decode(content, options);
}

TEST_CASE("a 40-bit record is x, y, polarity and 23 bits of time") {
  const Recording recording = decode_bin(record(33, 0, true, 0x7fffff) + record(0, 33, false, 0x123456));

  REQUIRE(recording.events.size() == 2);
  CHECK(recording.events[0] == Event{0x7fffff, 33, 0, 1});
  CHECK(recording.events[1] == Event{0x123456, 0, 33, 0});
  CHECK(recording.backward_steps == 1);
}

TEST_CASE("the sensor of a .bin is that of N-MNIST, else the largest of N-Caltech101, else to be said") {
  ReadOptions given;
  given.width = given.height = 256;

  CHECK(decode_bin(record(33, 33, true, 0)).events.width == 34);
  CHECK(decode_bin(record(34, 33, true, 0)).events.width == 240);
  CHECK(decode_bin(record(33, 34, true, 0)).events.height == 180);
  CHECK_THROWS_AS(decode_bin(record(240, 0, true, 0)), FormatError);
  CHECK(decode_bin(record(255, 255, true, 0), given).events.width == 256);
  CHECK(decode_bin("").events.width == 34);
}

TEST_CASE("y = 240 moves all later times by 2^13 us and is no event") {
  const Recording recording =
      decode_bin(record(1, 1, true, 8000) + record(99, 240, false, 77) + record(2, 2, true, 10) +
                 record(0, 240, false, 0) + record(0, 240, false, 0) + record(3, 3, true, 20));

  CHECK(recording.events.t_us == EventColumn<std::int64_t>{8000, 8192 + 10, 3 * 8192 + 20});
  CHECK(recording.skipped_special == 3);
  CHECK(recording.events.width == 34);
}

TEST_CASE("any number of records is decoded like single ones") {
  const RandomStream random(5, 0, 0);
  for (const std::size_t count : {0, 1, 7, 8, 9, 15, 16, 17, 18, 1023, 1024, 1025, 1039}) {
    std::string content;
    EventStream expected;
    for (std::size_t i = 0; i < count; ++i) {
      const Philox::Block w = random.words(i);
      const Event event{w[0] & 0x7fffff, static_cast<std::uint16_t>(w[1] % 240), static_cast<std::uint16_t>(w[2] % 180),
                        static_cast<std::uint8_t>(w[3] & 1)};
      expected.push_back(event);
      content += record(event.x, event.y, event.on != 0, static_cast<std::uint32_t>(event.t_us));
    }

    const Recording recording = decode_bin(content);

    CHECK(recording.events.t_us == expected.t_us);
    CHECK(recording.events.x == expected.x);
    CHECK(recording.events.y == expected.y);
    CHECK(recording.events.on == expected.on);
  }
}

TEST_CASE("a pixel outside the sensor is an error that says where, or is dropped and counted") {
  const std::string content = record(1, 1, true, 1) + record(34, 1, true, 2) + record(1, 1, true, 3);
  ReadOptions options;
  options.format = EventFormat::nmnist_bin;
  options.width = options.height = 34;
  ReadOptions lenient = options;
  lenient.lenient = true;

  CHECK(contains(decode_error<FormatError>(content, options),
                 "byte 5: event 1 is at (34, 1), outside the sensor of 34x34"));
  CHECK(decode(content, lenient).events.t_us == EventColumn<std::int64_t>{1, 3});
  CHECK(decode(content, lenient).out_of_range == 1);
}

TEST_CASE("a record that is cut at the end is an error, or lost with a warning") {
  const std::string content = record(1, 1, true, 1) + "ab";
  ReadOptions lenient;
  lenient.lenient = true;

  CHECK(
      contains(decode_error<FormatError>(content, {}, "a.bin"), "a.bin: byte 5: the last record has 2 of its 5 bytes"));
  CHECK(decode(content, lenient, "a.bin").events.size() == 1);
  CHECK(decode(content, lenient, "a.bin").missing_bytes == 3);
}

TEST_CASE("a sensor size must be given whole and possible") {
  for (const auto& [width, height] : {std::pair{34, 0}, {0, 34}, {-1, -1}, {65537, 1}}) {
    ReadOptions options;
    options.width = width;
    options.height = height;
    CHECK_THROWS_AS(decode_bin("", options), ConfigError);
  }
}

}  // namespace
}  // namespace synfire::datasets
