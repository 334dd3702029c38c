#include <algorithm>
#include <cmath>
#include <vector>

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

/// In eight interleaved sums, so that it becomes vector code.
double dot(const double* a, const double* b, std::ptrdiff_t count) {
  double sum[8] = {};
  std::ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::ptrdiff_t k = 0; k < 8; ++k) sum[k] += a[i + k] * b[i + k];
  }
  for (; i < count; ++i) sum[i % 8] += a[i] * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/// Fills [rows, columns], rows <= columns, with orthonormal rows: normal numbers, then Gram-Schmidt, each row twice
/// against those before it, which leaves no more than rounding.
template <class Scalar>
void draw_orthogonal(const RandomStream& random, Tensor<Scalar>& tensor) {
  const std::ptrdiff_t rows = tensor.shape()[0], columns = tensor.shape()[1];
  std::vector<double> q(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = random.normal(i);
  std::vector<double> product(static_cast<std::size_t>(rows));
  for (std::ptrdiff_t r = 0; r < rows; ++r) {
    double* const row = q.data() + r * columns;
    for (int pass = 0; pass < 2; ++pass) {
      parallel_for(r, 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        for (std::ptrdiff_t k = begin; k < end; ++k) {
          product[static_cast<std::size_t>(k)] = dot(row, q.data() + k * columns, columns);
        }
      });
      parallel_for(columns, 64, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        for (std::ptrdiff_t k = 0; k < r; ++k) {
          const double factor = product[static_cast<std::size_t>(k)];
          for (std::ptrdiff_t c = begin; c < end; ++c) row[c] -= factor * q[static_cast<std::size_t>(k * columns + c)];
        }
      });
    }
    const double length = std::sqrt(dot(row, row, columns));
    for (std::ptrdiff_t c = 0; c < columns; ++c) {
      row[c] /= length;
      tensor[r * columns + c] = static_cast<Scalar>(row[c]);
    }
  }
}

template <class Scalar>
void draw(const ParameterFacts& facts, const RandomStream& random, Tensor<Scalar>& tensor) {
  using Law = ParameterFacts::Start::Law;
  const ParameterFacts::Start& start = facts.start;
  if (start.law == Law::orthogonal) return draw_orthogonal(random, tensor);
  parallel_for(tensor.size(), 4096, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      const double unit = random.uniform(static_cast<std::uint64_t>(i));
      double value = start.middle() + start.half() * (2.0 * unit - 1.0);
      if (start.law == Law::uniform_whole) value = std::nearbyint(value);
      if (start.law == Law::bernoulli) value = unit < start.high ? 1.0 : 0.0;
      if (start.law == Law::normal) value = start.low + start.high * random.normal(static_cast<std::uint64_t>(i));
      if (start.law == Law::log_count) value = std::log1p(static_cast<double>(i % tensor.shape().channels()));
      if (start.law == Law::steps) {
        const double step = start.low * std::pow(start.high / start.low, unit);
        value = step + std::log(-std::expm1(-step));
      }
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
