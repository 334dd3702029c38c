// AEDAT 2.0 and 1.0 files built from the description of the format (docs/formats.md).
#include <string>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "tests/datasets/recording_bytes.hpp"

namespace synfire::datasets {
namespace {

using namespace test_bytes;

const std::string kDvs128 = "#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n";
const std::string kDavis240 = "#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.DAVIS240C\r\n";
const std::string kDavis346 = "#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis346red\r\n";

std::string record(std::uint32_t address, std::uint32_t t_us) { return big(address, 4) + big(t_us, 4); }
std::string davis(std::uint32_t x, std::uint32_t y, std::uint32_t flags, std::uint32_t t_us) {
  return record((y << 22U) | (x << 12U) | flags, t_us);
}

TEST_CASE("a DVS128 address is 7 bits of y, 7 bits of x and a polarity that is 0 for ON") {
  const std::string file = kDvs128 + record(0x2A15, 5) + record(0x0000, 6);  // 0x2A15: y = 42, x = 10, bit 0 set
  ReadOptions as_stored;
  as_stored.orientation = Orientation::as_stored;

  const Recording stored = decode(file, as_stored), upright = decode(file);

  CHECK(stored.events.width == 128);
  CHECK(stored.events.height == 128);
  REQUIRE(stored.events.size() == 2);
  CHECK(stored.events[0] == Event{5, 10, 42, 0});
  CHECK(stored.events[1] == Event{6, 0, 0, 1});
  // jAER counts from the lower left and mirrors x.
  CHECK(upright.events[0] == Event{5, 117, 85, 0});
  CHECK(upright.source == "ch.unizh.ini.jaer.chip.retina.DVS128");
  CHECK(upright.warnings.empty());
}

TEST_CASE("sync events of a DVS128 are skipped and counted") {
  const Recording recording = decode(kDvs128 + record(0x8000, 1) + record(0x0102, 2) + record(0x80000000, 3));

  REQUIRE(recording.events.size() == 1);
  CHECK(recording.events.t_us[0] == 2);
  CHECK(recording.skipped_special == 2);
}

TEST_CASE("a DAVIS address tells pixels from external inputs, frames and IMU samples") {
  constexpr std::uint32_t kOn = 1U << 11U, kExternal = 1U << 10U, kSample = 1U << 31U, kImu = 3U << 10U;
  const std::string file = kDavis240 + davis(239, 179, kOn, 1) + davis(3, 4, 0, 2) + davis(3, 4, kExternal | kOn, 3) +
                           davis(3, 4, kSample, 4) + davis(3, 4, kSample | kImu, 5) + davis(5, 6, kOn, 6);
  ReadOptions as_stored;
  as_stored.orientation = Orientation::as_stored;

  const Recording stored = decode(file, as_stored), upright = decode(file);

  CHECK(stored.events.width == 240);
  CHECK(stored.events.height == 180);
  REQUIRE(stored.events.size() == 3);
  CHECK(stored.events[0] == Event{1, 239, 179, 1});
  CHECK(stored.events[1] == Event{2, 3, 4, 0});
  CHECK(stored.events[2] == Event{6, 5, 6, 1});
  CHECK(upright.events[1] == Event{2, 236, 175, 0});
  CHECK(stored.skipped_special == 3);
}

TEST_CASE("a pixel outside the sensor is an error that says where, or is dropped and counted") {
  const std::string file =
      kDavis240 + davis(0, 0, 0, 1) + davis(240, 0, 0, 2) + davis(0, 180, 0, 3) + davis(1, 1, 0, 4);
  ReadOptions lenient;
  lenient.lenient = true;

  const std::string text = decode_error<FormatError>(file);
  const Recording recording = decode(file, lenient);

  CHECK(contains(text, "memory: byte " + std::to_string(kDavis240.size() + 8) + ": event 1 is at (240, 0)"));
  CHECK(recording.events.t_us == EventColumn<std::int64_t>{1, 4});
  CHECK(recording.out_of_range == 2);
  CHECK(recording.warnings.size() == 1);
}

TEST_CASE("times are read as unsigned and unwrapped at 2^32, with late events on either side of the wrap") {
  const std::string file = kDvs128 + record(0, 0xfffffff0U) + record(0, 0xfffffff8U) + record(0, 2) +
                           record(0, 0xfffffffeU) + record(0, 1) + record(0, 0x7fffffffU) + record(0, 0x80000000U) +
                           record(0, 0xf0000000U) + record(0, 7);
  constexpr std::int64_t kRound = std::int64_t{1} << 32;

  const Recording recording = decode(file);

  CHECK(recording.events.t_us == EventColumn<std::int64_t>{0xfffffff0, 0xfffffff8, kRound + 2, 0xfffffffe, kRound + 1,
                                                           kRound + 0x7fffffff, kRound + 0x80000000,
                                                           kRound + 0xf0000000, 2 * kRound + 7});
  CHECK(recording.backward_steps == 1);
}

TEST_CASE("a small step back in time is kept as it is and counted") {
  const Recording recording = decode(kDvs128 + record(0, 100) + record(0, 90) + record(0, 95) + record(0, 94));

  CHECK(recording.events.t_us == EventColumn<std::int64_t>{100, 90, 95, 94});
  CHECK(recording.backward_steps == 2);
}

TEST_CASE("a wrap is found at any place of a long recording") {
  // Longer than the blocks that are decoded at once.
  for (const std::size_t wrap :
       {std::size_t{1}, std::size_t{1023}, std::size_t{1024}, std::size_t{1025}, std::size_t{2999}}) {
    std::string file = kDvs128;
    for (std::size_t i = 0; i < 3000; ++i) file += record(0, static_cast<std::uint32_t>(i - wrap));

    const Recording recording = decode(file);

    REQUIRE(recording.events.size() == 3000);
    CHECK(recording.events.t_us.front() == (std::int64_t{1} << 32) - static_cast<std::int64_t>(wrap));
    CHECK(recording.events.t_us.back() - recording.events.t_us.front() == 2999);
    CHECK(recording.backward_steps == 0);
  }
}

TEST_CASE("a late event at the border of two decoded blocks is counted, also beside a wrap") {
  std::string file = kDvs128;
  for (std::uint32_t i = 0; i < 1024; ++i) file += record(0, 0xffff0000U + i);
  file += record(0, 0xffff0000U) + record(0, 5);

  const Recording recording = decode(file);

  CHECK(recording.backward_steps == 1);
  CHECK(recording.events.t_us.back() == (std::int64_t{1} << 32) + 5);
}

TEST_CASE("a first record that begins with '#' is data unless it reads as a line") {
  // Address 0x23000000 is row 140 of a DAVIS, and its first byte is '#'.
  const Recording recording = decode(kDavis346 + record(0x23000000, 65) + record(0x23000000, 10));

  REQUIRE(recording.events.size() == 2);
  CHECK(recording.events.y[0] == 259 - 140);
}

TEST_CASE("header lines may end in LF and hold any letters") {
  const Recording recording = decode("#!AER-DAT2.0\n# User name: J\xf6rg\n# AEChip: Tmpdiff128\n#\n" + record(0, 1));

  CHECK(recording.events.size() == 1);
  CHECK(recording.source == "Tmpdiff128");
}

TEST_CASE("without a known chip the address map must be said") {
  const std::string unnamed = "#!AER-DAT2.0\r\n" + record(0x2A15, 5);
  ReadOptions options;
  options.chip = AerChip::dvs128;

  CHECK(contains(decode_error<ConfigError>(unnamed), "no line AEChip"));
  CHECK(contains(decode_error<ConfigError>("#!AER-DAT2.0\r\n# AEChip: a.b.Cochlea\r\n"),
                 "AEChip a.b.Cochlea is unknown"));
  CHECK(decode(unnamed, options).events.size() == 1);
}

TEST_CASE("AEDAT 1.0 has records of 6 bytes") {
  const std::string records = big(0x2A15, 2) + big(7, 4) + big(0x8000, 2) + big(8, 4);
  ReadOptions options;
  options.chip = AerChip::dvs128;
  ReadOptions headerless = options;
  headerless.format = EventFormat::aedat2;

  const Recording recording = decode("#!AER-DAT1.0\r\n" + records, options);

  REQUIRE(recording.events.size() == 1);
  CHECK(recording.events[0] == Event{7, 117, 85, 0});
  CHECK(recording.skipped_special == 1);
  CHECK(decode(records, headerless).events == recording.events);
  options.chip = AerChip::davis346;
  CHECK_THROWS_AS(decode("#!AER-DAT1.0\r\n" + records, options), FormatError);
}

TEST_CASE("a record that is cut at the end is an error, or lost with a warning") {
  const std::string file = kDvs128 + record(0, 1) + record(0, 2);
  ReadOptions lenient;
  lenient.lenient = true;

  const std::string text = decode_error<FormatError>(file.substr(0, file.size() - 3));
  const Recording recording = decode(file.substr(0, file.size() - 3), lenient);

  CHECK(contains(text, "byte " + std::to_string(kDvs128.size() + 8) + ": the last record has 5 of its 8 bytes"));
  CHECK(recording.events.size() == 1);
  CHECK(recording.missing_bytes == 3);
  CHECK(recording.warnings.size() == 1);
}

TEST_CASE("a header without records is an empty recording") {
  CHECK(decode(kDvs128).events.empty());
  CHECK(decode(kDvs128).events.width == 128);
}

}  // namespace
}  // namespace synfire::datasets
