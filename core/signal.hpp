#pragma once

#include <cstdint>

#include "core/device.hpp"
#include "core/shape.hpp"

namespace synfire {

/// What one node hands to the next: time first, channels last, `[T, B, H, W, C]` or `[T, B, C]`. Either real values or
/// spikes (one byte each, 0 or 1); the other pointer is null. Not owning. Operations that gain from sparsity look at
/// the elements that are not zero, whichever form they come in.
template <class Scalar>
struct Signal {
  Shape shape;
  const Scalar* real = nullptr;
  const std::uint8_t* spikes = nullptr;
  Device device = Device::cpu;

  bool is_spikes() const { return spikes != nullptr; }
};

}  // namespace synfire
