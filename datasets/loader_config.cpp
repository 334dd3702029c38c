#include "datasets/loader_config.hpp"

namespace synfire::datasets {

LoaderConfig read_loader_config(const ConfigTable& table) {
  LoaderConfig config;
  config.threads = static_cast<int>(table.integer("threads", config.threads, 0, 1024));
  config.prefetch = static_cast<int>(table.integer("prefetch", config.prefetch, 1, 1024));
  return config;
}

}  // namespace synfire::datasets
