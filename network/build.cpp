#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "network/describe.hpp"
#include "network/network.hpp"

namespace synfire::network {

namespace {

/// Random streams of a run are numbered; those that draw initial parameters begin here, a tensor each.
constexpr std::uint32_t kFirstStream = 0x49000000U;

template <class Scalar>
void draw(const ParameterFacts& facts, const RandomStream& random, Tensor<Scalar>& tensor) {
  using Law = ParameterFacts::Start::Law;
  const ParameterFacts::Start& start = facts.start;
  parallel_for(tensor.size(), 4096, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      const double unit = random.uniform(static_cast<std::uint64_t>(i));
      double value = start.middle() + start.half() * (2.0 * unit - 1.0);
      if (start.law == Law::uniform_whole) value = std::nearbyint(value);
      if (start.law == Law::bernoulli) value = unit < start.high ? 1.0 : 0.0;
      tensor[i] = static_cast<Scalar>(std::clamp(value, facts.lowest, facts.highest));
    }
  });
}

}  // namespace

template <class Scalar>
NamedTensor<Scalar>& Network<Scalar>::tensor(const std::string& name) {
  return const_cast<NamedTensor<Scalar>&>(std::as_const(*this).tensor(name));
}

template <class Scalar>
const NamedTensor<Scalar>& Network<Scalar>::tensor(const std::string& name) const {
  for (const NamedTensor<Scalar>& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  throw ShapeError(fmt::format("[network] there is no tensor \"{}\"", name));
}

template <class Scalar>
Network<Scalar> build(const NetworkSpec& spec, const Shape& input, std::uint64_t seed) {
  const std::vector<NodeFacts> facts = describe(spec, input);
  Network<Scalar> network;
  network.spec = spec;
  network.input = input;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    network.node_shapes.push_back(facts[i].output);
    for (const ParameterFacts& parameter : facts[i].parameters) {
      const auto stream = kFirstStream + static_cast<std::uint32_t>(network.tensors.size());
      Tensor<Scalar> tensor(parameter.shape);
      draw(parameter, RandomStream(seed, stream, 0), tensor);
      network.tensors.push_back({fmt::format("{}.{}", spec.nodes[i].name, parameter.name), std::move(tensor),
                                 parameter.trained, parameter.kind, parameter.lowest, parameter.highest});
    }
  }
  return network;
}

template struct Network<float>;
template struct Network<double>;
template Network<float> build(const NetworkSpec&, const Shape&, std::uint64_t);
template Network<double> build(const NetworkSpec&, const Shape&, std::uint64_t);

}  // namespace synfire::network
