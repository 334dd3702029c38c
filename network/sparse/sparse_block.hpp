#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "network/sparse/poisson_table.hpp"
#include "network/sparse/sparse_graph.hpp"
#include "network/sparse/sparse_runtime.hpp"

/// The ticks of one block of neurons. Private to this folder: not installed.
namespace synfire::network {

/// The spikes of one tick, by population.
template <class Id>
struct TickSpikes {
  std::vector<Id> ids;
  std::vector<std::uint32_t> end;  ///< [populations]

  std::span<const Id> of(std::size_t population) const {
    const std::uint32_t begin = population == 0 ? 0 : end[population - 1];
    return {ids.data() + begin, end[population] - begin};
  }
  void clear() {
    ids.clear();
    end.clear();
  }
};

/// The spikes of the last ticks: of tick t at t mod the size. Numbers within the population, ascending.
class SpikeHistory {
 public:
  SpikeHistory(std::size_t num_ticks, std::size_t num_populations) : slots_(num_ticks) {
    for (auto& slot : slots_) slot.end.assign(num_populations, 0);
  }
  TickSpikes<std::int32_t>& at(std::int64_t tick) { return slots_[static_cast<std::size_t>(tick) % slots_.size()]; }
  const TickSpikes<std::int32_t>& at(std::int64_t tick) const {
    return slots_[static_cast<std::size_t>(tick) % slots_.size()];
  }

 private:
  std::vector<TickSpikes<std::int32_t>> slots_;
};

/// What is the same for all neurons of a population.
struct SparseDynamics {
  struct Drive {
    PoissonTable table;
    std::int32_t weight;   ///< in units
    std::uint32_t stream;  ///< of random numbers
  };
  explicit SparseDynamics(const SparsePopulation& population, double dt_ms, double unit_mv);

  SparsePopulation::Kind kind;
  float decay, drift, unit;      ///< per tick
  float v_th, v_reset, v_start;  ///< above v_rest
  int refractory_ticks;
  std::vector<Drive> drives{};
  std::uint64_t rate_threshold = 0;  ///< of `poisson`: fires if a word lies below
  std::uint32_t stream = 0;
};

/// Membranes and sums of a block. `Sum` holds every sum of weights that a tick can bring.
class SparseBlockState {
 public:
  virtual ~SparseBlockState() = default;
  /// Runs ticks that bring no spike of their own back: no delay is shorter than `ticks`.
  virtual void run(std::int64_t first_tick, int ticks, const SpikeHistory& history) = 0;
  /// Of the ticks of the last run: local numbers.
  virtual const TickSpikes<std::uint16_t>& fired(std::int64_t tick) const = 0;
  virtual const SparseCounts& counts() const = 0;
  /// Above v_rest; minus infinity for a refractory neuron.
  virtual float membrane(std::int32_t local) const = 0;
};

/// \param wide  whether sums need 32 bits rather than 16
std::unique_ptr<SparseBlockState> make_block_state(const SparseNetwork& network, const SparseGraph& graph,
                                                   const std::vector<SparseDynamics>& dynamics, std::size_t block,
                                                   int window_ticks, bool wide);

}  // namespace synfire::network
