#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

#include "core/random.hpp"
#include "core/tensor.hpp"
#include "neurons/lif.hpp"

namespace synfire::test {

/// What a test hands to the LIF operations: y and e of shape [T, B, C], and the affine map, which may be missing.
template <class Scalar>
struct LifInput {
  Shape shape;
  std::vector<Scalar> y;
  std::vector<Scalar> grad_spikes;
  std::vector<Scalar> scale;
  std::vector<Scalar> shift;
};

template <class Scalar>
struct LifOutput {
  std::vector<Scalar> spikes;
  std::vector<Scalar> grad_x;
  std::vector<Scalar> grad_scale;
  std::vector<Scalar> grad_shift;
  std::vector<double> grad_constants;  ///< of decay and gain

  bool operator==(const LifOutput&) const = default;
};

template <class Scalar>
Tensor<Scalar> make_tensor(const std::vector<Scalar>& values, const Shape& shape, Device device) {
  Tensor<Scalar> host(shape);
  for (std::size_t i = 0; i < values.size(); ++i) host.data()[i] = values[i];
  return device == Device::cpu ? std::move(host) : host.to(device);
}

template <class Scalar>
std::vector<Scalar> values_of(const Tensor<Scalar>& tensor) {
  const Tensor<Scalar> host = tensor.to(Device::cpu);
  return {host.data(), host.data() + host.size()};
}

/// Forward, then backward with `input.grad_spikes` in the memory of the result.
template <class Scalar, class Spike>
LifOutput<Scalar> run_lif(const LifInput<Scalar>& input, const neurons::LifParams& params,
                          Device device = Device::cpu) {
  const Shape& shape = input.shape;
  const Shape channels{shape.channels()};
  const bool has_affine = !input.scale.empty();
  const Tensor<Scalar> y = make_tensor(input.y, shape, device);
  const Tensor<Scalar> scale = make_tensor(input.scale, has_affine ? channels : Shape{0}, device);
  const Tensor<Scalar> shift = make_tensor(input.shift, has_affine ? channels : Shape{0}, device);
  const neurons::ChannelAffine<Scalar> affine{scale.view(), shift.view()};
  Tensor<Spike> spikes(shape, device);
  Tensor<Scalar> grad = make_tensor(input.grad_spikes, shape, device);
  // Memory that a step uses holds what the step before left there.
  const std::vector<Scalar> garbage(static_cast<std::size_t>(shape.channels()),
                                    std::numeric_limits<Scalar>::quiet_NaN());
  const std::vector<std::byte> dirt(neurons::lif_scratch_bytes(shape.channels()), std::byte{0xFF});
  Tensor<Scalar> grad_scale = make_tensor(garbage, channels, device);
  Tensor<Scalar> grad_shift = make_tensor(garbage, channels, device);
  Tensor<double> grad_constants = make_tensor(std::vector<double>(2, std::nan("")), Shape{2}, device);
  Buffer scratch(dirt.size(), device);
  copy_bytes(dirt.data(), Device::cpu, scratch.data(), device, dirt.size());

  neurons::lif_forward(y.view(), affine, params, spikes.view());
  const Tensor<Scalar>& grad_spikes = grad;
  neurons::lif_backward<Scalar, Spike>(y.view(), affine, params, grad_spikes.view(), grad.view(),
                                       {grad_scale.view(), grad_shift.view()}, grad_constants.view(),
                                       {scratch.data(), scratch.bytes()});

  LifOutput<Scalar> output;
  for (const Spike s : values_of(spikes)) output.spikes.push_back(static_cast<Scalar>(s));
  output.grad_x = values_of(grad);
  output.grad_scale = values_of(grad_scale);
  output.grad_shift = values_of(grad_shift);
  output.grad_constants = values_of(grad_constants);
  return output;
}

/// Random input that makes about a third of the ticks fire; element i is the same whatever the shape.
template <class Scalar>
LifInput<Scalar> random_lif_input(const Shape& shape, std::uint64_t seed, bool with_affine = true) {
  LifInput<Scalar> input;
  input.shape = shape;
  const RandomStream y(seed, 0, 0), e(seed, 1, 0), scale(seed, 2, 0), shift(seed, 3, 0);
  for (std::ptrdiff_t i = 0; i < shape.size(); ++i) {
    const auto element = static_cast<std::uint64_t>(i);
    input.y.push_back(static_cast<Scalar>(0.7 + 0.8 * y.normal(element)));
    input.grad_spikes.push_back(static_cast<Scalar>(e.normal(element)));
  }
  for (std::ptrdiff_t c = 0; with_affine && c < shape.channels(); ++c) {
    const auto element = static_cast<std::uint64_t>(c);
    input.scale.push_back(static_cast<Scalar>(0.6 + 0.8 * scale.uniform(element)));
    input.shift.push_back(static_cast<Scalar>(0.4 * shift.normal(element)));
  }
  return input;
}

}  // namespace synfire::test
