#include "network/sparse/sparse_block.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "network/sparse/lanes8.hpp"
#include "network/sparse/synapse_draws.hpp"

namespace synfire::network {

SparseDynamics::SparseDynamics(const SparsePopulation& population, double dt_ms, double unit_mv)
    : kind(population.kind),
      decay(static_cast<float>(std::exp(-dt_ms / population.tau_mem_ms))),
      drift(static_cast<float>(-std::expm1(-dt_ms / population.tau_mem_ms) * population.current_mv)),
      unit(static_cast<float>(unit_mv)),
      v_th(static_cast<float>(population.v_th_mv - population.v_rest_mv)),
      v_reset(static_cast<float>(population.v_reset_mv - population.v_rest_mv)),
      v_start(static_cast<float>(population.v_start_mv - population.v_rest_mv)),
      refractory_ticks(static_cast<int>(std::lround(population.t_ref_ms / dt_ms))) {
  if (kind == SparsePopulation::Kind::poisson)
    rate_threshold = static_cast<std::uint64_t>(std::llround(population.rate_hz * dt_ms * 1e-3 * 0x1p32));
  for (const PoissonDrive& drive : population.drives) {
    drives.push_back({PoissonTable(drive.rate_hz * dt_ms * 1e-3), weight_units(drive.weight_mv, unit_mv), 0});
  }
}

namespace {

/// A refractory neuron: no input lifts it, so it needs neither a counter nor a test.
constexpr float kRefractory = -std::numeric_limits<float>::infinity();
constexpr std::size_t kPrefetchAhead = 4;  // rows; bench/brunel.cpp
constexpr std::size_t kPrefetchLines = 4;  // of a row, until the processor knows where it goes on
constexpr std::size_t kLineTargets = 32;

template <class Sum>
class BlockState final : public SparseBlockState {
 public:
  BlockState(const SparseNetwork& network, const SparseGraph& graph, const std::vector<SparseDynamics>& dynamics,
             std::size_t block, int window_ticks)
      : network_(network), routes_(graph.routes), block_(graph.blocks[block]), dynamics_(dynamics) {
    v_.assign(static_cast<std::size_t>(block_.size), kRefractory);
    sums_.assign(static_cast<std::size_t>(block_.size), 0);
    int longest = 0;
    for (std::size_t p = 0; p < block_.parts.size(); ++p) {
      const SparsePart& part = block_.parts[p];
      longest = std::max(longest, dynamics[p].refractory_ticks);
      if (dynamics[p].kind == SparsePopulation::Kind::lif)
        std::fill_n(v_.begin() + part.local, part.count, dynamics[p].v_start);
    }
    fired_.resize(static_cast<std::size_t>(longest + window_ticks) + 1);
    for (auto& slot : fired_) slot.end.assign(block_.parts.size(), 0);
  }

  void run(std::int64_t first_tick, int ticks, const SpikeHistory& history) override {
    for (std::int64_t tick = first_tick; tick < first_tick + ticks; ++tick) {
      for (std::size_t r = 0; r < routes_.size(); ++r) {
        const std::int64_t sent = tick - routes_[r].delay_ticks;
        if (sent > 0) deliver(r, history.at(sent).of(static_cast<std::size_t>(routes_[r].source)));
      }
      TickSpikes<std::uint16_t>& fired = slot(tick);
      fired.clear();
      for (std::size_t p = 0; p < block_.parts.size(); ++p) {
        if (dynamics_[p].kind == SparsePopulation::Kind::lif) {
          end_refractoriness(p, tick);
          dynamics_[p].drives.size() == 1 ? update<true>(p, tick, fired.ids) : update<false>(p, tick, fired.ids);
        } else if (dynamics_[p].kind == SparsePopulation::Kind::poisson) {
          draw_spikes(p, tick, fired.ids);
        } else {
          take_given(p, tick, fired.ids);
        }
        fired.end.push_back(static_cast<std::uint32_t>(fired.ids.size()));
      }
      counts_.spikes += fired.ids.size();
    }
  }

