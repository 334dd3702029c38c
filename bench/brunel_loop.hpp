#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

/// The plain loop that an engine for sparse networks is measured against: one network, one thread, nothing general.
namespace synfire::bench {

/// Brunel's network: N_E = 4 N_I neurons, a tenth of each as inputs, constants of configs/brunel.toml.
class BrunelLoop {
 public:
  explicit BrunelLoop(std::uint32_t num_inhibitory)
      : n_(5 * num_inhibitory), start_(n_ + 1), v_(n_), x_(n_), rest_(n_) {
    std::vector<std::uint32_t> sources;
    for (std::uint32_t target = 0; target < n_; ++target) {
      for (std::uint32_t k = 0; k < n_ / 10; ++k)
        sources.push_back(k < n_ / 50 * 4 ? below(n_ / 5 * 4) : n_ / 5 * 4 + below(n_ / 5));
    }
    for (const std::uint32_t source : sources) ++start_[source + 1];
    for (std::uint32_t i = 0; i < n_; ++i) start_[i + 1] += start_[i];
    targets_.resize(sources.size());
    std::vector<std::uint32_t> at(start_.begin(), start_.end() - 1);
    for (std::size_t e = 0; e < sources.size(); ++e)
      targets_[at[sources[e]]++] = static_cast<std::uint16_t>(e / (n_ / 10));
    double mass = std::exp(-2.0), below_count = 0.0;
    for (std::uint32_t word = 0, count = 0; word < 65536; ++word) {
      for (; word >= 65536.0 * (below_count + mass); mass *= 2.0 / ++count) below_count += mass;
      arrivals_[word] = static_cast<std::uint8_t>(count);
    }
  }

  /// \return  spikes in `ticks` of 0.1 ms; adds the synaptic events to `events`
  std::uint64_t run(int ticks, std::uint64_t& events) {
    const float decay = std::exp(-0.1F / 20.0F);
    std::uint64_t spikes = 0;
    for (; ticks > 0; --ticks, ++tick_) {
      std::vector<std::uint32_t>& slot = ring_[tick_ % ring_.size()];
      for (const std::uint32_t source : slot) {
        const float weight = source < n_ / 5 * 4 ? 0.1F : -0.5F;
        for (std::uint32_t e = start_[source]; e < start_[source + 1]; ++e) x_[targets_[e]] += weight;
        events += start_[source + 1] - start_[source];
      }
      slot.clear();  // what is due now has been delivered: the slot takes the spikes of this tick
      for (std::uint32_t i = 0; i < n_; i += 4) {
        for (std::uint64_t word = next(), k = 0; k < 4; ++k, word >>= 16U)
          x_[i + k] += 0.1F * arrivals_[word & 0xFFFFU];
      }
      for (std::uint32_t i = 0; i < n_; ++i) {
        v_[i] = rest_[i] > 0 ? 0.0F : decay * v_[i] + x_[i];
        rest_[i] = static_cast<std::int16_t>(rest_[i] > 0 ? rest_[i] - 1 : 0);
        x_[i] = 0.0F;
      }
      for (std::uint32_t i = 0; i < n_; ++i) {
        if (v_[i] < 20.0F) continue;
        v_[i] = 0.0F;
        rest_[i] = 20;
        slot.push_back(i);
      }
      spikes += slot.size();
    }
    return spikes;
  }

 private:
  std::uint64_t next() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    return state_ ^= state_ << 17U;
  }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((next() >> 32U) * n >> 32U); }

  std::uint32_t n_;
  std::uint64_t state_ = 88172645463325252ULL;
  std::uint64_t tick_ = 0;
  std::vector<std::uint32_t> start_;
  std::vector<std::uint16_t> targets_;
  std::vector<float> v_, x_;
  std::vector<std::int16_t> rest_;
  std::array<std::uint8_t, 65536> arrivals_{};
  std::array<std::vector<std::uint32_t>, 15> ring_;  ///< a delay of 15 ticks
};

}  // namespace synfire::bench
