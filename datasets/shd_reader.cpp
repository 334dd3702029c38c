#include "datasets/shd_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "core/hdf5_vlen_reader.hpp"

namespace synfire::datasets {

namespace {

constexpr float kMostSeconds = 4294.0F;  // 2^32 us, as for recordings of cameras
constexpr int kMostChannels = 65536;
constexpr std::int64_t kMostClasses = 65536;

/// Numbers of a one-dimensional data set that all lie in [0, end).
std::vector<std::int32_t> read_numbers(const Hdf5File& in, const std::string& file, const std::string& path,
                                       std::int64_t end) {
  const std::vector<std::int64_t> values = in.read<std::int64_t>(path);
  const auto wrong = std::find_if(values.begin(), values.end(), [&](std::int64_t v) { return v < 0 || v >= end; });
  if (wrong != values.end())
    throw FormatError(
        file, fmt::format("{}: value {} must be in 0..{}, is {}", path, wrong - values.begin(), end - 1, *wrong));
  return {values.begin(), values.end()};
}

void check_count(const std::string& file, const std::string& path, std::size_t count, std::size_t samples) {
  if (count != samples)
    throw FormatError(file,
                      fmt::format("{}: must hold one row for each of the {} labels, has {}", path, samples, count));
}

int read_num_channels(const Hdf5File& in, const std::string& file) {
  if (!in.has("extra/num_channels")) return kShdChannels;
  const std::vector<std::int64_t> value = in.read<std::int64_t>("extra/num_channels");
  if (value.size() != 1 || value[0] < 1 || value[0] > kMostChannels)
    throw FormatError(file, fmt::format("extra/num_channels: must be one number in 1..{}", kMostChannels));
  return static_cast<int>(value[0]);
}

void read_spikes(const Hdf5File& in, const std::string& file, SpikeTrainSet& set) {
  Hdf5VlenReader times(in, "spikes/times"), units(in, "spikes/units");
  check_count(file, "spikes/times", static_cast<std::size_t>(times.num_rows()), set.label.size());
  check_count(file, "spikes/units", static_cast<std::size_t>(units.num_rows()), set.label.size());
  set.samples.resize(set.label.size());
  std::vector<std::uint64_t> channels;
  for (std::int64_t row = 0; row < times.num_rows(); ++row) {
    SpikeTrain& sample = set.samples[static_cast<std::size_t>(row)];
    times.read(row, sample.t_s);
    units.read(row, channels);
    if (channels.size() != sample.t_s.size())
      throw FormatError(
          file, fmt::format("spikes/units: row {} has {} units and {} times", row, channels.size(), sample.t_s.size()));
    const auto bad_time =
        std::find_if(sample.t_s.begin(), sample.t_s.end(), [](float t) { return !(t >= 0.0F && t <= kMostSeconds); });
    if (bad_time != sample.t_s.end())
      throw FormatError(file, fmt::format("spikes/times: row {}, spike {}: {} s is not in 0..{}", row,
                                          bad_time - sample.t_s.begin(), *bad_time, kMostSeconds));
    const auto end = static_cast<std::uint64_t>(set.num_channels);
    const auto bad_unit = std::find_if(channels.begin(), channels.end(), [&](std::uint64_t c) { return c >= end; });
    if (bad_unit != channels.end())
      throw FormatError(file, fmt::format("spikes/units: row {}, spike {}: channel {} of {}", row,
                                          bad_unit - channels.begin(), *bad_unit, set.num_channels));
    sample.channel.resize(channels.size());
    std::transform(channels.begin(), channels.end(), sample.channel.begin(),
                   [](std::uint64_t c) { return static_cast<std::uint16_t>(c); });
  }
}

}  // namespace

bool is_spike_train_file(const std::filesystem::path& file) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  std::string begin(kSignature.size(), '\0');
  std::ifstream in(file, std::ios::binary);
  return in.read(begin.data(), static_cast<std::streamsize>(begin.size())) && begin == kSignature;
}

SpikeTrainSet read_shd(const std::filesystem::path& path) {
  const Hdf5File in = Hdf5File::open(path);
  const std::string file = path.string();
  SpikeTrainSet set;
  set.num_channels = read_num_channels(in, file);
  set.label = read_numbers(in, file, "labels", kMostClasses);
  if (in.has("extra/keys")) {
    set.class_names = read_texts(in, "extra/keys");
    const auto classes = std::ssize(set.class_names);
    const auto wrong = std::find_if(set.label.begin(), set.label.end(), [&](std::int32_t v) { return v >= classes; });
    if (wrong != set.label.end())
      throw FormatError(file, fmt::format("labels: value {} is {}, but extra/keys names {} classes",
                                          wrong - set.label.begin(), *wrong, classes));
  }
  set.speaker.assign(set.label.size(), 0);
  if (in.has("extra/speaker")) {
    set.speaker = read_numbers(in, file, "extra/speaker", INT32_MAX);
    check_count(file, "extra/speaker", set.speaker.size(), set.label.size());
  }
  if (in.has("extra/meta_info/name")) set.speaker_names = read_texts(in, "extra/meta_info/name");
  read_spikes(in, file, set);
  return set;
}

}  // namespace synfire::datasets
