#pragma once

#include <cstdint>
#include <cstring>

#include "network/sparse/lanes8.hpp"
#include "neurons/lif_step.hpp"

/// Private to the room: not installed.
namespace synfire::network {

/// The equations of neurons/lif_step.hpp for eight neurons side by side, with the same bits.
template <class Rule>
class LifLanes {
 public:
  explicit LifLanes(const neurons::LifConstants<float>& c)
      : decay_(c.decay - Float8{}),
        gain_(c.gain - Float8{}),
        v_th_(c.v_th - Float8{}),
        v_fire_(c.v_fire - Float8{}),
        v_reset_(c.v_reset - Float8{}) {}

  Float8 charge(const Float8& v, const Float8& x) const {
    return fused(gain_, x, fused(decay_, v - v_reset_, v_reset_));
  }

  /// Resets those of `h` that fire; gives a bit for each of them.
  std::uint32_t fire(Float8& h) const {
    const Int8 fires = h >= v_fire_;
    if constexpr (Rule::kHardReset) {
      h = fires ? v_reset_ : h;
    } else {
      h = fires ? h - v_th_ : h;
    }
    return lane_bits(fires);
  }

 private:
  Float8 decay_, gain_, v_th_, v_fire_, v_reset_;
};

inline Float8 load_lanes(const float* from) {
  Float8 lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

inline void store_lanes(const Float8& lanes, float* to) { std::memcpy(to, &lanes, sizeof(lanes)); }

}  // namespace synfire::network