  const TickSpikes<std::uint16_t>& fired(std::int64_t tick) const override {
    return fired_[static_cast<std::size_t>(tick) % fired_.size()];
  }
  const SparseCounts& counts() const override { return counts_; }
  float membrane(std::int32_t local) const override { return v_[static_cast<std::size_t>(local)]; }

 private:
  TickSpikes<std::uint16_t>& slot(std::int64_t tick) { return fired_[static_cast<std::size_t>(tick) % fired_.size()]; }

  void deliver(std::size_t r, std::span<const std::int32_t> sources) {
    const SparseRoute& route = routes_[r];
    const SparseRows& rows = block_.rows[r];
    if (route.dense) return deliver_dense(block_.parts[static_cast<std::size_t>(route.dense_part)], rows, sources);
    const std::uint32_t* start = rows.start.data();
    const auto weight = static_cast<Sum>(route.weight);
    for (std::size_t k = 0; k < sources.size(); ++k) {
      if (k + kPrefetchAhead < sources.size()) {
        const std::uint16_t* next = rows.targets.data() + start[sources[k + kPrefetchAhead]];
        for (std::size_t line = 0; line < kPrefetchLines; ++line) __builtin_prefetch(next + line * kLineTargets);
      }
      const std::uint32_t begin = start[sources[k]], end = start[sources[k] + 1];
      counts_.synaptic_events += end - begin;
      Sum* sums = sums_.data();
      const std::uint16_t* targets = rows.targets.data();
      if (!route.weighted) {
#pragma GCC unroll 8
        for (std::uint32_t i = begin; i < end; ++i) sums[targets[i]] = static_cast<Sum>(sums[targets[i]] + weight);
      } else {
        const std::int16_t* weights = rows.weights.data();
#pragma GCC unroll 8
        for (std::uint32_t i = begin; i < end; ++i) sums[targets[i]] = static_cast<Sum>(sums[targets[i]] + weights[i]);
      }
    }
  }

  void deliver_dense(const SparsePart& part, const SparseRows& rows, std::span<const std::int32_t> sources) {
    const auto width = static_cast<std::size_t>(part.count);
    Sum* __restrict__ sums = sums_.data() + part.local;
    for (const std::int32_t source : sources) {
      const std::int16_t* __restrict__ weights = rows.weights.data() + static_cast<std::size_t>(source) * width;
      for (std::size_t i = 0; i < width; ++i) sums[i] = static_cast<Sum>(sums[i] + weights[i]);
    }
    counts_.synaptic_events += sources.size() * width;
  }

  void end_refractoriness(std::size_t p, std::int64_t tick) {
    const std::int64_t since = tick - dynamics_[p].refractory_ticks - 1;
    if (since < 1) return;
    for (const std::uint16_t local : slot(since).of(p)) v_[local] = dynamics_[p].v_reset;
  }

