#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "datasets/simulate/lanes.hpp"

namespace synfire::datasets {

/// The fibres of sixteen hair cells, of which only the number of spikes in a sample matters. Each fibre that is not
/// refractory fires with the given probability, so that of n of them k do with the binomial probability; one random
/// number draws k.
class AuditoryNerves {
 public:
  static constexpr int kFibres = 40;
  static constexpr std::size_t kRefractory = 24;  ///< samples from a spike of a fibre to the next possible one

  AuditoryNerves() { ready_.fill(static_cast<float>(kFibres)); }

  /// \param probability  of a spike of a ready fibre; taken as 0.999 above that
  /// \param uniform      in [0, 1)
  /// \param spikes       how many fibres fire
  void step(const Lanes& probability, const Lanes& uniform, Lanes& spikes) {
    Lanes& history = history_[position_];
    position_ = (position_ + 1) % kRefractory;
    constexpr Float8 zero{};
    const Float8 one = zero + 1.0F;
    for (std::size_t h = 0; h < 2; ++h) {
      const Float8 ready = ready_.half[h] + history.half[h];
      const Float8 p = probability.half[h] < 0.999F ? probability.half[h] : zero + 0.999F;
      // (1 - p)^n from the bits of n <= 40.
      const Int8 exponent = __builtin_convertvector(ready, Int8);
      std::array<Float8, 6> power;
      Float8 square = 1.0F - p;
      for (int bit = 0; bit < 6; ++bit) {
        power[bit] = (exponent & (1 << bit)) != 0 ? square : one;
        square *= square;
      }
      const Float8 none = (power[0] * power[1]) * (power[2] * power[3]) * (power[4] * power[5]);
      // Inversion: as many fire as there are cumulative probabilities that the random number reaches. More than one is
      // rare, so that the third and later are looked at only where they matter.
      const Float8 odds = p / (1.0F - p);
      Float8 term = none * (ready * odds);
      Float8 sum = none + term;
      const Int8 first = uniform.half[h] >= none;
      Int8 more = uniform.half[h] >= sum;
      Float8 fired = (first ? one : zero) + (more ? one : zero);
      for (int k = 2; k < kFibres && any_of(more); ++k) {
        term *= (ready - static_cast<float>(k - 1)) * odds / static_cast<float>(k);
        sum += term;
        more = uniform.half[h] >= sum;
        fired += more ? one : zero;
      }
      // Where rounding leaves the sum below the number, or none is ready.
      fired = fired < ready ? fired : ready;
      ready_.half[h] = ready - fired;
      history.half[h] = fired;
      spikes.half[h] = fired;
    }
  }

 private:
  Lanes ready_;
  std::array<Lanes, kRefractory> history_{};
  std::size_t position_ = 0;
};

}  // namespace synfire::datasets
