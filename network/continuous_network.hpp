#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "neurons/exact_lif.hpp"

/// Small networks in continuous time: leaky neurons solved between arrivals, no ticks. What others are measured
/// against.
namespace synfire::network {

/// A connection between two neurons, or from an input to a neuron. Several may join the same two.
struct ContinuousSynapse {
  std::uint32_t source = 0;
  std::uint32_t target = 0;
  double weight = 0.0;     ///< added to the current of the target, or to its potential for delta synapses
  std::int64_t delay = 1;  ///< in units of the clock, at least 1
};

struct ContinuousSpike {
  std::int64_t time = 0;     ///< in units of the clock
  std::uint32_t neuron = 0;  ///< or input

  auto operator<=>(const ContinuousSpike&) const = default;
};

struct ContinuousNetworkSpec {
  /// The clock: whole microseconds, or finer. A spike is rounded up to it: it is never before its cause, and late by
  /// less than one unit. In between, a neuron is solved in double from its last event.
  std::int64_t units_per_ms = 1000;
  std::vector<neurons::ExactLifConfig> neurons{};  ///< t_ref_ms is rounded to the clock
  std::uint32_t num_inputs = 0;
  std::vector<ContinuousSynapse> input_synapses{};  ///< source: input
  std::vector<ContinuousSynapse> synapses{};        ///< source: neuron
  /// That may wait at the same time: one for each spike under way and distinct delay of its synapses, and one for each
  /// prediction, also a stale one.
  std::size_t max_events = std::size_t{1} << 22;
};

/// Of all runs of a network.
struct ContinuousCounts {
  std::uint64_t synaptic_events = 0;    ///< weights that arrived
  std::uint64_t neuron_updates = 0;     ///< solutions up to an event
  std::uint64_t predictions = 0;        ///< spikes that were foreseen
  std::uint64_t stale_predictions = 0;  ///< those that an arrival overtook
};

/// Runs event by event. At one time a neuron first ends its refractory period, then takes the sum of all that arrives,
/// and then is tested once. While refractory it keeps v_reset; a current goes on to decay and to take arrivals, a delta
/// synapse is without effect.
class ContinuousNetwork {
 public:
  /// \throws ShapeError if a synapse joins what is not there or has no delay, the clock is not positive, or there are
  /// too many synapses; ConfigError for a neuron that cannot be
  explicit ContinuousNetwork(const ContinuousNetworkSpec& spec);
  ~ContinuousNetwork();
  ContinuousNetwork(ContinuousNetwork&&) noexcept;

  /// From rest at time 0 to `end`, included.
  /// \param input  of any order; those after `end` are not looked at
  /// \return       in the order of times and neurons
  /// \throws ShapeError for an input that is not there or before time 0, QueueFullError at max_events
  std::vector<ContinuousSpike> run(std::span<const ContinuousSpike> input, std::int64_t end);

  const ContinuousCounts& counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synfire::network
