#include "datasets/shd_writer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/half.hpp"
#include "core/hdf5_file.hpp"
#include "core/hdf5_vlen.hpp"

namespace synfire::datasets {

namespace {

constexpr float kMostSeconds = 65504.0F;  // the largest half

void check_sample(const SpikeTrainSet& set, std::size_t i) {
  const SpikeTrain& sample = set.samples[i];
  if (sample.t_s.size() != sample.channel.size())
    throw ShapeError(fmt::format("[write_shd] sample {}: times and channels must be equally many, got {} and {}", i,
                                 sample.t_s.size(), sample.channel.size()));
  for (std::size_t k = 0; k < sample.t_s.size(); ++k) {
    if (!(sample.t_s[k] >= 0.0F && sample.t_s[k] <= kMostSeconds))
      throw Error(fmt::format("[write_shd] sample {}: spike {} is at {} s, which a half from 0 on cannot hold", i, k,
                              sample.t_s[k]));
    if (sample.channel[k] >= set.num_channels)
      throw Error(fmt::format("[write_shd] sample {}: spike {} is on channel {}, of {}", i, k, sample.channel[k],
                              set.num_channels));
    if (k > 0 && (sample.t_s[k] < sample.t_s[k - 1] ||
                  (sample.t_s[k] == sample.t_s[k - 1] && sample.channel[k] < sample.channel[k - 1])))
      throw Error(fmt::format("[write_shd] sample {}: spike {} comes before its predecessor", i, k));
  }
}

/// Everything is checked before the first byte is written.
void check_set(const SpikeTrainSet& set) {
  if (set.label.size() != set.samples.size() || set.speaker.size() != set.samples.size())
    throw ShapeError(fmt::format("[write_shd] samples, labels and speakers must be equally many, got {}, {} and {}",
                                 set.samples.size(), set.label.size(), set.speaker.size()));
  for (std::size_t i = 0; i < set.samples.size(); ++i) {
    check_sample(set, i);
    if (set.label[i] < 0 || static_cast<std::size_t>(set.label[i]) >= set.class_names.size())
      throw Error(fmt::format("[write_shd] sample {}: label {} is none of {} classes", i, set.label[i],
                              set.class_names.size()));
    if (set.speaker[i] < 0 || set.speaker[i] > std::numeric_limits<std::uint16_t>::max())
      throw Error(fmt::format("[write_shd] sample {}: speaker {} does not fit into 16 bits", i, set.speaker[i]));
  }
}

void write_spikes(Hdf5File& out, const SpikeTrainSet& set) {
  constexpr std::size_t kRowsAtOnce = 256;  // bounds the memory that the halves take
  std::vector<std::vector<Half>> times(std::min(kRowsAtOnce, set.samples.size()));
  std::vector<std::span<const Half>> time_rows;
  std::vector<std::span<const std::uint16_t>> unit_rows;
  std::size_t begin = 0;
  do {
    const std::size_t end = std::min(begin + kRowsAtOnce, set.samples.size());
    time_rows.clear();
    unit_rows.clear();
    for (std::size_t i = begin; i < end; ++i) {
      const SpikeTrain& sample = set.samples[i];
      std::vector<Half>& row = times[i - begin];
      row.resize(sample.t_s.size());
      std::transform(sample.t_s.begin(), sample.t_s.end(), row.begin(), to_half);
      time_rows.emplace_back(row);
      unit_rows.emplace_back(sample.channel);
    }
    append_rows<Half>(out, "spikes/times", time_rows);
    append_rows<std::uint16_t>(out, "spikes/units", unit_rows);
    begin = end;
  } while (begin < set.samples.size());
}

}  // namespace

void write_shd(const std::filesystem::path& file, const SpikeTrainSet& set) {
  check_set(set);
  Hdf5File out = Hdf5File::create(file);
  write_spikes(out, set);
  const auto count = static_cast<std::ptrdiff_t>(set.samples.size());
  const std::vector<std::int64_t> labels(set.label.begin(), set.label.end());
  out.write<std::int64_t>("labels", labels, {count});
  std::vector<std::uint16_t> speakers(set.speaker.size());
  std::transform(set.speaker.begin(), set.speaker.end(), speakers.begin(),
                 [](std::int32_t speaker) { return static_cast<std::uint16_t>(speaker); });
  out.write<std::uint16_t>("extra/speaker", speakers, {count});
  write_texts(out, "extra/keys", set.class_names);
  const std::int32_t channels = set.num_channels;
  out.write<std::int32_t>("extra/num_channels", {&channels, 1}, {});
  write_texts(out, "extra/meta_info/name", set.speaker_names);
  out.commit();
}

}  // namespace synfire::datasets
