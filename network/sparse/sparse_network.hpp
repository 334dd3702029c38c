#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/config.hpp"

/// Large networks of point neurons with sparse, fixed connections and delays, as in computational neuroscience: what
/// they are. Plain data, read from a configuration; SparseRuntime runs it.
namespace synfire::network {

/// Independent Poisson trains, one for each neuron of a population: arrivals within a tick add up.
struct PoissonDrive {
  double rate_hz = 0.0;  ///< of one neuron
  double weight_mv = 0.0;
};

struct SparsePopulation {
  enum class Kind : std::uint8_t {
    lif,      ///< see SparseRuntime
    poisson,  ///< fires in a tick with probability rate dt, and has no inputs
    given     ///< fires when it is told to, and has no inputs
  };
  std::string name{};
  std::int32_t size = 0;
  Kind kind = Kind::lif;

  double tau_mem_ms = 20.0;
  double v_th_mv = 20.0;
  double v_reset_mv = 0.0;
  double v_rest_mv = 0.0;
  double v_start_mv = 0.0;
  double t_ref_ms = 2.0;
  double current_mv = 0.0;  ///< a constant current times the membrane's resistance
  std::vector<PoissonDrive> drives{};

  double rate_hz = 0.0;                                            ///< of `poisson`
  std::vector<std::pair<std::int64_t, std::int32_t>> spikes = {};  ///< of `given`: (tick from 1 on, neuron), ascending
};

/// Synapses from one population to another. Rules that draw do so for each target on its own, so that the graph does
/// not depend on who builds which part of it.
struct SparseProjection {
  enum class Rule : std::uint8_t {
    fixed_indegree,      ///< every target draws `indegree` sources
    pairwise_bernoulli,  ///< every pair is connected with `probability`
    one_to_one,          ///< populations of equal size
    all_to_all           ///<
  };
  int source = 0, target = 0;  ///< populations
  Rule rule = Rule::fixed_indegree;
  std::int32_t indegree = 0;
  double probability = 0.0;
  bool allow_multapses = true;  ///< of fixed_indegree: the same source more than once
  bool allow_autapses = true;   ///< a neuron to itself
  double weight_mv = 0.0;
  double weight_std_mv = 0.0;  ///< normal about weight_mv; 0: all are equal, and take no memory
  int delay_ticks = 1;         ///< at least 1
  int max_delay_ticks = 1;     ///< delays are uniform from delay_ticks to this
};

struct SparseNetwork {
  double dt_ms = 0.1;
  std::uint64_t seed = 1;
  double max_memory_gib = 16.0;  ///< for the synapses; a larger network is refused
  std::vector<SparsePopulation> populations{};
  std::vector<SparseProjection> projections{};

  /// \throws ConfigError or ShapeError that names the population or projection which cannot be
  void check() const;
  std::int64_t num_neurons() const;
  /// Synapses of one projection, as expected for a rule that draws their number.
  double expected_synapses(const SparseProjection& projection) const;
};

/// Reads the table [network]:
///
///     dt_ms, max_memory_gib
///     [network.lif]                   defaults of all populations: tau_mem_ms, v_th_mv, v_reset_mv, v_rest_mv,
///                                     v_start_mv, t_ref_ms, current_mv
///     [[network.populations]]         name, size, type (lif or poisson), those of lif; rate_hz of poisson
///     [[network.populations.poisson]] rate_hz, weight_mv
///     [[network.projections]]         source, targets, rule, indegree or probability, allow_multapses, allow_autapses,
///                                     weight_mv, weight_std_mv, delay_ms (one number, or lowest and highest)
///
/// Times other than time constants are whole ticks. \throws ConfigError
SparseNetwork read_sparse_network(const ConfigTable& table, std::uint64_t seed);

}  // namespace synfire::network
