#pragma once

#include "core/sequences.hpp"

/// Descriptions of the nodes along sequences of tokens: what a Mamba block has for one direction. Part of spec.hpp.
namespace synfire::network {

/// Each channel with itself, over a token and those before it.
struct CausalConv1dSpec {
  SequenceOrder order;
  int kernel = 4;
  bool bias = true;
};
/// From u the step, B and C of every token by linear maps, then the scan over them (neurons/selective_scan.hpp).
struct SelectiveScanSpec {
  SequenceOrder order;
  int states = 16;
  int rank = 0;  ///< of the map from u to the steps; 0: a number for every 32 channels
};

}  // namespace synfire::network
