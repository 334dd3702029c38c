#pragma once

#include <cstdint>
#include <vector>

/// What the neurons of a population of the event engine keep from tick to tick. Private to the room.
namespace synfire::network {

/// No tick.
inline constexpr std::int32_t kNever = -1;

/// Which variables there are and whether `last` is by block or by neuron, the model says.
struct NeuronState {
  std::vector<float> values;       ///< [variables, size]
  std::vector<std::int32_t> last;  ///< the tick after whose reset the values hold; -1: the start
};

}  // namespace synfire::network
