#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/apps/program.hpp"

namespace synfire::test {

/// A network with learned delays on a small lag task; an epoch takes some hundredths of a second.
inline std::filesystem::path write_lag_experiment(const Scratch& scratch, const std::string& more) {
  const std::filesystem::path config = scratch / "small_lag.toml";
  std::ofstream(config) << R"(name = "small_lag"
seed = 4
[data]
kind = "lag"
training_samples = 128
test_samples = 64
[network]
dt_ms = 10.0
[network.delayed_linear]
max_delay_ticks = 8
width = 4.0
[[network.layers]]
type = "delayed_linear"
name = "hidden"
out_features = 8
[[network.layers]]
type = "batch_norm"
[[network.layers]]
type = "lif"
[[network.layers]]
type = "delayed_linear"
name = "readout"
out_features = 8
[learning.positions]
learning_rate = 0.1
[learning]
batch_size = 32
learning_rate = 0.01
)" << more;
  return config;
}

}  // namespace synfire::test