  /// Charges, tests and resets. The sums of the tick are used up.
  template <bool kOneDrive>
  void update(std::size_t p, std::int64_t tick, std::vector<std::uint16_t>& fired) {
    const SparseDynamics& dynamics = dynamics_[p];
    const SparsePart& part = block_.parts[p];
    const Float8 decay = Float8{} + dynamics.decay, drift = Float8{} + dynamics.drift, unit = Float8{} + dynamics.unit;
    const Float8 v_th = Float8{} + dynamics.v_th;
    const float after_spike = dynamics.refractory_ticks == 0 ? dynamics.v_reset : kRefractory;
    const Int8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    Int8 num_arrivals{};
    for (std::int32_t base = 0; base < part.count; base += kGroup) {
      Sum* sums = sums_.data() + part.local + base;
      float* v = v_.data() + part.local + base;
      std::array<Int8, 4> total;
      for (std::size_t w = 0; w < 4; ++w) total[w] = load_sums(sums + 8 * w);
      const auto add_drive = [&](const SparseDynamics::Drive& drive) {
        std::array<UInt8, 4> words;
        draw_group(network_.seed, drive.stream, static_cast<std::uint32_t>(tick),
                   static_cast<std::uint32_t>((part.first + base) / kGroup), words);
        for (std::int32_t w = 0; w < 4; ++w) {
          const Int8 inside = lanes + 8 * w < part.count - base;
          const Int8 arrivals = drive.table.counts(words[static_cast<std::size_t>(w)]) & inside;
          num_arrivals += arrivals;
          total[static_cast<std::size_t>(w)] += arrivals * drive.weight;
        }
      };
      if constexpr (kOneDrive) {
        add_drive(dynamics.drives[0]);
      } else {
        for (const SparseDynamics::Drive& drive : dynamics.drives) add_drive(drive);
      }
      std::memset(sums, 0, kGroup * sizeof(Sum));
      std::uint32_t spikes = 0;
      for (std::size_t w = 0; w < 4; ++w) {
        Float8 h;
        std::memcpy(&h, v + 8 * w, sizeof(h));
        h = fused(unit, __builtin_convertvector(total[w], Float8), fused(decay, h, drift));
        std::memcpy(v + 8 * w, &h, sizeof(h));
        spikes |= lane_bits(h >= v_th) << (8 * w);
      }
      for (; spikes != 0; spikes &= spikes - 1) {
        const int lane = std::countr_zero(spikes);
        v[lane] = after_spike;
        fired.push_back(static_cast<std::uint16_t>(part.local + base + lane));
      }
    }
    for (int lane = 0; lane < 8; ++lane) counts_.drive_events += static_cast<std::uint32_t>(num_arrivals[lane]);
    counts_.neuron_updates += static_cast<std::uint64_t>(part.count);
  }

  void draw_spikes(std::size_t p, std::int64_t tick, std::vector<std::uint16_t>& fired) const {
    const SparsePart& part = block_.parts[p];
    for (std::int32_t base = 0; base < part.count; base += kGroup) {
      std::array<UInt8, 4> words;
      draw_group(network_.seed, dynamics_[p].stream, static_cast<std::uint32_t>(tick),
                 static_cast<std::uint32_t>((part.first + base) / kGroup), words);
      const std::int32_t count = std::min(kGroup, part.count - base);
      for (std::int32_t i = 0; i < count; ++i) {
        if (words[static_cast<std::size_t>(i / 8)][i % 8] < dynamics_[p].rate_threshold)
          fired.push_back(static_cast<std::uint16_t>(part.local + base + i));
      }
    }
  }

  void take_given(std::size_t p, std::int64_t tick, std::vector<std::uint16_t>& fired) const {
    const SparsePart& part = block_.parts[p];
    const auto& spikes = network_.populations[p].spikes;
    const auto begin = std::lower_bound(spikes.begin(), spikes.end(), std::pair(tick, part.first));
    for (auto at = begin; at != spikes.end() && *at < std::pair(tick, part.first + part.count); ++at)
      fired.push_back(static_cast<std::uint16_t>(part.local + at->second - part.first));
  }

  const SparseNetwork& network_;
  const std::vector<SparseRoute>& routes_;
  const SparseBlock& block_;
  const std::vector<SparseDynamics>& dynamics_;
  std::vector<float> v_;
  std::vector<Sum> sums_;                         ///< of the tick to come
  std::vector<TickSpikes<std::uint16_t>> fired_;  ///< of the last ticks: of tick t at t mod the size
  SparseCounts counts_;
};

}  // namespace

std::unique_ptr<SparseBlockState> make_block_state(const SparseNetwork& network, const SparseGraph& graph,
                                                   const std::vector<SparseDynamics>& dynamics, std::size_t block,
                                                   int window_ticks, bool wide) {
  if (wide) return std::make_unique<BlockState<std::int32_t>>(network, graph, dynamics, block, window_ticks);
  return std::make_unique<BlockState<std::int16_t>>(network, graph, dynamics, block, window_ticks);
}

}  // namespace synfire::network
