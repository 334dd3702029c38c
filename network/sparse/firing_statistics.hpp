#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "network/sparse/sparse_network.hpp"

namespace synfire::network {

/// How a population fires.
struct FiringSummary {
  std::string name;
  std::int64_t neurons = 0;
  std::uint64_t spikes = 0;
  double rate_hz = 0.0;
  double cv_isi = 0.0;  ///< mean over the neurons with two intervals or more; NaN without any
  double count_variance =
      0.0;  ///< variance over mean of the counts in bins of 1 ms; 1 if independent; NaN without spikes
};

/// Gathers the spikes of a run as they come, from tick `first_tick` on.
class FiringStatistics {
 public:
  FiringStatistics(const SparseNetwork& network, std::int64_t first_tick);

  /// Every tick in order, neurons as SparseRuntime::Sink has them.
  void add(std::int64_t tick, std::span<const std::int32_t> neurons);
  /// Of each population, then of all neurons together if there is more than one population.
  std::vector<FiringSummary> summaries() const;

 private:
  struct Intervals {
    std::int64_t last = 0;  ///< tick of the last spike; 0: none yet
    std::int64_t count = 0, sum = 0, sum_squares = 0;
  };
  struct Group {
    std::string name;
    std::int32_t first = 0, last = 0;  ///< neurons
    std::uint64_t spikes = 0;
    double bin = 0.0, bin_sum = 0.0, bin_squares = 0.0;
  };

  double dt_ms_;
  std::int64_t first_tick_, bin_ticks_;
  std::int64_t num_ticks_ = 0, num_bins_ = 0;
  std::vector<Group> groups_;
  std::vector<Intervals> intervals_;
};

}  // namespace synfire::network
