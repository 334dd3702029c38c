#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "network/sparse/sparse_network.hpp"

/// Who is connected to whom. Private to this folder: not installed.
namespace synfire::network {

/// What random numbers of a network are for: the upper byte of a stream's number. The lower bits count projections,
/// drives or populations; the step is the target neuron or the tick.
enum class SparseStream : std::uint32_t { synapses = 1, delays = 2, weights = 3, drive = 4, poisson = 5 };

inline std::uint32_t stream_of(SparseStream purpose, std::size_t index) {
  return static_cast<std::uint32_t>(purpose) << 24U | static_cast<std::uint32_t>(index);
}

/// The words of a stream one after the other, four of every element.
class WordSequence {
 public:
  explicit WordSequence(const RandomStream& stream) : stream_(stream) {}
  std::uint32_t next() {
    if (at_ % 4 == 0) block_ = stream_.words(at_ / 4);
    return block_[at_++ % 4];
  }
  /// Uniform below n, with a bias below n / 2^32.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(std::uint64_t{next()} * n >> 32U); }
  /// Uniform in (0, 1].
  double unit() { return (next() + 1.0) * 0x1p-32; }

 private:
  RandomStream stream_;
  Philox::Block block_{};
  std::uint64_t at_ = 0;
};

/// Draws the sources of one target after the other.
class SynapseDraws {
 public:
  SynapseDraws(const SparseNetwork& network, std::size_t projection_index)
      : projection_(network.projections[projection_index]),
        seed_(network.seed),
        index_(projection_index),
        sources_(network.populations[static_cast<std::size_t>(projection_.source)].size),
        skip_self_(!projection_.allow_autapses && projection_.source == projection_.target) {
    if (projection_.rule == SparseProjection::Rule::fixed_indegree && !projection_.allow_multapses)
      drawn_for_.assign(static_cast<std::size_t>(sources_), -1);
  }

  /// Calls visit(source, delay_ticks, draw) for the synapses of `target`; `draw` counts them.
  template <class Visit>
  void of_target(std::int32_t target, const Visit& visit) {
    using Rule = SparseProjection::Rule;
    WordSequence words(RandomStream(seed_, stream_of(SparseStream::synapses, index_), as_step(target)));
    WordSequence delays(RandomStream(seed_, stream_of(SparseStream::delays, index_), as_step(target)));
    const auto span = static_cast<std::uint32_t>(projection_.max_delay_ticks - projection_.delay_ticks + 1);
    std::uint32_t draw = 0;
    const auto connect = [&](std::int32_t source) {
      visit(source, projection_.delay_ticks + (span > 1 ? static_cast<int>(delays.below(span)) : 0), draw++);
    };
    const auto is_self = [&](std::int32_t source) { return skip_self_ && source == target; };
    if (projection_.rule == Rule::fixed_indegree) {
      for (std::int32_t left = projection_.indegree; left > 0;) {
        const auto source = static_cast<std::int32_t>(words.below(static_cast<std::uint32_t>(sources_)));
        if (is_self(source)) continue;
        if (!drawn_for_.empty()) {
          std::int32_t& last = drawn_for_[static_cast<std::size_t>(source)];
          if (last == target) continue;
          last = target;
        }
        connect(source);
        --left;
      }
    } else if (projection_.rule == Rule::pairwise_bernoulli && projection_.probability < 1.0) {
      if (projection_.probability <= 0.0) return;
      // The sources between two connected ones are geometrically many.
      const double scale = 1.0 / std::log1p(-projection_.probability);
      for (double at = std::floor(std::log(words.unit()) * scale); at < sources_;
           at += 1.0 + std::floor(std::log(words.unit()) * scale)) {
        if (!is_self(static_cast<std::int32_t>(at))) connect(static_cast<std::int32_t>(at));
      }
    } else if (projection_.rule == Rule::one_to_one) {
      if (!is_self(target)) connect(target);
    } else {
      for (std::int32_t source = 0; source < sources_; ++source) {
        if (!is_self(source)) connect(source);
      }
    }
  }

  /// The weight of a synapse in mV.
  double weight_mv(std::int32_t target, std::uint32_t draw) const {
    if (projection_.weight_std_mv == 0.0) return projection_.weight_mv;
    const RandomStream random(seed_, stream_of(SparseStream::weights, index_), as_step(target));
    return projection_.weight_mv + projection_.weight_std_mv * random.normal(draw);
  }

 private:
  static std::uint32_t as_step(std::int32_t target) { return static_cast<std::uint32_t>(target); }

  const SparseProjection& projection_;
  std::uint64_t seed_;
  std::size_t index_;
  std::int32_t sources_;
  bool skip_self_;
  std::vector<std::int32_t> drawn_for_;  ///< last target that drew this source
};

}  // namespace synfire::network
