#pragma once

#include <string>

#include "core/shape.hpp"

/// Networks with the nodes of scan_specs.hpp.
namespace synfire::test {

/// Spikes, convolutions along sequences and scans: one direction behind SiLU, the other behind spikes, as in the two
/// profiles of SpikMamba.
inline std::string scan_network(const std::string& axis) {
  return R"(
[network]
dt_ms = 1.0
lif = {tau_mem_ms = 2.0, v_th = 0.3, detach_reset = false, surrogate = "sigmoid"}
causal_conv1d = {axis = ")" +
         axis + R"("}
selective_scan = {axis = ")" +
         axis + R"(", state = 3}
[[network.layers]]
type = "conv2d"
name = "patch"
channels = 5
kernel = 2
stride = 2
[[network.layers]]
type = "lif"
name = "e"
[[network.layers]]
type = "causal_conv1d"
name = "there_conv"
[[network.layers]]
type = "activation"
name = "there_u"
[[network.layers]]
type = "selective_scan"
name = "there"
[[network.layers]]
type = "causal_conv1d"
name = "back_conv"
direction = "backward"
kernel = 3
inputs = ["e"]
[[network.layers]]
type = "lif"
name = "back_u"
[[network.layers]]
type = "selective_scan"
name = "back"
direction = "backward"
rank = 2
[[network.layers]]
type = "add"
name = "y"
inputs = ["there", "back"]
[[network.layers]]
type = "mean_tokens"
[[network.layers]]
type = "linear"
name = "head"
out_features = 3
)";
}
inline const Shape kScanInput{6, 4, 2};

}  // namespace synfire::test
