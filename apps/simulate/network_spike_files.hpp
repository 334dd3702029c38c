#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "core/hdf5_file.hpp"
#include "network/sparse/sparse_network.hpp"

namespace synfire::apps {

/// The spikes of a sparse network on their way to spikes.h5 and spikes.csv in a folder. Both lie aside until `commit`,
/// and go if it never comes.
class NetworkSpikeFiles {
 public:
  NetworkSpikeFiles(const std::filesystem::path& folder, const network::SparseNetwork& network);
  ~NetworkSpikeFiles();
  NetworkSpikeFiles(const NetworkSpikeFiles&) = delete;
  NetworkSpikeFiles& operator=(const NetworkSpikeFiles&) = delete;

  /// The spikes of a tick, neurons numbered over all populations.
  void add(std::int64_t tick, std::span<const std::int32_t> neurons);
  /// Gives both files their names. \throws FileError
  void commit(std::int64_t num_ticks);

 private:
  struct Population {
    std::string name;
    std::int32_t first = 0;
    std::vector<std::int64_t> tick;
    std::vector<std::int32_t> neuron;
  };
  void flush();

  std::filesystem::path folder_;
  double dt_ms_;
  std::vector<Population> populations_;
  std::size_t waiting_ = 0;
  std::string lines_;
  Hdf5File hdf5_;
  std::ofstream csv_;
};

}  // namespace synfire::apps
