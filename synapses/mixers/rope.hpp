#pragma once

#include <cstdint>
#include <vector>

#include "core/shape.hpp"
#include "synapses/mixers/mixer_config.hpp"

namespace synfire::synapses {

/// Rotations of pairs of channels (2j, 2j + 1) by the position of a token, [Han2024]. With k = width / 4 frequencies
/// theta_f = 10000^(-f / k), pair j turns by the angle y theta_j for j < k and by x theta_(j - k) for k <= j < 2 k.
/// Where a window is longer than a tick there are three axes t, y, x, k = width / 6, and the pairs that are left do not
/// turn.
///
/// The angles are computed in double, of t modulo 2^16.
template <class Scalar>
class RopeTable {
 public:
  RopeTable() = default;
  /// \param shape  [T, B, H, W, C] or [T, B, C]
  /// \param first_tick  position in time of the first tick
  RopeTable(const MixerConfig& config, const Shape& shape, std::int64_t first_tick = 0);

  bool empty() const { return axes_.empty(); }
  std::size_t bytes() const;

  /// Turns the features of one head in place.
  /// \param position  t, y, x, of which t counts from the first tick
  /// \param backwards  by the negative angles
  void turn(int head, const std::ptrdiff_t* position, bool backwards, Scalar* features) const;

 private:
  /// Cosines and sines, [positions, frequencies] each.
  struct Axis {
    int axis = 0;
    std::vector<Scalar> cosines, sines;
  };
  std::vector<Axis> axes_;
  std::ptrdiff_t frequencies_ = 0;  // of an axis
  std::ptrdiff_t head_pairs_ = 0;
  bool per_head_ = false;
};

}  // namespace synfire::synapses
