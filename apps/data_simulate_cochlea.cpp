#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "core/interrupt.hpp"
#include "core/parallel.hpp"
#include "core/progress.hpp"
#include "datasets/simulate/simulate_speech.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

struct Interrupted {};

datasets::SpeechSetConfig read_config(const CommandLine& line) {
  datasets::SpeechSetConfig config;
  config.cochlea.seed = line.get<std::uint64_t>("seed");
  config.test_speakers = line.list("test-speakers");
  const std::string& encoder = line.get<std::string>("encoder");
  if (encoder == "cochlea") {
    if (line.has("channels")) config.cochlea.num_channels = line.get<int>("channels");
  } else if (encoder == "mel") {
    config.encoder = datasets::SpeechEncoder::mel;
    if (line.has("channels")) {
      const int channels = line.get<int>("channels");
      if (channels < 2 || channels % 2 != 0)
        throw UsageError(
            fmt::format("--channels of the mel encoder must be even, two for each band, got {}", channels));
      config.mel.num_bands = channels / 2;
    }
  } else {
    throw UsageError(fmt::format("--encoder must be cochlea or mel, got \"{}\"", encoder));
  }
  return config;
}

}  // namespace

int data_simulate_cochlea_command(const Arguments& args) {
  const datasets::SpeechSetConfig defaults;
  CommandLine line(
      "synfire data simulate cochlea", "FOLDER OUT",
      "Turns spoken digits into spikes with a model of the inner ear, that of the Spiking Heidelberg Digits, and "
      "writes "
      "their layout.\nFOLDER holds recordings DIGIT_SPEAKER_INDEX.wav (or .flac), as the Free Spoken Digit Dataset "
      "does. "
      "OUT gets train.h5 and\ntest.h5 (recordings 10 to 14 of each speaker and digit), speakers_train.h5 and "
      "speakers_test.h5 (speakers who are not in training).");
  line.options().add_options()("encoder", po::value<std::string>()->default_value("cochlea"),
                               "cochlea, or mel: mel bands and crossings of levels")(
      "channels", po::value<int>(), "number of channels (default: 700, and 80 of mel)")(
      "test-speakers",
      po::value<std::vector<std::string>>()->multitoken()->default_value(
          defaults.test_speakers, fmt::format("{}", fmt::join(defaults.test_speakers, " "))),
      "names of the speakers of speakers_test.h5")("seed", po::value<std::uint64_t>()->default_value(1),
                                                   "seed of the auditory nerve")(
      "threads", po::value<int>()->default_value(0), "worker threads (default: one per hardware thread)")(
      "quiet", "no progress display");
  line.positional("folder", 1);
  line.positional("out", 1);
  if (!line.parse(args)) return kExitOk;
  set_num_threads(line.get<int>("threads"));
  if (line.has("quiet")) set_progress_style(ProgressStyle::quiet);
  const datasets::SpeechSetConfig config = read_config(line);
  const std::filesystem::path folder = line.list("folder").front();
  const std::filesystem::path out = line.list("out").front();

  const InterruptGuard guard;
  Progress bar("listening",
               {.total = static_cast<std::int64_t>(datasets::find_spoken_digits(folder).size()), .unit = "recordings"});
  try {
    datasets::simulate_speech(config, folder, out, [&](std::int64_t, std::int64_t) {
      bar.advance();
      if (interrupt_requested()) throw Interrupted{};
    });
  } catch (const Interrupted&) {
    return kExitInterrupted;
  }
  return kExitOk;
}

}  // namespace synfire::apps
