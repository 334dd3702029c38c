#include "network/sparse/sparse_graph.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "network/sparse/lanes8.hpp"
#include "network/sparse/synapse_draws.hpp"

namespace synfire::network {

namespace {

constexpr std::int32_t kMostInBlock = 65536;           // what a 16-bit index reaches
constexpr double kMostUnits = 32767.0;                 // of a weight
constexpr double kMostDeviations = 8.6;                // RandomStream::normal goes no further
constexpr std::size_t kMostRowStarts = 0x7FFFFFFFULL;  // synapses of a route in a block

/// The weight of which all others are whole multiples, or else a power of two that leaves the largest 15 bits.
double common_unit(const std::vector<double>& weights_mv, bool any_drawn) {
  double smallest = 0.0, largest = 0.0;
  for (const double w : weights_mv) {
    const double size = std::abs(w);
    if (size == 0.0) continue;
    smallest = smallest == 0.0 ? size : std::min(smallest, size);
    largest = std::max(largest, size);
  }
  if (largest == 0.0) return 1.0;
  // Weights that were written as decimal fractions are such multiples up to rounding.
  constexpr double kRounding = 1e-12;
  constexpr int kMostParts = 1000;
  for (int parts = 1; !any_drawn && parts <= kMostParts; ++parts) {
    const double unit = smallest / parts;
    if (largest > unit * kMostUnits) break;
    const auto fits = [&](double w) {
      return std::abs(w / unit - std::round(w / unit)) <= kRounding * std::abs(w / unit);
    };
    if (std::all_of(weights_mv.begin(), weights_mv.end(), fits)) return unit;
  }
  double unit = std::exp2(std::ceil(std::log2(largest / kMostUnits)));
  while (largest > unit * kMostUnits) unit *= 2.0;
  return unit;
}

std::vector<double> find_units(const SparseNetwork& network) {
  std::vector<double> units;
  for (std::size_t p = 0; p < network.populations.size(); ++p) {
    std::vector<double> weights;
    bool any_drawn = false;
    for (const PoissonDrive& drive : network.populations[p].drives) weights.push_back(drive.weight_mv);
    for (const SparseProjection& projection : network.projections) {
      if (projection.target != static_cast<int>(p)) continue;
      any_drawn = any_drawn || projection.weight_std_mv > 0.0;
      weights.push_back(std::abs(projection.weight_mv) + kMostDeviations * projection.weight_std_mv);
    }
    units.push_back(common_unit(weights, any_drawn));
  }
  return units;
}

/// Where block `block` of `num_blocks` begins in a population: at a whole number of groups.
std::int32_t cut(std::int32_t size, std::ptrdiff_t block, std::ptrdiff_t num_blocks) {
  const std::int64_t groups = (size + kGroup - 1) / kGroup;
  return static_cast<std::int32_t>(std::min<std::int64_t>(size, groups * block / num_blocks * kGroup));
}

std::vector<SparseBlock> cut_blocks(const SparseNetwork& network, int num_blocks) {
  const std::size_t padded = static_cast<std::size_t>(network.num_neurons()) + kGroup * network.populations.size();
  if (network.populations.size() * kGroup > kMostInBlock)
    throw ShapeError(fmt::format("[sparse network] has {} populations, more than {}", network.populations.size(),
                                 kMostInBlock / kGroup));
  for (std::ptrdiff_t count = std::max<std::ptrdiff_t>(num_blocks, static_cast<std::ptrdiff_t>(padded) / kMostInBlock);;
       ++count) {
    std::vector<SparseBlock> blocks(static_cast<std::size_t>(std::max<std::ptrdiff_t>(1, count)));
    const auto total = static_cast<std::ptrdiff_t>(blocks.size());
    bool fits = true;
    for (std::ptrdiff_t b = 0; b < total; ++b) {
      SparseBlock& block = blocks[static_cast<std::size_t>(b)];
      std::int64_t local = 0;
      for (const SparsePopulation& population : network.populations) {
        const std::int32_t begin = cut(population.size, b, total), end = cut(population.size, b + 1, total);
        block.parts.push_back(
            {begin, end - begin, static_cast<std::int32_t>(std::min<std::int64_t>(local, kMostInBlock))});
        local += (end - begin + kGroup - 1) / kGroup * kGroup;
      }
      fits = fits && local <= kMostInBlock;
      block.size = static_cast<std::int32_t>(std::min<std::int64_t>(local, kMostInBlock));
    }
    if (fits) return blocks;
  }
}

/// The routes of a projection, by delay from the shortest on.
using RouteNumbers = std::vector<std::size_t>;

std::vector<RouteNumbers> find_routes(const SparseNetwork& network, SparseGraph& graph) {
  std::vector<RouteNumbers> numbers;
  for (const SparseProjection& p : network.projections) {
    RouteNumbers& mine = numbers.emplace_back();
    for (int delay = p.delay_ticks; delay <= p.max_delay_ticks; ++delay) {
      SparseRoute route{p.source, delay, 0, p.weight_std_mv > 0.0, false, 0};
      if (!route.weighted) route.weight = weight_units(p.weight_mv, graph.unit_mv[static_cast<std::size_t>(p.target)]);
      if (route.weighted && p.rule == SparseProjection::Rule::all_to_all && p.delay_ticks == p.max_delay_ticks &&
          (p.allow_autapses || p.source != p.target)) {
        route.dense = true;
        route.dense_part = p.target;
      }
      // Two dense projections between the same populations are two routes.
      const auto found = route.dense ? graph.routes.end() : std::find(graph.routes.begin(), graph.routes.end(), route);
      mine.push_back(static_cast<std::size_t>(found - graph.routes.begin()));
      if (found == graph.routes.end()) graph.routes.push_back(route);
    }
  }
  return numbers;
}

class BlockBuilder {
 public:
  BlockBuilder(const SparseNetwork& network, const SparseGraph& graph, const std::vector<RouteNumbers>& numbers,
               SparseBlock& block)
      : network_(network), graph_(graph), numbers_(numbers), block_(block) {}

