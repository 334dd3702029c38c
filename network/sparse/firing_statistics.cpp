#include "network/sparse/firing_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace synfire::network {

namespace {

constexpr double kBinMs = 1.0;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

}  // namespace

FiringStatistics::FiringStatistics(const SparseNetwork& network, std::int64_t first_tick)
    : dt_ms_(network.dt_ms),
      first_tick_(first_tick),
      bin_ticks_(std::max<std::int64_t>(1, std::llround(kBinMs / network.dt_ms))),
      intervals_(static_cast<std::size_t>(network.num_neurons())) {
  std::int32_t first = 0;
  for (const SparsePopulation& population : network.populations) {
    groups_.push_back({population.name, first, first + population.size});
    first += population.size;
  }
  if (groups_.size() > 1) groups_.push_back({"all", 0, first});
}

void FiringStatistics::add(std::int64_t tick, std::span<const std::int32_t> neurons) {
  if (tick < first_tick_) return;
  for (Group& group : groups_) {
    const auto begin = std::lower_bound(neurons.begin(), neurons.end(), group.first);
    const auto count = static_cast<std::uint64_t>(std::lower_bound(begin, neurons.end(), group.last) - begin);
    group.spikes += count;
    group.bin += static_cast<double>(count);
  }
  for (const std::int32_t neuron : neurons) {
    Intervals& intervals = intervals_[static_cast<std::size_t>(neuron)];
    if (intervals.last > 0) {
      const std::int64_t interval = tick - intervals.last;
      ++intervals.count;
      intervals.sum += interval;
      intervals.sum_squares += interval * interval;
    }
    intervals.last = tick;
  }
  if (++num_ticks_ % bin_ticks_ == 0) {
    ++num_bins_;
    for (Group& group : groups_) {
      group.bin_sum += group.bin;
      group.bin_squares += group.bin * group.bin;
      group.bin = 0.0;
    }
  }
}

std::vector<FiringSummary> FiringStatistics::summaries() const {
  std::vector<FiringSummary> result;
  for (const Group& group : groups_) {
    FiringSummary summary{group.name, group.last - group.first, group.spikes};
    const double seconds = static_cast<double>(num_ticks_) * dt_ms_ * 1e-3;
    if (num_ticks_ > 0)
      summary.rate_hz = static_cast<double>(group.spikes) / static_cast<double>(summary.neurons) / seconds;
    double cv = 0.0;
    std::int64_t counted = 0;
    for (std::int32_t i = group.first; i < group.last; ++i) {
      const Intervals& intervals = intervals_[static_cast<std::size_t>(i)];
      if (intervals.count < 2) continue;
      const double mean = static_cast<double>(intervals.sum) / static_cast<double>(intervals.count);
      const double square = static_cast<double>(intervals.sum_squares) / static_cast<double>(intervals.count);
      cv += std::sqrt(std::max(0.0, square - mean * mean)) / mean;
      ++counted;
    }
    summary.cv_isi = counted > 0 ? cv / static_cast<double>(counted) : kUnknown;
    const double bins = static_cast<double>(num_bins_);
    const double mean = group.bin_sum / bins;
    summary.count_variance = group.bin_sum > 0.0 ? (group.bin_squares / bins - mean * mean) / mean : kUnknown;
    result.push_back(summary);
  }
  return result;
}

}  // namespace synfire::network
