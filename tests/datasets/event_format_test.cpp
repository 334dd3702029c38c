#include "datasets/event_format.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "tests/datasets/recording_bytes.hpp"
#include "tests/support/data_folder.hpp"

namespace synfire::datasets {
namespace {

using namespace test_bytes;

std::string detection_error(const std::string& content, const std::string& name) {
  try {
    detect_format(bytes_of(content), name);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a recording is known by its first bytes, whatever its name") {
  for (const char* name : {"a.aedat", "a.bin", "a.raw", "a"}) {
    CHECK(detect_format(bytes_of("#!AER-DAT1.0\r\n"), name) == EventFormat::aedat2);
    CHECK(detect_format(bytes_of("#!AER-DAT2.0\n"), name) == EventFormat::aedat2);
    CHECK(detect_format(bytes_of("#!AER-DAT3.1\r\n"), name) == EventFormat::aedat3);
    CHECK(detect_format(bytes_of("#!AER-DAT4.0\r\n"), name) == EventFormat::aedat4);
  }
}

TEST_CASE("only a .bin whose pixels an ATIS sensor can have is taken for N-MNIST") {
  const std::string record = big(0x2121, 2) + big(1000, 3);   // (33, 33)
  const std::string outside = big(0xf021, 2) + big(1000, 3);  // x = 240
  const std::string overflow = big(0xfff0, 2) + big(0, 3);    // y = 240 is no pixel

  CHECK(detect_format(bytes_of(record + overflow + record), "a.bin") == EventFormat::nmnist_bin);
  CHECK(detect_format(bytes_of(record + record.substr(0, 3)), "a.bin") == EventFormat::nmnist_bin);
  CHECK(contains(detection_error(record, "a.dat"), "not a recording of a known format"));
  CHECK(contains(detection_error(record + outside, "a.bin"), "not a recording of a known format"));
  CHECK(contains(detection_error(record.substr(0, 4), "a.bin"), "not a recording of a known format"));
}

TEST_CASE("nothing is no recording") {
  CHECK(contains(detection_error("", "a.bin"), "a.bin: byte 0: the file is empty"));
}

TEST_CASE("formats that are not read here are named") {
  using namespace std::string_literals;
  CHECK(contains(detection_error("Event Stream\x02\0\0\x01"s, "a"), "Event Stream"));
  CHECK(contains(detection_error("\x89HDF\r\n\x1a\n"s, "a"), "HDF5"));
  CHECK(contains(detection_error("MATLAB 5.0 MAT-file, Platform"s, "a"), "MATLAB"));
  CHECK(contains(detection_error("PK\x03\x04"s, "a"), "npz"));
  CHECK(contains(detection_error("\x93NUMPY\x01\0"s, "a"), "NumPy"));
  CHECK(contains(detection_error("% Date 2020-01-01\n% evt 2.0\n"s, "a"), "Prophesee RAW"));
  CHECK(contains(detection_error("% Version 2\n% end\n"s, "a"), "Prophesee DAT"));
  CHECK(contains(detection_error("#!AER-DAT5.0\r\n"s, "a"), "unknown version"));
}

TEST_CASE("the words for the formats lead back to them") {
  for (const EventFormat format :
       {EventFormat::aedat2, EventFormat::aedat3, EventFormat::aedat4, EventFormat::nmnist_bin})
    CHECK(format_from_name(format_name(format)) == format);
  CHECK_THROWS_AS(format_from_name("aedat5"), ConfigError);
}

TEST_CASE("real recordings in other formats are refused, none is taken for N-MNIST") {
  const auto folder = test::data_folder();
  if (!folder) return;

  for (const char* name :
       {"formats/dat/sample_ncars.dat", "formats/es/dvs.es", "formats/evt2/faery_evt2.raw",
        "formats/evt3/expelliarmus_evt3_sample.raw", "formats/evt3/expelliarmus_evt3_sample.npy",
        "formats/mat/sample_stmnist.mat", "genx320_gesture/left2.bin", "genx320_gesture/trial_run.bin",
        "shd_like/lauscher_reference_70ch.npz", "nir/01_lif/lif_norse.nir"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(detect_format(*folder / name), FormatError);
  }
}

}  // namespace
}  // namespace synfire::datasets
