#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/function_ref.hpp"
#include "network/sparse/sparse_network.hpp"

namespace synfire::network {

/// What a run took, since the runtime was made.
struct SparseCounts {
  std::uint64_t spikes = 0;
  std::uint64_t synaptic_events = 0;  ///< weights that spikes of the network added
  std::uint64_t drive_events = 0;     ///< arrivals from Poisson drives
  std::uint64_t neuron_updates = 0;   ///< ticks of LIF neurons

  bool operator==(const SparseCounts&) const = default;
};

struct SparseSynapse {
  std::int32_t source = 0, target = 0;  ///< in their populations
  int source_population = 0, target_population = 0;
  int delay_ticks = 0;
  double weight_mv = 0.0;

  auto operator<=>(const SparseSynapse&) const = default;
};

/// Runs a sparse network on a grid of ticks. In tick t a LIF neuron that is not refractory does
///
///     h = v_rest + exp(-dt/tau) (v - v_rest) + (1 - exp(-dt/tau)) current + all weights that arrive in tick t
///     s = 1 if h >= v_th else 0,   v = v_reset if s else h
///
/// and one that fired in tick t stays at v_reset, without input, in the t_ref / dt ticks after it. A spike of tick t
/// arrives in tick t + delay. This is the order of NEST's iaf_psc_delta [Rotter1999].
///
/// The spikes are the same for any number of threads (docs/numerics.md). Memory: 2 bytes for a synapse, 4 if it has a
/// weight of its own, 4 for a row of each source, delay and worker, 10 for a neuron, and in flight at most 4 bytes for
/// every neuron and tick of the longest delay.
class SparseRuntime {
 public:
  /// Draws the graph, for `num_threads()` workers.
  /// \throws ShapeError as SparseNetwork::check, or if a tick could bring more than 2^31 units of weight to a neuron
  explicit SparseRuntime(const SparseNetwork& network);
  ~SparseRuntime();
  SparseRuntime(SparseRuntime&&) noexcept;

  /// Called for every tick in order, with the neurons that fired, ascending. Neurons are numbered over all populations.
  using Sink = FunctionRef<void(std::int64_t tick, std::span<const std::int32_t> neurons)>;

  /// Runs `ticks` more ticks. Ticks count from 1.
  void run(std::int64_t ticks, Sink sink);

  std::int64_t now() const;  ///< the last tick
  SparseCounts counts() const;
  std::size_t num_synapses() const;
  std::size_t synapse_bytes() const;
  /// The membrane potential after the last tick, by number over all populations; v_reset of a refractory neuron.
  double membrane_mv(std::int32_t neuron) const;
  /// All of them, in no particular order: for tests and small networks.
  std::vector<SparseSynapse> synapses() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synfire::network
