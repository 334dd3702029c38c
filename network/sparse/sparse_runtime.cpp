#include "network/sparse/sparse_runtime.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "network/sparse/sparse_block.hpp"
#include "network/sparse/synapse_draws.hpp"

namespace synfire::network {

namespace {

/// Ticks between two exchanges of spikes when nothing limits them.
constexpr int kLongestWindow = 256;

}  // namespace

struct SparseRuntime::Impl {
  explicit Impl(SparseNetwork description)
      : network(std::move(description)), graph(build_sparse_graph(network, num_threads())) {
    std::size_t num_drives = 0;
    std::int64_t largest_drive = 0;
    for (std::size_t p = 0; p < network.populations.size(); ++p) {
      SparseDynamics& mine = dynamics.emplace_back(network.populations[p], network.dt_ms, graph.unit_mv[p]);
      mine.stream = stream_of(SparseStream::poisson, p);
      std::int64_t sum = 0;
      for (SparseDynamics::Drive& drive : mine.drives) {
        drive.stream = stream_of(SparseStream::drive, num_drives++);
        sum += std::abs(std::int64_t{drive.weight}) * drive.table.max_count();
      }
      largest_drive = std::max(largest_drive, sum);
      first_neuron.push_back(first_neuron.back() + network.populations[p].size);
    }
    const std::int64_t largest = graph.largest_sum + largest_drive;
    if (largest > std::numeric_limits<std::int32_t>::max())
      throw ShapeError(
          fmt::format("[sparse network] a tick could bring {} units of weight to a neuron, more than 2^31", largest));
    int longest = 0;
    for (const SparseRoute& route : graph.routes) {
      longest = std::max(longest, route.delay_ticks);
      window = std::min(window, route.delay_ticks);
    }
    history = SpikeHistory(static_cast<std::size_t>(longest + window), network.populations.size());
    for (std::size_t b = 0; b < graph.blocks.size(); ++b) {
      blocks.push_back(
          make_block_state(network, graph, dynamics, b, window, largest > std::numeric_limits<std::int16_t>::max()));
    }
  }

  /// Spikes of all blocks, in the order of populations and neurons.
  void gather(std::int64_t tick) {
    TickSpikes<std::int32_t>& all = history.at(tick);
    all.clear();
    fired.clear();
    for (std::size_t p = 0; p < network.populations.size(); ++p) {
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        const SparsePart& part = graph.blocks[b].parts[p];
        for (const std::uint16_t local : blocks[b]->fired(tick).of(p)) {
          all.ids.push_back(part.first + local - part.local);
          fired.push_back(first_neuron[p] + all.ids.back());
        }
      }
      all.end.push_back(static_cast<std::uint32_t>(all.ids.size()));
    }
  }

  const SparseNetwork network;
  const SparseGraph graph;
  std::vector<SparseDynamics> dynamics;
  std::vector<std::int32_t> first_neuron{0};
  int window = kLongestWindow;  ///< no spike acts sooner: blocks exchange theirs once in so many ticks
  SpikeHistory history{1, 0};
  std::vector<std::unique_ptr<SparseBlockState>> blocks;
  std::vector<std::int32_t> fired;
  std::int64_t now = 0;
};

SparseRuntime::SparseRuntime(const SparseNetwork& network) : impl_(std::make_unique<Impl>(network)) {}
SparseRuntime::~SparseRuntime() = default;
SparseRuntime::SparseRuntime(SparseRuntime&&) noexcept = default;

void SparseRuntime::run(std::int64_t ticks, Sink sink) {
  Impl& impl = *impl_;
  if (ticks < 0 || impl.now + ticks > std::numeric_limits<std::uint32_t>::max())
    throw ShapeError(fmt::format("[sparse network] a run has up to 2^32 ticks, got {} more", ticks));
  for (const std::int64_t end = impl.now + ticks; impl.now < end;) {
    const std::int64_t first = impl.now + 1;
    const auto length = static_cast<int>(std::min<std::int64_t>(impl.window, end - impl.now));
    parallel_for(static_cast<std::ptrdiff_t>(impl.blocks.size()), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t last) {
      for (std::ptrdiff_t b = begin; b < last; ++b)
        impl.blocks[static_cast<std::size_t>(b)]->run(first, length, impl.history);
    });
    for (; impl.now < first + length - 1;) {
      impl.gather(++impl.now);
      sink(impl.now, impl.fired);
    }
  }
}

