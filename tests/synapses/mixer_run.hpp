#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "synapses/mixers/mixer.hpp"
#include "tests/synapses/op_checks.hpp"

/// Runs of any mixer of the table, for tests of all of them.
namespace synfire::test {

template <class Scalar>
struct MixerTensors {
  Tensor<Scalar> q, k, v, gate;

  synapses::MixerInput<Scalar> input() const {
    synapses::MixerInput<Scalar> in{signal_of(q), signal_of(k), signal_of(v)};
    if (gate.size() > 0) in.gate = gate.view();
    return in;
  }
};

template <class Scalar>
struct MixerOutput {
  Tensor<Scalar> o, kept;
};

template <class Scalar>
MixerOutput<Scalar> run_mixer(const MixerTensors<Scalar>& x, const synapses::MixerConfig& config,
                              synapses::MixerForm form) {
  const synapses::Mixer<Scalar>& mixer = synapses::mixer_of<Scalar>(config.kind);
  const Shape& shape = x.q.shape();
  MixerOutput<Scalar> result{filled<Scalar>(shape), filled<Scalar>(synapses::mixer_head_shape(config, shape))};
  std::vector<std::byte> scratch(mixer.scratch_bytes(config, shape, form, false));
  const synapses::RopeTable<Scalar> rope(config, shape);
  mixer.forward({x.input(), config, rope, form, scratch}, result.o.view(), result.kept.view());
  return result;
}

/// Gradients, in the place of what they are of.
template <class Scalar>
MixerTensors<Scalar> run_mixer_backward(const MixerTensors<Scalar>& x, const synapses::MixerConfig& config,
                                        synapses::MixerForm form, const Tensor<Scalar>& grad_o) {
  const synapses::Mixer<Scalar>& mixer = synapses::mixer_of<Scalar>(config.kind);
  const Shape& shape = x.q.shape();
  const MixerOutput<Scalar> out = run_mixer(x, config, form);
  MixerTensors<Scalar> grads{filled<Scalar>(shape), filled<Scalar>(shape), filled<Scalar>(shape), {}};
  synapses::MixerGradients<Scalar> views{grads.q.view(), grads.k.view(), grads.v.view()};
  if (x.gate.size() > 0) {
    grads.gate = filled<Scalar>(x.gate.shape());
    views.gate = grads.gate.view();
  }
  std::vector<std::byte> scratch(mixer.scratch_bytes(config, shape, form, true));
  const synapses::RopeTable<Scalar> rope(config, shape);
  mixer.backward({x.input(), config, rope, form, scratch}, out.o.view(), out.kept.view(), grad_o.view(), views);
  return grads;
}

/// The largest difference over the largest number of `expected`, or over a tenth: inputs are of order 1, and gradients
/// may cancel to 0.
template <class Scalar>
double relative_error(const Tensor<Scalar>& got, const Tensor<double>& expected) {
  REQUIRE(got.shape() == expected.shape());
  double error = 0.0, largest = 0.0;
  for (std::ptrdiff_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - expected[i]);
    if (!(difference <= error)) error = difference;
    largest = std::max(largest, std::abs(expected[i]));
  }
  return error / std::max(largest, 0.1);
}

}  // namespace synfire::test
