#include "datasets/audio_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <samplerate.h>
#include <sndfile.h>

#include "core/error.hpp"

namespace synfire::datasets {

namespace {

constexpr std::int64_t kMostSamples = std::int64_t{1} << 28U;

/// libsndfile shortens a sound to what the file holds and only notes it in its log: "data : 2000 (should be 956)".
bool is_cut_short(SNDFILE* sound) {
  std::array<char, 16384> log{};
  sf_command(sound, SFC_GET_LOG_INFO, log.data(), static_cast<int>(log.size()));
  std::istringstream lines(log.data());
  for (std::string line; std::getline(lines, line);)
    if (line.find("data :") != std::string::npos && line.find("should be") != std::string::npos) return true;
  return false;
}

}  // namespace

Audio read_audio(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) throw FileError(file.string(), "no such file");
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> sound(sf_open(file.c_str(), SFM_READ, &info), sf_close);
  if (!sound)
    throw FormatError(file.string(), fmt::format("is not a sound that can be read: {}", sf_strerror(nullptr)));
  if (info.frames <= 0 || info.samplerate <= 0)
    throw FormatError(file.string(), fmt::format("has {} samples at {} Hz", info.frames, info.samplerate));
  if (info.frames > kMostSamples / info.channels)
    throw FormatError(file.string(), fmt::format("claims {} samples in {} channels, of at most {} in all", info.frames,
                                                 info.channels, kMostSamples));
  if (is_cut_short(sound.get())) throw FormatError(file.string(), "is shorter than its header says");

  Audio audio;
  audio.rate_hz = info.samplerate;
  const auto channels = static_cast<std::size_t>(info.channels);
  // Piece by piece: a damaged header may claim more than the file holds.
  std::vector<float> piece(std::size_t{4096} * channels);
  for (;;) {
    const sf_count_t frames = sf_readf_float(sound.get(), piece.data(), 4096);
    if (sf_error(sound.get()) != SF_ERR_NO_ERROR)
      throw FormatError(file.string(), fmt::format("is damaged after {} of {} samples: {}", audio.samples.size(),
                                                   info.frames, sf_strerror(sound.get())));
    if (frames <= 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(frames); ++i) {
      float sum = 0.0F;
      for (std::size_t c = 0; c < channels; ++c) sum += piece[i * channels + c];
      audio.samples.push_back(sum / static_cast<float>(channels));
    }
  }
  if (static_cast<sf_count_t>(audio.samples.size()) != info.frames)
    throw FormatError(file.string(), fmt::format("ends after {} of {} samples", audio.samples.size(), info.frames));
  if (!std::all_of(audio.samples.begin(), audio.samples.end(), [](float x) { return std::isfinite(x); }))
    throw FormatError(file.string(), "holds samples that are not finite");
  return audio;
}

Audio resample(const Audio& audio, int rate_hz) {
  if (audio.rate_hz == rate_hz || audio.samples.empty()) return {rate_hz, audio.samples};
  const double ratio = static_cast<double>(rate_hz) / audio.rate_hz;
  if (src_is_valid_ratio(ratio) == 0)
    throw Error(fmt::format("[resample] cannot turn {} Hz into {} Hz", audio.rate_hz, rate_hz));
  Audio result;
  result.rate_hz = rate_hz;
  const double length = std::ceil(static_cast<double>(audio.samples.size()) * ratio);
  result.samples.resize(static_cast<std::size_t>(length));
  SRC_DATA data{};
  data.data_in = audio.samples.data();
  data.input_frames = static_cast<long>(audio.samples.size());
  data.data_out = result.samples.data();
  data.output_frames = static_cast<long>(result.samples.size());
  data.src_ratio = ratio;
  const int problem = src_simple(&data, SRC_SINC_BEST_QUALITY, 1);
  if (problem != 0) throw Error(fmt::format("[resample] {}", src_strerror(problem)));
  return result;
}

}  // namespace synfire::datasets
