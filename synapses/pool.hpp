#pragma once

#include "core/signal.hpp"
#include "core/tensor.hpp"

namespace synfire::synapses {

/// Square windows without padding; a last partial window is left out (floor), as in PyTorch.
struct PoolGeometry {
  int kernel = 2;
  int stride = 2;

  int out_extent(int in_extent) const { return (in_extent - kernel) / stride + 1; }
};

/// y = max over each window of x. [F..., H, W, C] -> [F..., H', W', C]. On spikes it is a logical or.
template <class Scalar>
void max_pool_forward(const Signal<Scalar>& x, const PoolGeometry& geometry, View<Scalar> y);
void max_pool_forward_spikes(View<const std::uint8_t> x, const PoolGeometry& geometry, View<std::uint8_t> y);

/// The gradient goes to the first maximum of a window in row-major order, as in PyTorch. Overwrites grad_x.
template <class Scalar>
void max_pool_backward(const Signal<Scalar>& x, const PoolGeometry& geometry, View<const Scalar> grad_y,
                       View<Scalar> grad_x);

/// y = mean over each window of x; real values also for spikes.
template <class Scalar>
void avg_pool_forward(const Signal<Scalar>& x, const PoolGeometry& geometry, View<Scalar> y);

/// Every element of a window gets 1/kernel^2 of its gradient. Overwrites grad_x.
template <class Scalar>
void avg_pool_backward(const PoolGeometry& geometry, View<const Scalar> grad_y, View<Scalar> grad_x);

}  // namespace synfire::synapses
