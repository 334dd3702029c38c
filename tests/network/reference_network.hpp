#pragma once

#include <algorithm>
#include <initializer_list>

#include "tests/network/small_networks.hpp"

/// A network whose counts are known, because NeuroBench 2.3.0 has printed them: docs/energy.md. Its spikes do not
/// depend on whether a reset acts at once (as here) or one tick later (as in snnTorch).
namespace synfire::test {

inline network::Network<float> reference_network() {
  network::Network<float> net = network::build<float>(spec_of(R"(
[network]
dt_ms = 20.0
lif = {tau_mem_ms = 40.0, decay_input = false, reset = "soft", fires_at = "above_threshold"}
[[network.layers]]
type = "linear"
name = "fc1"
out_features = 4
[[network.layers]]
type = "lif"
[[network.layers]]
type = "linear"
name = "fc2"
out_features = 2
bias = false
[[network.layers]]
type = "lif"
)"),
                                                      Shape{3}, 1);
  const auto set = [&](const char* name, std::initializer_list<float> values) {
    std::copy(values.begin(), values.end(), net.tensor(name).value.data());
  };
  set("fc1.weight", {1, 0, 0, 0, 1.5F, 0, 1, 1, 1, 0, 0, -1});
  set("fc1.bias", {0.25F, 0.25F, 0.25F, 0.25F});
  set("fc2.weight", {1, 1, 0, 0, 0, 0.5F, 0.5F, 1});
  return net;
}

/// [T = 4, B = 2, 3]; the second sample is silent.
inline Tensor<float> reference_input() {
  Tensor<float> input(Shape{4, 2, 3});
  input[0] = 1.0F;
  input[12] = input[13] = 1.0F;
  input[20] = 1.0F;
  return input;
}

}  // namespace synfire::test
