#pragma once

#include "network/blocks/feedback.hpp"
#include "synapses/simd.hpp"

namespace synfire::network {

/// A number of each sample of a group, in registers.
template <class Scalar>
struct GroupPacks {
  static constexpr std::ptrdiff_t kCount = kGroupSamples / synapses::kLanes<Scalar>;

  synapses::Pack<Scalar> pack[kCount] = {};

  void load(const Scalar* from) {
    for (std::ptrdiff_t p = 0; p < kCount; ++p) pack[p] = synapses::load(from + p * synapses::kLanes<Scalar>);
  }
  void store(Scalar* to) const {
    for (std::ptrdiff_t p = 0; p < kCount; ++p) synapses::store<Scalar>(pack[p], to + p * synapses::kLanes<Scalar>);
  }
  void add(const GroupPacks& other) {
    for (std::ptrdiff_t p = 0; p < kCount; ++p) pack[p] += other.pack[p];
  }
  /// += factor * other
  void add(Scalar factor, const GroupPacks& other) {
    for (std::ptrdiff_t p = 0; p < kCount; ++p) {
      pack[p] = synapses::multiply_add(synapses::broadcast(factor), other.pack[p], pack[p]);
    }
  }
  void add(Scalar factor, const Scalar* from) {
    GroupPacks other;
    other.load(from);
    add(factor, other);
  }
};

}  // namespace synfire::network
