#include "datasets/simulate/simulate_speech.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "core/parallel.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wav.hpp"

using namespace synfire;
using namespace synfire::datasets;

namespace {

/// Tones of 0.1 s, higher for higher digits: two digits of three speakers, recordings 9 to 11.
void write_tones(const std::filesystem::path& folder) {
  for (const int digit : {2, 7})
    for (const std::string speaker : {"theo", "anna", "otto"})
      for (int index = 9; index <= 11; ++index) {
        std::vector<std::int16_t> samples(800);
        for (std::size_t i = 0; i < samples.size(); ++i)
          samples[i] = static_cast<std::int16_t>(8000.0 * std::sin(0.1 * digit * static_cast<double>(i) + index));
        test::write_wav(folder / std::to_string(digit) /
                            (std::to_string(digit) + "_" + speaker + "_" + std::to_string(index) + ".wav"),
                        samples, 8000);
      }
}

SpeechSetConfig small_config() {
  SpeechSetConfig config;
  config.cochlea.num_channels = 20;
  config.test_speakers = {"otto"};
  return config;
}

}  // namespace

TEST_CASE("spoken digits are split by recording and by speaker, with names and numbers") {
  const test::TemporaryFolder folder;
  write_tones(folder / "tones");
  std::int64_t calls = 0;
  simulate_speech(small_config(), folder / "tones", folder / "out", [&](std::int64_t, std::int64_t) { ++calls; });

  CHECK(calls == 18);
  const Hdf5File train = Hdf5File::open(folder / "out" / "train.h5");
  CHECK(train.read<std::int64_t>("labels") == std::vector<std::int64_t>{2, 2, 2, 7, 7, 7});  // recording 9 of each
  CHECK(train.read<std::uint16_t>("extra/speaker") == std::vector<std::uint16_t>{0, 1, 2, 0, 1, 2});
  CHECK(train.shape("extra/keys") == Shape{10});
  CHECK(Hdf5File::open(folder / "out" / "test.h5").shape("labels") == Shape{12});
  CHECK(Hdf5File::open(folder / "out" / "speakers_train.h5").read<std::uint16_t>("extra/speaker") ==
        std::vector<std::uint16_t>{0, 0, 0, 2, 2, 2, 0, 0, 0, 2, 2, 2});
  CHECK(Hdf5File::open(folder / "out" / "speakers_test.h5").read<std::uint16_t>("extra/speaker") ==
        std::vector<std::uint16_t>(6, 1));
  CHECK(std::filesystem::exists(folder / "out" / "manifest.json"));
  CHECK_FALSE(std::filesystem::exists(folder / "out.partial"));
}

TEST_CASE("spikes are the same bytes for 1, 2 and 8 threads, and for both encoders") {
  const test::TemporaryFolder folder;
  write_tones(folder / "tones");
  for (const SpeechEncoder encoder : {SpeechEncoder::cochlea, SpeechEncoder::mel}) {
    SpeechSetConfig config = small_config();
    config.encoder = encoder;
    std::vector<std::string> bytes;
    for (const int threads : {1, 2, 8}) {
      set_num_threads(threads);
      const auto out = folder / ("out" + std::to_string(threads) + (encoder == SpeechEncoder::mel ? "mel" : ""));
      simulate_speech(config, folder / "tones", out);
      bytes.push_back(read_whole_file(out / "train.h5") + read_whole_file(out / "speakers_test.h5"));
    }
    set_num_threads(0);

    CHECK(bytes[0] == bytes[1]);
    CHECK(bytes[0] == bytes[2]);
  }
}

TEST_CASE("a foreign name, a damaged sound, an unknown speaker and an empty folder are errors and leave nothing") {
  const test::TemporaryFolder folder;
  write_tones(folder / "tones");
  SpeechSetConfig config = small_config();
  config.test_speakers = {"nobody"};
  CHECK_THROWS_WITH_AS(simulate_speech(config, folder / "tones", folder / "out"), doctest::Contains("anna, otto, theo"),
                       ConfigError);
  CHECK_THROWS_AS(find_spoken_digits(folder / "none"), FileError);
  std::filesystem::create_directories(folder / "empty");
  CHECK_THROWS_AS(find_spoken_digits(folder / "empty"), FileError);

  write_file_atomically(folder / "tones" / "7_theo_12.wav", "damaged");
  CHECK_THROWS_WITH_AS(simulate_speech(small_config(), folder / "tones", folder / "out"),
                       doctest::Contains("7_theo_12.wav"), FormatError);
  std::filesystem::rename(folder / "tones" / "7_theo_12.wav", folder / "tones" / "7_theo_11.wav");
  CHECK_THROWS_WITH_AS(find_spoken_digits(folder / "tones"), doctest::Contains("same name"), FormatError);
  std::filesystem::rename(folder / "tones" / "7_theo_11.wav", folder / "tones" / "seven.wav");
  CHECK_THROWS_WITH_AS(find_spoken_digits(folder / "tones"), doctest::Contains("DIGIT_SPEAKER_INDEX"), FormatError);
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
  CHECK_FALSE(std::filesystem::exists(folder / "out.partial"));
}

TEST_CASE("a set that is given up leaves nothing") {
  const test::TemporaryFolder folder;
  write_tones(folder / "tones");
  struct Enough {};
  CHECK_THROWS_AS(simulate_speech(small_config(), folder / "tones", folder / "out",
                                  [](std::int64_t done, std::int64_t) {
                                    if (done == 3) throw Enough{};
                                  }),
                  Enough);
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
  CHECK_FALSE(std::filesystem::exists(folder / "out.partial"));
}
