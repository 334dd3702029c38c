#pragma once

#include "core/config.hpp"

namespace synfire::datasets {

struct LoaderConfig {
  int threads = 1;   ///< that build batches; 0: the one that asks for them
  int prefetch = 3;  ///< batches in memory besides the one in use
};

/// Reads `[loader]`: threads, prefetch. \throws ConfigError
LoaderConfig read_loader_config(const ConfigTable& table);

}  // namespace synfire::datasets
