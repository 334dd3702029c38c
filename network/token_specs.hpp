#pragma once

#include <cstdint>

#include "synapses/activation.hpp"

/// Descriptions of the nodes that networks of tokens are made of: a token is a pixel of [H, W, C]. Part of spec.hpp.
namespace synfire::network {

/// How the weights of a linear map start: uniform in +-1/sqrt(fan_in), the bias too, or normal with a standard
/// deviation of .02 (which never reaches the customary cut at 2) and no bias.
enum class LinearStart : std::uint8_t { fan_in, trunc_normal };

/// Each channel filtered by itself, the image keeps its size.
struct DepthwiseConv2dSpec {
  int kernel = 3;
  bool bias = true;
};
/// Every token by the moments of its channels.
struct LayerNormSpec {
  double eps = 1e-5;
};
struct ActivationSpec {
  synapses::Activation function = synapses::Activation::silu;
};
/// Product of two nodes of the same shape: a gate. Two that spike give spikes.
struct MultiplySpec {};
/// Adds learned tables: one over the tokens of a frame, one over the ticks. The latter ends at `time_ticks`, and so
/// must the input.
struct PositionSpec {
  bool space = true;
  int time_ticks = 0;  ///< 0: no table over time
};
/// In training, a sample loses this branch with probability p.
struct DropPathSpec {
  double p = 0.1;
};
/// Mean over the tokens of a frame.
struct MeanTokensSpec {};

}  // namespace synfire::network
