#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "apps/simulate/engine.hpp"
#include "core/hdf5_file.hpp"
#include "core/interrupt.hpp"

namespace synfire::apps {

/// The spikes of a simulation on their way to spikes.h5 and spikes.csv (docs/formats.md). Both lie aside until
/// `commit`, and go if it never comes. While one lives, Ctrl-C only sets `interrupt_requested`.
class SpikeFiles {
 public:
  SpikeFiles(const std::filesystem::path& folder, const std::vector<SimulatedLayer>& layers, double dt_ms);
  ~SpikeFiles();
  SpikeFiles(const SpikeFiles&) = delete;
  SpikeFiles& operator=(const SpikeFiles&) = delete;

  /// The spikes of a batch, by sample, of the input and of the other layers.
  /// \param index      [B] numbers of the samples
  /// \param num_ticks  of their input
  void add(const std::vector<std::int64_t>& index, std::int64_t num_ticks,
           const std::vector<std::vector<network::EventSpike>>& of_input,
           const std::vector<std::vector<network::EventSpike>>& of_layers);
  /// Gives both files their names. \throws FileError
  void commit();

  std::filesystem::path hdf5() const { return folder_ / "spikes.h5"; }
  std::filesystem::path csv() const { return folder_ / "spikes.csv"; }

 private:
  struct Columns {
    std::vector<std::int64_t> sample;
    std::vector<std::int32_t> tick, neuron;
  };
  void collect(std::int64_t sample, const std::vector<network::EventSpike>& spikes);
  std::filesystem::path csv_aside() const { return folder_ / "spikes.csv.partial"; }

  InterruptGuard guard_;
  std::filesystem::path folder_;
  std::vector<std::string> names_;  ///< by layer
  std::vector<Columns> columns_;    ///< by layer, of one batch
  std::string lines_;               ///< of spikes.csv, likewise
  Hdf5File file_;
  std::ofstream csv_;
};

}  // namespace synfire::apps
