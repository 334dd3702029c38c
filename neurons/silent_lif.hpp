#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

/// A LIF neuron over ticks in which nothing arrives but a constant drive, in closed form, in float and with the
/// roundings that are part of the definition: whoever asks for the membrane n ticks after its last change gets the same
/// number, and never a smaller one (rising) or larger one (falling) for a larger n. See docs/numerics.md, section 3.4.
namespace synfire::neurons {

/// P[0] = 1, P[n + 1] = fl(P[n] decay), which falls with every n; up to the first below 2^-40, which stands for all
/// behind it.
class DecayPowers {
 public:
  /// \param decay  in [0, 1)
  explicit DecayPowers(float decay) : decay_(decay) {}

  /// At least up to n.
  void extend(std::int32_t n) {
    while (std::ssize(powers_) <= n && powers_.back() >= 0x1p-40F) powers_.push_back(powers_.back() * decay_);
  }
  const float* data() const { return powers_.data(); }
  std::int32_t last() const { return static_cast<std::int32_t>(powers_.size()) - 1; }

 private:
  float decay_;
  std::vector<float> powers_{1.0F};
};

/// Halfway from the number below: what is rounded to float and comes out at `level` or above was above this, or at it.
inline double rounds_up_to(float level) {
  const float below = std::nextafter(level, -std::numeric_limits<float>::infinity());
  return (static_cast<double>(below) + static_cast<double>(level)) / 2.0;
}

/// Neurons that leak towards where their drive holds them.
struct LeakySilence {
  const float* settle;  ///< by neuron: v_r + gain drive / (1 - decay)
  const float* powers;  ///< DecayPowers, extended to all n that are asked for
  std::int32_t last_power;
  double log_decay;

  /// The membrane of neuron k, n ticks after it was v.
  float at(float v, std::ptrdiff_t k, std::int32_t n) const {
    return std::fma(v - settle[k], powers[std::min(n, last_power)], settle[k]);
  }
  /// Whether a membrane below `level` ever gets there.
  bool rises_to(float level, std::ptrdiff_t k) const { return settle[k] >= level; }
  /// When, as real numbers have it.
  double crossing(float v, std::ptrdiff_t k, double level) const {
    const auto to = static_cast<double>(settle[k]);
    return std::log((to - level) / (to - static_cast<double>(v))) / log_decay;
  }
};

/// Neurons without a leak, which sum.
struct LeaklessSilence {
  const float* pull;  ///< by neuron: gain drive

  float at(float v, std::ptrdiff_t k, std::int32_t n) const { return std::fma(static_cast<float>(n), pull[k], v); }
  bool rises_to(float, std::ptrdiff_t k) const { return pull[k] > 0.0F; }
  double crossing(float v, std::ptrdiff_t k, double level) const {
    return (level - static_cast<double>(v)) / static_cast<double>(pull[k]);
  }
};

/// The first n in (low, high] for which `reached(n)`, which is false up to it and true from it on; it is true for high.
/// \param proposed  from where to look: a step or two are enough where it is near, halving where it is not
template <class Reached>
std::int32_t first_reached(std::int32_t low, std::int32_t high, double proposed, const Reached& reached) {
  constexpr int kSteps = 3;
  const bool inside = proposed > low && proposed < high;
  std::int32_t guess = inside ? static_cast<std::int32_t>(std::ceil(proposed)) : low + (high - low) / 2;
  for (int tries = 1; high - low > 1; ++tries) {
    guess = std::clamp(guess, low + 1, high - 1);
    if (reached(guess)) {
      high = guess;
      guess = tries < kSteps ? high - 1 : low + (high - low) / 2;
    } else {
      low = guess;
      guess = tries < kSteps ? low + 1 : low + (high - low) / 2;
    }
  }
  return high;
}

}  // namespace synfire::neurons
