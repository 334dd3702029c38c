#pragma once

#include <vector>

#include "learning/trainer.hpp"
#include "network/network.hpp"
#include "tests/learning/synthetic_source.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synfire::test {

/// 12 -> 16 spiking neurons behind batch norm, dropout -> 3 outputs: has everything that a checkpoint must keep.
inline network::Network<float> small_network(std::uint64_t seed, int hidden = 16) {
  network::NetworkSpec spec;
  spec.dt_ms = 10.0;  // tau_mem is two ticks
  spec.nodes = {{"fc1", {"input"}, network::LinearSpec{hidden, false}},
                {"bn", {"fc1"}, network::BatchNormSpec{}},
                {"lif", {"bn"}, network::LifSpec{}},
                {"drop", {"lif"}, network::DropoutSpec{0.2}},
                {"fc2", {"drop"}, network::LinearSpec{static_cast<int>(SyntheticSource::kClasses), true}}};
  return network::build<float>(spec, {SyntheticSource::kChannels}, seed);
}

inline learning::LearningConfig small_config() {
  learning::LearningConfig config;
  config.epochs = 6;
  config.groups.front().schedule = {.kind = learning::ScheduleKind::one_cycle, .learning_rate = 0.02};
  config.clip_norm = 5.0;
  config.loss.label_smoothing = 0.05;
  return config;
}

inline std::vector<float> all_values(const network::Network<float>& network) {
  std::vector<float> values;
  for (const auto& tensor : network.tensors)
    values.insert(values.end(), tensor.value.data(), tensor.value.data() + tensor.value.size());
  return values;
}

}  // namespace synfire::test