std::int64_t SparseRuntime::now() const { return impl_->now; }

SparseCounts SparseRuntime::counts() const {
  SparseCounts sum;
  for (const auto& block : impl_->blocks) {
    sum.spikes += block->counts().spikes;
    sum.synaptic_events += block->counts().synaptic_events;
    sum.drive_events += block->counts().drive_events;
    sum.neuron_updates += block->counts().neuron_updates;
  }
  return sum;
}

std::size_t SparseRuntime::num_synapses() const {
  std::size_t count = 0;
  for (const SparseBlock& block : impl_->graph.blocks)
    for (const SparseRows& rows : block.rows) count += rows.start.empty() ? rows.weights.size() : rows.targets.size();
  return count;
}

std::size_t SparseRuntime::synapse_bytes() const {
  std::size_t bytes = 0;
  for (const SparseBlock& block : impl_->graph.blocks)
    for (const SparseRows& rows : block.rows)
      bytes += rows.start.size() * sizeof(rows.start[0]) + rows.targets.size() * sizeof(rows.targets[0]) +
               rows.weights.size() * sizeof(rows.weights[0]);
  return bytes;
}

double SparseRuntime::membrane_mv(std::int32_t neuron) const {
  const Impl& impl = *impl_;
  if (neuron < 0 || neuron >= impl.first_neuron.back())
    throw ShapeError(fmt::format("[membrane_mv] neurons are 0 to {}, got {}", impl.first_neuron.back() - 1, neuron));
  const auto after = std::upper_bound(impl.first_neuron.begin(), impl.first_neuron.end(), neuron);
  const auto p = static_cast<std::size_t>(after - impl.first_neuron.begin()) - 1;
  const std::int32_t index = neuron - impl.first_neuron[p];
  for (std::size_t b = 0; b < impl.blocks.size(); ++b) {
    const SparsePart& part = impl.graph.blocks[b].parts[p];
    if (index < part.first || index >= part.first + part.count) continue;
    const float v = impl.blocks[b]->membrane(part.local + index - part.first);
    return std::isinf(v) ? impl.network.populations[p].v_reset_mv : v + impl.network.populations[p].v_rest_mv;
  }
  return 0.0;
}

std::vector<SparseSynapse> SparseRuntime::synapses() const {
  const SparseGraph& graph = impl_->graph;
  std::vector<SparseSynapse> result;
  for (const SparseBlock& block : graph.blocks) {
    const auto add = [&](const SparseRoute& route, std::int32_t source, std::int32_t local, std::int32_t units) {
      std::size_t p = 0;
      while (local >= block.parts[p].local + block.parts[p].count) ++p;
      result.push_back({source, block.parts[p].first + local - block.parts[p].local, route.source, static_cast<int>(p),
                        route.delay_ticks, units * graph.unit_mv[p]});
    };
    for (std::size_t r = 0; r < graph.routes.size(); ++r) {
      const SparseRoute& route = graph.routes[r];
      const SparseRows& rows = block.rows[r];
      for (std::int32_t s = 0; s < impl_->network.populations[static_cast<std::size_t>(route.source)].size; ++s) {
        if (route.dense) {
          const SparsePart& part = block.parts[static_cast<std::size_t>(route.dense_part)];
          for (std::int32_t i = 0; i < part.count; ++i)
            add(route, s, part.local + i,
                rows.weights[static_cast<std::size_t>(s) * static_cast<std::size_t>(part.count) +
                             static_cast<std::size_t>(i)]);
          continue;
        }
        for (std::uint32_t i = rows.start[static_cast<std::size_t>(s)]; i < rows.start[static_cast<std::size_t>(s) + 1];
             ++i)
          add(route, s, rows.targets[i], route.weighted ? rows.weights[i] : route.weight);
      }
    }
  }
  return result;
}

}  // namespace synfire::network
