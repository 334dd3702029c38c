#include "apps/simulate/spike_files.hpp"

#include <cstddef>
#include <iterator>

#include <fmt/format.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"

namespace synfire::apps {

namespace {

std::filesystem::path made(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) throw FileError(folder.string(), "cannot make the folder: " + problem.message());
  return folder;
}

}  // namespace

SpikeFiles::SpikeFiles(const std::filesystem::path& folder, const std::vector<SimulatedLayer>& layers, double dt_ms)
    : folder_(made(folder)), columns_(layers.size()), file_(Hdf5File::create(hdf5())), csv_(csv_aside()) {
  file_.write_text("format", "synfire spikes");
  file_.write<std::int64_t>("format_version", std::vector<std::int64_t>{1}, {1});
  file_.write<double>("dt_ms", std::vector<double>{dt_ms}, {1});
  file_.append<std::int64_t>("samples/index", {});
  file_.append<std::int64_t>("samples/num_ticks", {});
  for (const SimulatedLayer& layer : layers) {
    names_.push_back(layer.name);
    if (!layer.fires) continue;
    const std::string group = "layers/" + layer.name;
    std::vector<std::int64_t> extents;
    for (int axis = 0; axis < layer.shape.rank(); ++axis) extents.push_back(layer.shape[axis]);
    file_.write<std::int64_t>(group + "/shape", extents, {std::ssize(extents)});
    file_.append<std::int64_t>(group + "/sample", {});
    file_.append<std::int32_t>(group + "/tick", {});
    file_.append<std::int32_t>(group + "/neuron", {});
  }
  csv_ << "sample,layer,tick,neuron\n";
}

SpikeFiles::~SpikeFiles() {
  csv_.close();
  std::error_code ignored;
  std::filesystem::remove(csv_aside(), ignored);
}

void SpikeFiles::add(const std::vector<std::int64_t>& index, std::int64_t num_ticks,
                     const std::vector<std::vector<network::EventSpike>>& of_input,
                     const std::vector<std::vector<network::EventSpike>>& of_layers) {
  for (std::size_t b = 0; b < index.size(); ++b) {
    collect(index[b], of_input[b]);
    collect(index[b], of_layers[b]);
  }
  file_.append<std::int64_t>("samples/index", index);
  file_.append<std::int64_t>("samples/num_ticks", std::vector<std::int64_t>(index.size(), num_ticks));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Columns& of_layer = columns_[i];
    if (of_layer.tick.empty()) continue;
    const std::string group = "layers/" + names_[i];
    file_.append<std::int64_t>(group + "/sample", of_layer.sample);
    file_.append<std::int32_t>(group + "/tick", of_layer.tick);
    file_.append<std::int32_t>(group + "/neuron", of_layer.neuron);
    of_layer = {};
  }
  csv_.write(lines_.data(), std::ssize(lines_));
  lines_.clear();
}

void SpikeFiles::collect(std::int64_t sample, const std::vector<network::EventSpike>& spikes) {
  for (const network::EventSpike& spike : spikes) {
    const auto layer = static_cast<std::size_t>(spike.population);
    columns_[layer].sample.push_back(sample);
    columns_[layer].tick.push_back(spike.tick);
    columns_[layer].neuron.push_back(spike.neuron);
    fmt::format_to(std::back_inserter(lines_), "{},{},{},{}\n", sample, names_[layer], spike.tick, spike.neuron);
  }
}

void SpikeFiles::commit() {
  csv_.close();
  if (csv_.fail()) throw FileError(csv().string(), "cannot write");
  publish_file(csv_aside(), csv());
  file_.commit();
}

}  // namespace synfire::apps
