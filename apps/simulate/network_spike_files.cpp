#include "apps/simulate/network_spike_files.hpp"

#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"

namespace synfire::apps {

namespace {

constexpr std::size_t kSpikesAtOnce = 65536;

std::filesystem::path made(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) throw FileError(folder.string(), "cannot make the folder: " + problem.message());
  return folder;
}

std::filesystem::path aside(const std::filesystem::path& folder) { return folder / "spikes.csv.partial"; }

}  // namespace

NetworkSpikeFiles::NetworkSpikeFiles(const std::filesystem::path& folder, const network::SparseNetwork& network)
    : folder_(made(folder)),
      dt_ms_(network.dt_ms),
      hdf5_(Hdf5File::create(folder / "spikes.h5")),
      csv_(aside(folder), std::ios::binary) {
  hdf5_.write_text("format", "synfire network spikes");
  hdf5_.write<double>("dt_ms", std::vector<double>{dt_ms_}, {1});
  std::int32_t first = 0;
  for (const network::SparsePopulation& population : network.populations) {
    const std::string group = "populations/" + population.name;
    hdf5_.write<std::int64_t>(group + "/size", std::vector<std::int64_t>{population.size}, {1});
    hdf5_.append<std::int64_t>(group + "/tick", {});
    hdf5_.append<std::int32_t>(group + "/neuron", {});
    populations_.push_back({population.name, first, {}, {}});
    first += population.size;
  }
  csv_ << "time_ms,population,neuron\n";
}

NetworkSpikeFiles::~NetworkSpikeFiles() {
  csv_.close();
  std::error_code ignored;
  std::filesystem::remove(aside(folder_), ignored);
}

void NetworkSpikeFiles::add(std::int64_t tick, std::span<const std::int32_t> neurons) {
  std::size_t p = 0;
  for (const std::int32_t neuron : neurons) {
    while (p + 1 < populations_.size() && neuron >= populations_[p + 1].first) ++p;
    Population& population = populations_[p];
    population.tick.push_back(tick);
    population.neuron.push_back(neuron - population.first);
    fmt::format_to(std::back_inserter(lines_), "{:.7g},{},{}\n", static_cast<double>(tick) * dt_ms_, population.name,
                   neuron - population.first);
  }
  waiting_ += neurons.size();
  if (waiting_ >= kSpikesAtOnce) flush();
}

void NetworkSpikeFiles::flush() {
  for (Population& population : populations_) {
    if (population.tick.empty()) continue;
    hdf5_.append<std::int64_t>("populations/" + population.name + "/tick", population.tick);
    hdf5_.append<std::int32_t>("populations/" + population.name + "/neuron", population.neuron);
    population.tick.clear();
    population.neuron.clear();
  }
  csv_.write(lines_.data(), std::ssize(lines_));
  lines_.clear();
  waiting_ = 0;
}

void NetworkSpikeFiles::commit(std::int64_t num_ticks) {
  flush();
  hdf5_.write<std::int64_t>("num_ticks", std::vector<std::int64_t>{num_ticks}, {1});
  csv_.close();
  if (csv_.fail()) throw FileError((folder_ / "spikes.csv").string(), "cannot write");
  publish_file(aside(folder_), folder_ / "spikes.csv");
  hdf5_.commit();
}

}  // namespace synfire::apps
