#include "network/nir_import.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "core/hdf5_vlen_reader.hpp"

namespace synfire::network {

namespace {

class NirReader {
 public:
  NirReader(const std::filesystem::path& file, neurons::FiresAt fires_at)
      : name_(file.string()), file_(Hdf5File::open(file)), fires_at_(fires_at) {}

  Network<float> read() {
    if (file_.read_text("node/type") != "NIRGraph") fail("node", "must be a NIRGraph");
    NetworkSpec spec;
    Shape input;
    for (const std::string& node : chain()) {
      const std::string type = file_.read_text(at(node, "type"));
      if (type == "Input") {
        input = channels_last(at(node, "shape"));
      } else if (type != "Output") {
        spec.nodes.push_back(
            {"node" + node, {spec.nodes.empty() ? kInputName : spec.nodes.back().name}, read(node, type)});
      }
    }
    Network<float> network;
    try {
      network = build<float>(spec, input, 0);
    } catch (const ShapeError& error) {
      throw FormatError(name_, error.what());
    }
    for (auto& [tensor, values] : values_) {
      Tensor<float>& to = network.tensor(tensor).value;
      if (to.size() != std::ssize(values)) {
        throw FormatError(name_, fmt::format("{}: {} has {} numbers, expected {}", tensor, to.shape().text(),
                                             values.size(), to.size()));
      }
      std::copy(values.begin(), values.end(), to.data());
    }
    return network;
  }

 private:
  static std::string at(const std::string& node, const std::string& field) {
    return fmt::format("node/nodes/{}/{}", node, field);
  }
  [[noreturn]] void fail(const std::string& node, const std::string& problem) const {
    throw FormatError(name_, fmt::format("node \"{}\" {}", node, problem));
  }

  /// The nodes from Input to Output.
  std::vector<std::string> chain() const {
    const std::vector<std::string> ends = read_texts(file_, "node/edges");
    std::map<std::string, std::string> next;
    for (std::size_t k = 0; k + 1 < ends.size(); k += 2) {
      if (!next.emplace(ends[k], ends[k + 1]).second) fail(ends[k], "has several targets; a chain is read");
    }
    std::vector<std::string> result;
    for (const std::string& node : file_.members("node/nodes")) {
      if (file_.read_text(at(node, "type")) == "Input") result.push_back(node);
    }
    if (result.size() != 1) throw FormatError(name_, "has no single Input node");
    while (next.contains(result.back())) {
      if (result.size() > next.size() + 1) fail(result.back(), "is part of a cycle; a chain is read");
      result.push_back(next[result.back()]);
    }
    if (file_.read_text(at(result.back(), "type")) != "Output") fail(result.back(), "leads nowhere, and is no Output");
    return result;
  }

  std::vector<float> numbers(const std::string& node, const std::string& field) const {
    return file_.read<float>(at(node, field));
  }
  /// Two equal numbers, such as a stride.
  int square(const std::string& node, const std::string& field) const {
    const std::vector<std::int64_t> pair = file_.read<std::int64_t>(at(node, field));
    if (pair.empty() || pair.front() != pair.back() || pair.front() < 0 || pair.front() > 1024) {
      fail(node, fmt::format("must have the same {} on both axes", field));
    }
    return static_cast<int>(pair.front());
  }
  /// [C, H, W] or [C] as the shape of a tick.
  Shape channels_last(const std::string& path) const {
    const std::vector<std::int64_t> s = file_.read<std::int64_t>(path);
    if (s.size() == 1) return {s[0]};
    if (s.size() == 3) return {s[1], s[2], s[0]};
    throw FormatError(name_, path + " must be [C, H, W] or [C]");
  }
  /// All of one value.
  double uniform(const std::string& node, const std::string& field) const {
    const std::vector<float> values = numbers(node, field);
    if (values.empty() || std::any_of(values.begin(), values.end(), [&](float v) { return v != values[0]; })) {
      fail(node, fmt::format("must have one {} for all neurons", field));
    }
    return static_cast<double>(values[0]);
  }
  void keep(const std::string& node, const std::string& name, std::vector<float> values, float factor) {
    for (float& value : values) value *= factor;
    values_.emplace_back(fmt::format("node{}.{}", node, name), std::move(values));
  }
  /// What windows that were summed have left for the next weights.
  float take_factor() { return std::exchange(factor_, 1.0F); }

  Operation read(const std::string& node, const std::string& type) {
    if (type == "Conv2d") {
      const Shape weight = file_.shape(at(node, "weight"));
      if (weight.rank() != 4 || weight[2] != weight[3]) fail(node, "must have square kernels, has " + weight.text());
      if (square(node, "dilation") != 1 || square(node, "groups") != 1) fail(node, "must have dilation 1 and groups 1");
      keep(node, "weight", numbers(node, "weight"), take_factor());
      keep(node, "bias", numbers(node, "bias"), 1.0F);
      return Conv2dSpec{static_cast<int>(weight[0]), static_cast<int>(weight[2]), square(node, "stride"),
                        square(node, "padding"), true};
    }
    if (type == "Affine" || type == "Linear") {
      const Shape weight = file_.shape(at(node, "weight"));
      if (weight.rank() != 2) fail(node, "must have weights [out, in], has " + weight.text());
      keep(node, "weight", numbers(node, "weight"), take_factor());
      if (type == "Affine") keep(node, "bias", numbers(node, "bias"), 1.0F);
      return LinearSpec{static_cast<int>(weight[0]), type == "Affine"};
    }
    if (type == "SumPool2d" || type == "AvgPool2d") {
      if (square(node, "padding") != 0) fail(node, "must have no padding");
      const int kernel = square(node, "kernel_size");
      if (type == "SumPool2d") factor_ *= static_cast<float>(kernel * kernel);
      return AvgPoolSpec{{kernel, square(node, "stride")}};
    }
    if (type == "Flatten") return FlattenSpec{};
    if (type == "IF") {
      if (factor_ != 1.0F) fail(node, "must not stand behind a SumPool2d without weights in between");
      if (uniform(node, "r") != 1.0) fail(node, "must have r = 1");
      neurons::LifConfig config;
      config.tau_mem_ms = std::numeric_limits<double>::infinity();
      config.decay_input = false;
      config.v_th = uniform(node, "v_threshold");
      config.fires_at = fires_at_;
      if (file_.has(at(node, "v_reset"))) config.v_reset = uniform(node, "v_reset");
      return LifSpec{config};
    }
    fail(node, fmt::format("is of type {}, which is not read", type));
  }

  std::string name_;
  Hdf5File file_;
  neurons::FiresAt fires_at_;
  float factor_ = 1.0F;
  std::vector<std::pair<std::string, std::vector<float>>> values_;
};

}  // namespace

Network<float> read_nir(const std::filesystem::path& file, neurons::FiresAt fires_at) {
  return NirReader(file, fires_at).read();
}

}  // namespace synfire::network