  /// \return  the largest sum of a neuron's weights
  std::int64_t build() {
    block_.rows.resize(graph_.routes.size());
    for (std::size_t r = 0; r < graph_.routes.size(); ++r) {
      if (!graph_.routes[r].dense) block_.rows[r].start.assign(sources(graph_.routes[r]) + 1, 0);
    }
    // Drawn twice, to be counted and to be stored: that takes no memory beside the rows.
    for (std::size_t p = 0; p < network_.projections.size(); ++p) {
      if (graph_.routes[numbers_[p][0]].dense) continue;
      visit(p, [&](SparseRows& rows, std::int32_t source, std::int32_t, std::int32_t, std::uint32_t) {
        ++rows.start[static_cast<std::size_t>(source) + 1];
      });
    }
    for (std::size_t r = 0; r < graph_.routes.size(); ++r) {
      SparseRows& rows = block_.rows[r];
      if (graph_.routes[r].dense) continue;
      std::uint64_t total = 0;
      for (std::uint32_t& start : rows.start) start = static_cast<std::uint32_t>(total += start);
      if (total > kMostRowStarts)
        throw ShapeError("[sparse network] more than 2^31 synapses of one delay in a block: use more threads");
      rows.targets.resize(total);
      if (graph_.routes[r].weighted) rows.weights.resize(total);
    }
    sums_.assign(static_cast<std::size_t>(block_.size), 0);
    for (std::size_t p = 0; p < network_.projections.size(); ++p) fill(p);
    for (SparseRows& rows : block_.rows) {
      // Filling has moved each start to the next one's place.
      for (std::size_t i = rows.start.size(); i-- > 1;) rows.start[i] = rows.start[i - 1];
      if (!rows.start.empty()) rows.start[0] = 0;
    }
    return sums_.empty() ? 0 : *std::max_element(sums_.begin(), sums_.end());
  }

 private:
  std::size_t sources(const SparseRoute& route) const {
    return static_cast<std::size_t>(network_.populations[static_cast<std::size_t>(route.source)].size);
  }

  template <class Visit>
  void visit(std::size_t p, const Visit& body) {
    const SparseProjection& projection = network_.projections[p];
    const SparsePart& part = block_.parts[static_cast<std::size_t>(projection.target)];
    SynapseDraws draws(network_, p);
    for (std::int32_t i = 0; i < part.count; ++i) {
      draws.of_target(part.first + i, [&](std::int32_t source, int delay, std::uint32_t draw) {
        const std::size_t route = numbers_[p][static_cast<std::size_t>(delay - projection.delay_ticks)];
        body(block_.rows[route], source, part.first + i, part.local + i, draw);
      });
    }
  }

  void fill(std::size_t p) {
    const SparseRoute& route = graph_.routes[numbers_[p][0]];
    const SparseProjection& projection = network_.projections[p];
    const auto target_population = static_cast<std::size_t>(projection.target);
    const SynapseDraws draws(network_, p);
    const double unit = graph_.unit_mv[target_population];
    const auto units_of = [&](std::int32_t target, std::uint32_t draw, std::int32_t local) {
      const std::int32_t units = route.weighted ? weight_units(draws.weight_mv(target, draw), unit) : route.weight;
      sums_[static_cast<std::size_t>(local)] += std::abs(units);
      return static_cast<std::int16_t>(units);
    };
    if (route.dense) {
      const SparsePart& part = block_.parts[target_population];
      SparseRows& rows = block_.rows[numbers_[p][0]];
      rows.weights.resize(sources(route) * static_cast<std::size_t>(part.count));
      std::size_t at = 0;
      for (std::uint32_t source = 0; source < sources(route); ++source)
        for (std::int32_t i = 0; i < part.count; ++i)
          rows.weights[at++] = units_of(part.first + i, source, part.local + i);
      return;
    }
    visit(p, [&](SparseRows& rows, std::int32_t source, std::int32_t target, std::int32_t local, std::uint32_t draw) {
      const std::uint32_t at = rows.start[static_cast<std::size_t>(source)]++;
      rows.targets[at] = static_cast<std::uint16_t>(local);
      const std::int16_t units = units_of(target, draw, local);
      if (route.weighted) rows.weights[at] = units;
    });
  }

  const SparseNetwork& network_;
  const SparseGraph& graph_;
  const std::vector<RouteNumbers>& numbers_;
  SparseBlock& block_;
  std::vector<std::int64_t> sums_;  ///< of the sizes of all weights, by local neuron
};

}  // namespace

std::int32_t weight_units(double weight_mv, double unit_mv) {
  return static_cast<std::int32_t>(std::lround(weight_mv / unit_mv));
}

SparseGraph build_sparse_graph(const SparseNetwork& network, int num_blocks) {
  network.check();
  SparseGraph graph;
  graph.unit_mv = find_units(network);
  const std::vector<RouteNumbers> numbers = find_routes(network, graph);
  graph.blocks = cut_blocks(network, num_blocks);
  std::vector<std::int64_t> sums(graph.blocks.size());
  parallel_for(static_cast<std::ptrdiff_t>(graph.blocks.size()), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (auto b = static_cast<std::size_t>(begin); b < static_cast<std::size_t>(end); ++b)
      sums[b] = BlockBuilder(network, graph, numbers, graph.blocks[b]).build();
  });
  graph.largest_sum = *std::max_element(sums.begin(), sums.end());
  return graph;
}

}  // namespace synfire::network
