#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "datasets/simulate/lanes.hpp"

namespace synfire::datasets {

/// Sixteen bushy cells: leaky integrate-and-fire neurons that wait for spikes of many fibres at once. In a sample
///
///     I = I exp(-dt/tau_syn) + spikes,   v = v exp(-dt/tau_mem) + I weight dt / fibres
///
/// and when v reaches 1 the cell fires in this sample, v becomes 0 and stays so for the refractory time, while I goes
/// on.
class BushyCells {
 public:
  static constexpr double kTauSynapse_s = 0.5e-3, kTauMembrane_s = 1e-3, kRefractory_s = 1e-3, kWeight_per_s = 13000.0;

  BushyCells(double rate_hz, int num_fibres)
      : keep_current_(static_cast<float>(std::exp(-1.0 / (rate_hz * kTauSynapse_s)))),
        keep_v_(static_cast<float>(std::exp(-1.0 / (rate_hz * kTauMembrane_s)))),
        gain_(static_cast<float>(kWeight_per_s / (rate_hz * num_fibres))),
        refractory_(static_cast<float>(std::lround(kRefractory_s * rate_hz))) {}

  /// \param spikes  of the fibres of each cell
  /// \returns bit i is 1 if cell i fires
  std::uint32_t step(const Lanes& spikes) {
    std::uint32_t fired = 0;
    for (std::size_t h = 0; h < 2; ++h) {
      current_.half[h] = current_.half[h] * keep_current_ + spikes.half[h];
      const Float8 charged = v_.half[h] * keep_v_ + current_.half[h] * gain_;
      const Float8 v = wait_.half[h] > 0.0F ? Float8{} : charged;
      const Int8 over = v >= 1.0F;
      v_.half[h] = over ? Float8{} : v;
      wait_.half[h] = over ? Float8{} + refractory_ : wait_.half[h] - 1.0F;
      if (!any_of(over)) continue;
      for (std::size_t i = 0; i < kHalf; ++i)
        if (over[i] != 0) fired |= std::uint32_t{1} << (h * kHalf + i);
    }
    return fired;
  }

 private:
  float keep_current_, keep_v_, gain_, refractory_;
  Lanes current_, v_, wait_;
};

}  // namespace synfire::datasets
