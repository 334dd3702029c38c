#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "core/tensor.hpp"
#include "neurons/selective_scan.hpp"
#include "tests/reference/selective_scan_reference.hpp"
#include "tests/support/sequence_orders.hpp"

/// What the tests of the selective scan share: its arguments, and both passes in memory that is full of other things.
namespace synfire::test {

struct ScanProblem {
  Shape u;
  SequenceOrder order;
  std::ptrdiff_t states = 1;
  ScanValues values;
  std::vector<double> grad_y;
  bool spikes = false;                    ///< u is handed over as spikes
  std::vector<double> state, grad_state;  ///< empty: not used

  Shape bc() const {
    Shape shape{2 * states};
    for (int k = u.rank() - 2; k >= 0; --k) shape = shape.prepend(u[k]);
    return shape;
  }
  Shape state_shape() const { return {Sequences(u, order).count(), states, u.channels()}; }
};

inline std::vector<double> uniform_values(std::ptrdiff_t count, std::uint32_t stream, double low, double high) {
  const RandomStream random(3, stream, 0);
  std::vector<double> values;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    // Numbers that float has, so that both precisions start from the same.
    const double value = low + (high - low) * random.uniform(static_cast<std::uint64_t>(i));
    values.push_back(static_cast<double>(static_cast<float>(value)));
  }
  return values;
}

inline ScanProblem random_scan(const Shape& u, SequenceOrder order, std::ptrdiff_t states, bool spikes = false) {
  ScanProblem problem{u, order, states, {}, {}, spikes, {}, {}};
  ScanValues& x = problem.values;
  x.u = uniform_values(u.size(), 1, -1.0, 1.0);
  if (spikes) {
    for (double& value : x.u) value = value > 0.2 ? 1.0 : 0.0;
  }
  x.delta = uniform_values(u.size(), 2, -4.0, 1.0);
  x.bc = uniform_values(problem.bc().size(), 3, -1.0, 1.0);
  x.a_log = uniform_values(u.channels() * states, 4, -2.0, 2.0);
  x.d = uniform_values(u.channels(), 5, -1.0, 1.0);
  x.dt_bias = uniform_values(u.channels(), 6, -0.5, 0.5);
  problem.grad_y = uniform_values(u.size(), 7, -1.0, 1.0);
  return problem;
}

template <class Scalar>
Tensor<Scalar> tensor_from(const std::vector<double>& values, const Shape& shape) {
  Tensor<Scalar> tensor(shape);
  for (std::ptrdiff_t i = 0; i < tensor.size(); ++i) {
    tensor[i] = static_cast<Scalar>(values[static_cast<std::size_t>(i)]);
  }
  return tensor;
}

/// B and C behind other values of their tokens, which nobody may read.
template <class Scalar>
Tensor<Scalar> bc_behind_others(const ScanProblem& problem) {
  const std::ptrdiff_t size = 2 * problem.states, width = size + 3;
  const std::ptrdiff_t rows = problem.bc().size() / size;
  Tensor<Scalar> tensor({rows, width});
  for (std::ptrdiff_t i = 0; i < tensor.size(); ++i) tensor[i] = std::numeric_limits<Scalar>::quiet_NaN();
  for (std::ptrdiff_t i = 0; i < rows * size; ++i) {
    tensor[(i / size + 1) * width - size + i % size] =
        static_cast<Scalar>(problem.values.bc[static_cast<std::size_t>(i)]);
  }
  return tensor;
}

template <class Scalar>
struct ScanResult {
  std::vector<Scalar> y, chunk_states, state;
  /// of u, delta, bc, a_log, d, dt_bias
  std::vector<std::vector<Scalar>> gradients;
  std::vector<Scalar> grad_state;

  bool operator==(const ScanResult&) const = default;
};

enum class ScanForm : std::uint8_t { sequential, chunked };

