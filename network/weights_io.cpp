#include "network/weights_io.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hdf5_file.hpp"

namespace synfire::network {

namespace {

const std::string kGroup = "weights";
/// What a checkpoint adds to the group.
const std::string kChecksum = "checksum";

std::string path_of(const std::string& tensor) { return kGroup + "/" + tensor; }

void check_tensors(const Hdf5File& opened, const std::string& file, const Network<float>& network) {
  for (const NamedTensor<float>& tensor : network.tensors) {
    const std::string path = path_of(tensor.name);
    if (!opened.has(path)) throw FormatError(file, fmt::format("{}: is missing; the network has it", path));
    const Shape shape = opened.shape(path);
    if (shape != tensor.value.shape()) {
      throw FormatError(file, fmt::format("{}: has the shape {}, the network's is {}", path, shape.text(),
                                          tensor.value.shape().text()));
    }
  }
  for (const std::string& name : opened.members(kGroup)) {
    const bool known = name == kChecksum || std::any_of(network.tensors.begin(), network.tensors.end(),
                                                        [&](const auto& tensor) { return tensor.name == name; });
    if (!known) throw FormatError(file, fmt::format("{}: the network has no such tensor", path_of(name)));
  }
}

}  // namespace

void write_weights(const std::filesystem::path& file, const Network<float>& network) {
  Hdf5File created = Hdf5File::create(file);
  for (const NamedTensor<float>& tensor : network.tensors) {
    created.write<float>(path_of(tensor.name), tensor.value.span(), tensor.value.shape());
  }
  created.commit();
}

void read_weights(const std::filesystem::path& file, Network<float>& network) {
  const Hdf5File opened = Hdf5File::open(file);
  check_tensors(opened, file.string(), network);
  for (NamedTensor<float>& tensor : network.tensors) opened.read_into<float>(path_of(tensor.name), tensor.value.span());
}

}  // namespace synfire::network
