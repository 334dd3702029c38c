#pragma once

#include "neurons/lif.hpp"

/// What lif.cpp calls after its checks: shapes fit, nothing is empty, all memory is on the device of the name.
namespace synfire::neurons {

namespace cpu {

template <class Scalar, class Spike>
void lif_forward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params, View<Spike> spikes,
                 std::uint64_t* changed);

template <class Scalar, class Spike>
void lif_backward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                  View<const Scalar> grad_spikes, View<Scalar> grad_x, const ChannelAffineGrad<Scalar>& affine_grad,
                  View<double> grad_constants, std::span<std::byte> scratch);

template <class Scalar>
void leaky_integrator_forward(View<const Scalar> x, Scalar decay, Scalar gain, View<Scalar> v);

template <class Scalar>
void leaky_integrator_backward(View<const Scalar> grad_v, Scalar decay, Scalar gain, View<Scalar> grad_x);

}  // namespace cpu

namespace cuda {

template <class Scalar, class Spike>
void lif_forward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                 View<Spike> spikes);

template <class Scalar, class Spike>
void lif_backward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                  View<const Scalar> grad_spikes, View<Scalar> grad_x, const ChannelAffineGrad<Scalar>& affine_grad,
                  View<double> grad_constants, std::span<std::byte> scratch);

template <class Scalar>
void leaky_integrator_forward(View<const Scalar> x, Scalar decay, Scalar gain, View<Scalar> v);

template <class Scalar>
void leaky_integrator_backward(View<const Scalar> grad_v, Scalar decay, Scalar gain, View<Scalar> grad_x);

}  // namespace cuda

/// Rows of C partial sums that the scratch of lif_backward holds, for each of scale and shift. Few channels get many
/// rows, so that a GPU has a thread for each partial sum.
inline std::ptrdiff_t lif_num_partial_sums(std::ptrdiff_t num_channels) {
  constexpr std::ptrdiff_t kThreads = 131072;
  constexpr std::ptrdiff_t kFewest = 64;
  constexpr std::ptrdiff_t kMost = 16384;
  const std::ptrdiff_t rows = num_channels == 0 ? kFewest : kThreads / num_channels;
  return rows < kFewest ? kFewest : rows > kMost ? kMost : rows;
}

/// Pairs of partial sums behind those rows, for the gradients of decay and gain: one for each kLifBlockSize threads of
/// a GPU, and for each chunk of tiles on a CPU.
inline constexpr int kLifBlockSize = 128;
inline std::ptrdiff_t lif_num_constant_sums(std::ptrdiff_t num_channels) {
  constexpr std::ptrdiff_t kChunks = 64;
  const std::ptrdiff_t blocks = (lif_num_partial_sums(num_channels) * num_channels + kLifBlockSize - 1) / kLifBlockSize;
  return blocks < kChunks ? kChunks : blocks;
}

}  // namespace synfire::neurons