template <class Scalar>
ScanResult<Scalar> run_scan(const ScanProblem& problem, ScanForm form = ScanForm::sequential, bool backward = true) {
  const ScanValues& x = problem.values;
  const Shape row{problem.u.channels()}, rates{problem.u.channels(), problem.states};
  const Tensor<Scalar> u = tensor_from<Scalar>(x.u, problem.u);
  Tensor<std::uint8_t> spikes(problem.u);
  for (std::ptrdiff_t i = 0; i < spikes.size(); ++i) spikes[i] = x.u[static_cast<std::size_t>(i)] != 0.0 ? 1 : 0;
  Tensor<Scalar> delta = tensor_from<Scalar>(x.delta, problem.u);
  const Tensor<Scalar> bc = bc_behind_others<Scalar>(problem);
  const Tensor<Scalar> a_log = tensor_from<Scalar>(x.a_log, rates), d = tensor_from<Scalar>(x.d, row),
                       dt_bias = tensor_from<Scalar>(x.dt_bias, row);
  const Signal<Scalar> signal{problem.u, problem.spikes ? nullptr : u.data(), problem.spikes ? spikes.data() : nullptr,
                              Device::cpu};
  const neurons::ScanInput<Scalar> input{signal, std::as_const(delta).view(), bc.view()};
  const neurons::ScanParameters<Scalar> parameters{a_log.view(), d.view(), dt_bias.view()};

  Tensor<Scalar> y(problem.u), states(neurons::scan_chunk_states_shape(problem.u, problem.order, problem.states));
  Tensor<Scalar> state, grad_state;
  if (!problem.state.empty()) state = tensor_from<Scalar>(problem.state, problem.state_shape());
  if (!problem.grad_state.empty()) grad_state = tensor_from<Scalar>(problem.grad_state, problem.state_shape());
  const Tensor<Scalar> first = problem.state.empty() ? Tensor<Scalar>() : state.to(Device::cpu);
  std::vector<std::byte> scratch(neurons::scan_forward_scratch_bytes<Scalar>(problem.u, problem.order, problem.states),
                                 std::byte{0xFF});
  if (form == ScanForm::chunked) {
    neurons::selective_scan_forward_chunked<Scalar>(input, parameters, problem.order, y.view(), states.view(), scratch);
  } else {
    neurons::selective_scan_forward<Scalar>(input, parameters, problem.order, y.view(), states.view(), state.view(),
                                            scratch);
  }
  ScanResult<Scalar> result;
  const auto copy = [](const Tensor<Scalar>& t) { return std::vector<Scalar>(t.span().begin(), t.span().end()); };
  result.y = copy(y);
  result.chunk_states = copy(states);
  result.state = copy(state);
  if (!backward) return result;

  // In place as far as it goes.
  Tensor<Scalar> grad = tensor_from<Scalar>(problem.grad_y, problem.u), grad_bc(bc.shape()), grad_a_log(rates),
                 grad_d(row), grad_bias(row);
  scratch.assign(neurons::scan_backward_scratch_bytes<Scalar>(problem.u, problem.order, problem.states),
                 std::byte{0xFF});
  neurons::selective_scan_backward<Scalar>(
      input, parameters, problem.order, std::as_const(states).view(), first.view(), std::as_const(grad).view(),
      {grad.view(), delta.view(), grad_bc.view(), grad_a_log.view(), grad_d.view(), grad_bias.view()},
      grad_state.view(), scratch);
  result.gradients = {copy(grad), copy(delta), {}, copy(grad_a_log), copy(grad_d), copy(grad_bias)};
  for (std::ptrdiff_t i = 0; i < problem.bc().size(); ++i) {
    const std::ptrdiff_t size = 2 * problem.states, width = bc.shape()[1];
    result.gradients[2].push_back(grad_bc[(i / size + 1) * width - size + i % size]);
  }
  result.grad_state = copy(grad_state);
  return result;
}

}  // namespace synfire::test
