#include "datasets/simulate/simulate_speech.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <regex>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/version.hpp"
#include "datasets/shd_writer.hpp"

namespace synfire::datasets {

namespace {

namespace fs = std::filesystem;

const std::array<const char*, 10> kDigits{"zero", "one", "two",   "three", "four",
                                          "five", "six", "seven", "eight", "nine"};

auto order(const SpokenDigit& digit) { return std::tie(digit.digit, digit.speaker, digit.index); }

std::vector<std::string> speaker_names(const std::vector<SpokenDigit>& digits) {
  std::vector<std::string> names;
  for (const SpokenDigit& digit : digits) names.push_back(digit.speaker);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string manifest(const SpeechSetConfig& config, const std::vector<std::string>& speakers, std::size_t recordings,
                     std::int64_t spikes, double seconds) {
  nlohmann::ordered_json json{{"data_set", "spoken_digits_simulated"},
                              {"synfire", build_info().version},
                              {"commit", build_info().commit},
                              {"recordings", recordings},
                              {"seconds", seconds},
                              {"spikes", spikes},
                              {"speakers", speakers},
                              {"first_test_index", config.first_test_index},
                              {"last_test_index", config.last_test_index},
                              {"test_speakers", config.test_speakers}};
  if (config.encoder == SpeechEncoder::cochlea) {
    json["encoder"] = {{"name", "cochlea"},
                       {"channels", config.cochlea.num_channels},
                       {"seed", config.cochlea.seed},
                       {"stiffness", config.cochlea.membrane.stiffness}};
  } else {
    json["encoder"] = {{"name", "mel"},
                       {"bands", config.mel.num_bands},
                       {"lowest_hz", config.mel.lowest_hz},
                       {"highest_hz", config.mel.highest_hz},
                       {"window_ms", config.mel.window_ms},
                       {"hop_ms", config.mel.hop_ms},
                       {"threshold", config.mel.threshold},
                       {"floor", config.mel.floor}};
  }
  return json.dump(2) + "\n";
}

}  // namespace

std::vector<SpokenDigit> find_spoken_digits(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw FileError(folder.string(), "no such folder");
  static const std::regex kName("([0-9])_([^_]+)_([0-9]{1,6})");
  std::vector<SpokenDigit> digits;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path& file = entry.path();
    if (!entry.is_regular_file() || (file.extension() != ".wav" && file.extension() != ".flac")) continue;
    const std::string name = file.stem().string();
    std::smatch part;
    if (!std::regex_match(name, part, kName))
      throw FormatError(file.string(), "must be named DIGIT_SPEAKER_INDEX, like 7_theo_12.wav");
    digits.push_back({file, std::stoi(part[1]), part[2], std::stoi(part[3])});
  }
  if (digits.empty()) throw FileError(folder.string(), "holds no recordings DIGIT_SPEAKER_INDEX.wav");
  std::sort(digits.begin(), digits.end(), [](const auto& a, const auto& b) { return order(a) < order(b); });
  const auto twice = std::adjacent_find(digits.begin(), digits.end(),
                                        [](const auto& a, const auto& b) { return order(a) == order(b); });
  if (twice != digits.end())
    throw FormatError(twice->file.string(), "has the same name as " + std::next(twice)->file.string());
  return digits;
}

void simulate_speech(const SpeechSetConfig& config, const fs::path& folder, const fs::path& out,
                     const SetProgress& progress) {
  const std::vector<SpokenDigit> digits = find_spoken_digits(folder);
  const std::vector<std::string> speakers = speaker_names(digits);
  for (const std::string& name : config.test_speakers)
    if (!std::binary_search(speakers.begin(), speakers.end(), name))
      throw ConfigError("", 0, "test_speakers",
                        fmt::format("there is no speaker \"{}\", only {}", name, fmt::join(speakers, ", ")));
  SetFolder set_folder(out);
  std::unique_ptr<Cochlea> cochlea;
  if (config.encoder == SpeechEncoder::cochlea) cochlea = std::make_unique<Cochlea>(config.cochlea);

  std::vector<SpikeTrain> trains(digits.size());
  std::vector<double> seconds(digits.size());
  SetCounter counter(static_cast<std::int64_t>(digits.size()), progress);
  parallel_for(static_cast<std::ptrdiff_t>(digits.size()), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const Audio audio = read_audio(digits[i].file);
      trains[i] = cochlea ? cochlea->hear(audio, static_cast<std::uint32_t>(i)) : mel_spikes(audio, config.mel);
      seconds[i] = static_cast<double>(audio.samples.size()) / audio.rate_hz;
      counter.add(static_cast<std::int64_t>(trains[i].t_s.size()));
    }
  });

  const auto write = [&](const char* name, const std::function<bool(const SpokenDigit&)>& wanted) {
    SpikeTrainSet set;
    set.num_channels = cochlea ? cochlea->num_channels() : 2 * config.mel.num_bands;
    set.class_names.assign(kDigits.begin(), kDigits.end());
    set.speaker_names = speakers;
    for (std::size_t i = 0; i < digits.size(); ++i) {
      if (!wanted(digits[i])) continue;
      set.samples.push_back(trains[i]);
      set.label.push_back(digits[i].digit);
      const auto speaker = std::lower_bound(speakers.begin(), speakers.end(), digits[i].speaker) - speakers.begin();
      set.speaker.push_back(static_cast<std::int32_t>(speaker));
    }
    write_shd(set_folder.partial() / name, set);
  };
  const auto is_test = [&](const SpokenDigit& digit) {
    return digit.index >= config.first_test_index && digit.index <= config.last_test_index;
  };
  const auto is_test_speaker = [&](const SpokenDigit& digit) {
    return std::count(config.test_speakers.begin(), config.test_speakers.end(), digit.speaker) > 0;
  };
  write("train.h5", std::not_fn(is_test));
  write("test.h5", is_test);
  write("speakers_train.h5", std::not_fn(is_test_speaker));
  write("speakers_test.h5", is_test_speaker);
  double total_seconds = 0.0;
  for (const double length : seconds) total_seconds += length;
  set_folder.commit(manifest(config, speakers, digits.size(), counter.num_events(), total_seconds));
}

}  // namespace synfire::datasets
