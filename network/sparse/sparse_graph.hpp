#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/sparse/sparse_network.hpp"

/// The synapses of a sparse network as an engine wants them. Private to this folder: not installed.
namespace synfire::network {

/// The neurons of one population in a block. `local` is where they stand in the block's arrays: a whole number of
/// groups.
struct SparsePart {
  std::int32_t first = 0, count = 0;  ///< of the population
  std::int32_t local = 0;
};

/// Synapses of one source population that have one delay, and one weight unless each has its own. A spike of the source
/// reaches all targets of its row.
struct SparseRoute {
  int source = 0;
  int delay_ticks = 1;
  std::int32_t weight = 0;  ///< in units of the target population; 0 if `weighted`
  bool weighted = false;    ///< every synapse has its weight
  bool dense = false;       ///< every source reaches every neuron of part `dense_part`, in order
  int dense_part = 0;

  bool operator==(const SparseRoute&) const = default;
};

/// The rows of a route whose targets lie in one block.
struct SparseRows {
  std::vector<std::uint32_t> start;    ///< [sources + 1]; empty if dense
  std::vector<std::uint16_t> targets;  ///< local; empty if dense
  std::vector<std::int16_t> weights;   ///< if weighted
};

/// A share of all populations that one worker computes, and the synapses onto it.
struct SparseBlock {
  std::vector<SparsePart> parts;  ///< by population
  std::int32_t size = 0;          ///< of the block's arrays, at most 65,536
  std::vector<SparseRows> rows;   ///< by route
};

struct SparseGraph {
  std::vector<double> unit_mv;  ///< of a weight, by population
  std::vector<SparseRoute> routes;
  std::vector<SparseBlock> blocks;
  std::int64_t largest_sum = 0;  ///< that all synapses of a neuron together can reach in a tick, without the drives
};

/// Cuts the neurons into at least `num_blocks` blocks and draws the synapses: the same for any number of blocks.
SparseGraph build_sparse_graph(const SparseNetwork& network, int num_blocks);

/// A weight in units, as the graph has it.
std::int32_t weight_units(double weight_mv, double unit_mv);

}  // namespace synfire::network
