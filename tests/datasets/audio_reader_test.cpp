#include "datasets/audio_reader.hpp"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "tests/support/data_folder.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wav.hpp"

using namespace synfire;
using namespace synfire::datasets;

namespace {

Audio sine(double f_hz, int rate_hz, std::size_t length) {
  Audio audio{rate_hz, std::vector<float>(length)};
  for (std::size_t i = 0; i < length; ++i)
    audio.samples[i] =
        static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * f_hz * static_cast<double>(i) / rate_hz));
  return audio;
}

}  // namespace

TEST_CASE("a sound comes with its rate, and full scale at 1") {
  const test::TemporaryFolder folder;
  test::write_wav(folder / "a.wav", std::vector<std::int16_t>{0, 16384, -32768, 1}, 8000);

  const Audio audio = read_audio(folder / "a.wav");

  CHECK(audio.rate_hz == 8000);
  CHECK(audio.samples == std::vector<float>{0.0F, 0.5F, -1.0F, 0x1.0p-15F});
}

TEST_CASE("two channels become their mean") {
  const test::TemporaryFolder folder;
  test::write_wav(folder / "a.wav", std::vector<std::int16_t>{16384, 0, -8192, 8192}, 44100, 2);

  CHECK(read_audio(folder / "a.wav").samples == std::vector<float>{0.25F, 0.0F});
}

TEST_CASE("what is no sound, or not all of it, is an error that names the file") {
  const test::TemporaryFolder folder;
  const std::string whole = test::wav_bytes(std::vector<std::int16_t>(1000, 7), 8000);
  const auto refuses = [&](const std::string& content, const char* text) {
    write_file_atomically(folder / "bad.wav", content);
    CHECK_THROWS_WITH_AS(read_audio(folder / "bad.wav"), doctest::Contains(text), FormatError);
    CHECK_THROWS_WITH_AS(read_audio(folder / "bad.wav"), doctest::Contains("bad.wav"), FormatError);
  };

  refuses("", "is not a sound");
  refuses("words", "is not a sound");
  refuses(test::wav_bytes({}, 8000), "has 0 samples");
  refuses(test::wav_bytes(std::vector<std::int16_t>(1000, 7), 8000, 1, 0x7FFFFF00), "shorter than its header says");
  for (std::size_t length = 1; length < whole.size(); length += 37) refuses(whole.substr(0, length), "");
  CHECK_THROWS_AS(read_audio(folder / "none.wav"), FileError);
  CHECK_THROWS_AS(read_audio(folder.path()), FileError);
}

TEST_CASE("a sample that is not finite is an error") {
  const test::TemporaryFolder folder;
  std::string content = test::wav_bytes(std::vector<std::int16_t>{0, 0, 0, 0x7FC0}, 8000);  // 0.0 and a NaN as floats
  content[20] = 3;                                                                          // IEEE float of 4 bytes
  content[28] = 0x00;
  content[29] = 0x7D;  // 32000 bytes a second
  content[32] = 4;
  content[34] = 32;
  write_file_atomically(folder / "nan.wav", content);

  CHECK_THROWS_WITH_AS(read_audio(folder / "nan.wav"), doctest::Contains("not finite"), FormatError);
}

TEST_CASE("a FLAC with any damaged byte after its header is an error") {
  const auto data = test::data_folder();
  if (!data) return;
  const test::TemporaryFolder folder;
  const std::string whole = read_whole_file(*data / "shd_like" / "spoken_digit.flac");
  const auto damaged = folder / "a.flac";
  CHECK(read_audio(*data / "shd_like" / "spoken_digit.flac").samples.size() == 38172);

  for (std::size_t byte = 500; byte < whole.size(); byte += 1993) {
    std::string content = whole;
    content[byte] = static_cast<char>(content[byte] ^ 0x10);
    write_file_atomically(damaged, content);
    CHECK_THROWS_AS(read_audio(damaged), FormatError);
    write_file_atomically(damaged, std::string_view(whole).substr(0, byte));
    CHECK_THROWS_AS(read_audio(damaged), FormatError);
  }
}

TEST_CASE("a sine keeps its phase and amplitude at another rate, and what the new rate cannot hold is gone") {
  const Audio up = resample(sine(1000.0, 8000, 4000), 48000);
  REQUIRE(up.rate_hz == 48000);
  REQUIRE(up.samples.size() == 24000);
  // Far from the ends, where the filter has all its input; its documented distortion is below -97 dB.
  const Audio exact = sine(1000.0, 48000, 24000);
  for (std::size_t i = 6000; i < 18000; ++i) REQUIRE(std::abs(up.samples[i] - exact.samples[i]) < 0.5F * 2e-5F);

  const Audio down = resample(sine(15000.0, 48000, 24000), 16000);
  REQUIRE(down.samples.size() == 8000);
  for (std::size_t i = 2000; i < 6000; ++i) REQUIRE(std::abs(down.samples[i]) < 0.5F * 2e-5F);
  CHECK_THROWS_AS(resample(sine(1.0, 8000, 10), 1), Error);
  CHECK(resample(Audio{8000, {}}, 48000).samples.empty());
}
