#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/hdf5_file.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/wav.hpp"

namespace synfire {
namespace {

using test::ProgramResult;
using test::run_program;
using test::Scratch;

void write_tones(const std::filesystem::path& folder) {
  std::vector<std::int16_t> samples(1600);
  for (const std::string name : {"0_a_9", "0_a_10", "1_b_9", "1_b_14", "1_b_15"}) {
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i] = static_cast<std::int16_t>(8000.0 * std::sin((0.2 + 0.3 * (name[0] - '0')) * static_cast<double>(i)));
    test::write_wav(folder / (name + ".wav"), samples, 8000);
  }
}

TEST_CASE("data simulate cochlea writes both splits with the channels that were asked for") {
  const Scratch scratch;
  write_tones(scratch / "tones");
  for (const std::string encoder : {"cochlea", "mel"}) {
    const auto out = scratch / encoder;

    const ProgramResult result =
        run_program(scratch, {"data", "simulate", "cochlea", (scratch / "tones").string(), out.string(), "--channels",
                              "32", "--encoder", encoder, "--test-speakers", "b", "--threads", "2"});

    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const Hdf5File test = Hdf5File::open(out / "test.h5");
    CHECK(test.read<std::int64_t>("labels") == std::vector<std::int64_t>{0, 1});
    CHECK(test.read<std::int32_t>("extra/num_channels") == std::vector<std::int32_t>{32});
    CHECK(Hdf5File::open(out / "speakers_test.h5").read<std::int64_t>("labels") == std::vector<std::int64_t>{1, 1, 1});
    CHECK(std::filesystem::exists(out / "train.h5"));
    CHECK(std::filesystem::exists(out / "speakers_train.h5"));
  }
}

TEST_CASE("data simulate cochlea refuses what it cannot do, in one line") {
  const Scratch scratch;
  write_tones(scratch / "tones");
  const auto refuses = [&](std::vector<std::string> more, const char* text) {
    std::vector<std::string> args{"data", "simulate", "cochlea", (scratch / "tones").string(),
                                  (scratch / "out").string()};
    args.insert(args.end(), more.begin(), more.end());
    const ProgramResult result = run_program(scratch, args);
    CHECK(result.exit_code == 2);
    CHECK_MESSAGE(result.err.find(text) != std::string::npos, result.err);
    CHECK_FALSE(std::filesystem::exists(scratch / "out"));
    CHECK_FALSE(std::filesystem::exists(scratch / "out.partial"));
  };

  refuses({}, "theo");  // the default test speakers are not here
  refuses({"--encoder", "ear", "--test-speakers", "b"}, "--encoder");
  refuses({"--encoder", "mel", "--channels", "7", "--test-speakers", "b"}, "even");
  refuses({"--channels", "0", "--test-speakers", "b"}, "channels");
}

}  // namespace
}  // namespace synfire
