#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "datasets/open_data.hpp"
#include "learning/learning_config.hpp"
#include "network/network.hpp"

namespace synfire::apps {

/// A configuration file, read whole and checked, with its recordings in memory.
struct Experiment {
  std::string name;
  std::uint64_t seed = 0;
  network::NetworkSpec network;
  learning::LearningConfig learning;
  datasets::DataSplits data;
  std::string resolved;  ///< the configuration with every default, as TOML

  /// The shape that the network reads in one tick: [H, W, C] or [C].
  Shape tick_shape() const;
};

/// What the readers warn of goes to stderr.
/// \throws ConfigError for a key that is unknown, missing, ill-typed or out of range; FileError, FormatError for data
///                     that are missing or damaged
Experiment open_experiment(const std::filesystem::path& config, const std::vector<std::string>& overrides);

}  // namespace synfire::apps
