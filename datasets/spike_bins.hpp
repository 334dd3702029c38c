#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/config.hpp"
#include "datasets/spike_trains.hpp"

/// Spike trains -> ticks of a clocked network: how often the channels of each group fired in each time bin.
namespace synfire::datasets {

struct SpikeBinConfig {
  double dt_ms = 10.0;
  int channel_group = 5;         ///< so many neighbouring channels are summed into one; the last group may be smaller
  bool binary = false;           ///< 1 where there is any spike, instead of their number
  bool from_first_spike = true;  ///< a sample begins at its first spike; otherwise at time 0 of its file
  int max_bins = 0;              ///< what comes after so many bins is left out; 0: nothing is
};

/// Reads `[spikes]`, with the keys as above. \throws ConfigError
SpikeBinConfig read_spike_bin_config(const ConfigTable& table);

/// The spikes of a sample in whole microseconds from its beginning on, in any order.
struct TimedSpikes {
  std::vector<std::int64_t> t_us;
  std::vector<std::uint16_t> channel;

  std::size_t size() const { return t_us.size(); }
};

/// Seconds to the nearest microsecond, computed in double, so that a time that is a half or a float is taken as it is.
/// `from_first_spike` sets the earliest one to 0.
void to_timed_spikes(const SpikeTrain& train, bool from_first_spike, TimedSpikes& spikes);

/// Channels of a bin: groups of `channel_group` of them.
int num_groups(int num_channels, const SpikeBinConfig& config);

/// Bins of dt from time 0 on, so many that the last spike lies in them: ceil(t_last / dt), at least one and at most
/// `max_bins`.
std::int64_t num_bins(const TimedSpikes& spikes, const SpikeBinConfig& config);

/// Counts the spikes into their bins: bin i is [i dt, (i + 1) dt), and a spike at the very end of the last one belongs
/// to it. The same as SpikingJelly's frames of fixed duration, apart from its arithmetic with 16-bit times
/// (docs/formats.md).
///
/// \param out   the groups of bin i lie at `out + i step`, for num_bins(spikes, config) bins; must be zero before
/// \param step  at least the number of groups
void bin_spikes(const TimedSpikes& spikes, const SpikeBinConfig& config, float* out, std::ptrdiff_t step);

}  // namespace synfire::datasets
