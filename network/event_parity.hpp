#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.hpp"
#include "network/event_runtime.hpp"
#include "network/network.hpp"

namespace synfire::network {

/// The first spike of a sample that only one of two engines fired.
struct FirstDifference {
  std::int64_t sample = 0;
  std::int32_t tick = 0;
  std::string node;
  std::int32_t neuron = 0;
  double distance = 0.0;  ///< of the membrane, in the event engine, from the threshold
};

/// How far engines agree on the spikes of a network. Summed over calls of `compare_engines`.
struct EngineParity {
  std::int64_t samples = 0;
  std::int64_t spikes = 0;                   ///< of the event engine
  std::int64_t twin_differences = 0;         ///< spikes that the event engine and its clocked twin do not share: 0
  std::int64_t samples_as_float = 0;         ///< without a difference to the float runtime that trains
  std::vector<FirstDifference> differences;  ///< of the other samples
};

/// Runs a batch [T, B, ...] in the event engine, its clocked twin of the same arithmetic and the float runtime (delays
/// rounded), and compares all spikes of lif neurons. What follows a first difference in a sample is not counted.
void compare_engines(Network<float>& network, View<const float> input, EventArithmetic arithmetic,
                     EngineParity& parity);

}  // namespace synfire::network
