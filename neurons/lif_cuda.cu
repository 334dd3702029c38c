#include <algorithm>
#include <type_traits>

#include "core/cuda/check.cuh"
#include "neurons/lif_backend.hpp"
#include "neurons/lif_step.hpp"

namespace synfire::neurons::cuda {

namespace {

using synfire::cuda::check;

constexpr int kBlockSize = kLifBlockSize;
constexpr int kSegment = 16;         ///< ticks whose y, e and h a thread of the backward pass keeps in registers
constexpr int kMaxCheckpoints = 64;  ///< membranes of earlier ticks that it keeps beside them

/// One call, as the kernels see it; all pointers are device pointers.
template <class Scalar>
struct Layer {
  Layer(View<const Scalar> input, const ChannelAffine<Scalar>& affine, const LifParams& params)
      : constants(params),
        num_ticks(input.shape[0]),
        num_neurons(input.shape.size_from(1)),
        num_channels(input.shape.channels()),
        y(input.data),
        scale(affine.scale.empty() ? nullptr : affine.scale.data),
        shift(affine.shift.empty() ? nullptr : affine.shift.data) {}

  LifConstants<Scalar> constants;
  std::ptrdiff_t num_ticks;
  std::ptrdiff_t num_neurons;
  std::ptrdiff_t num_channels;
  const Scalar* y;
  const Scalar* scale;
  const Scalar* shift;
};

unsigned blocks_for(std::ptrdiff_t num_threads) {
  return static_cast<unsigned>((num_threads + kBlockSize - 1) / kBlockSize);
}

// One thread per neuron, through all ticks with the membrane in a register.
template <class Rule, class Scalar, class Spike>
__global__ void forward_kernel(Layer<Scalar> layer, Spike* __restrict__ spikes) {
  const std::ptrdiff_t n = static_cast<std::ptrdiff_t>(blockIdx.x) * kBlockSize + threadIdx.x;
  if (n >= layer.num_neurons) return;
  const LifStep<Rule, Scalar> step{layer.constants};
  const std::ptrdiff_t c = n % layer.num_channels;
  const Scalar scale = layer.scale == nullptr ? Scalar(1) : layer.scale[c];
  const Scalar shift = layer.shift == nullptr ? Scalar(0) : layer.shift[c];
  Scalar v = layer.constants.v_reset;
#pragma unroll 8
  for (std::ptrdiff_t t = 0; t < layer.num_ticks; ++t) {
    const Scalar h = step.charge(v, step.current(layer.y[t * layer.num_neurons + n], scale, shift));
    const Scalar s = step.spike(h);
    v = step.reset(h, s);
    if constexpr (Rule::kSmooth) {
      spikes[t * layer.num_neurons + n] = s;
    } else {
      // Not a conversion of s: nvcc 13.0 then stores another tick's spike in the fifth of eight unrolled ticks (sm_90,
      // double, hard reset). The parity test with the CPU shows it.
      spikes[t * layer.num_neurons + n] = h >= layer.constants.v_fire ? Spike(1) : Spike(0);
    }
  }
}

struct Pair {
  double first, second;
};

// Sums over the block, in thread 0, as a tree of fixed shape.
__device__ Pair block_sum(double first, double second) {
  __shared__ double part[2][kBlockSize];
  part[0][threadIdx.x] = first;
  part[1][threadIdx.x] = second;
  for (unsigned half = kBlockSize / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x >= half) continue;
    part[0][threadIdx.x] += part[0][threadIdx.x + half];
    part[1][threadIdx.x] += part[1][threadIdx.x + half];
  }
  return {part[0][0], part[1][0]};
}

// Thread i of `num_rows * C` takes the neurons i, i + num_rows C, ..., which all belong to channel i % C, back through
// time, and writes its part of the channel's sums to partial_sums[i / C][scale or shift][i % C] (unless null). With
// kConstants, each block writes its sums for decay and gain to constant_sums[block]. grad_x may be grad_spikes: a
// segment's e is read before its dL/dx is written.
template <class Rule, bool kConstants, class Scalar>
__global__ void backward_kernel(Layer<Scalar> layer, std::ptrdiff_t num_rows, const Scalar* grad_spikes, Scalar* grad_x,
                                double* __restrict__ partial_sums, double* __restrict__ constant_sums) {
  const std::ptrdiff_t num_threads = num_rows * layer.num_channels;
  const std::ptrdiff_t thread = static_cast<std::ptrdiff_t>(blockIdx.x) * kBlockSize + threadIdx.x;
  const bool has_neurons = thread < num_threads;
  const LifStep<Rule, Scalar> step{layer.constants};
  const std::ptrdiff_t c = thread % layer.num_channels;
  const Scalar scale = layer.scale == nullptr ? Scalar(1) : layer.scale[c];
  const Scalar shift = layer.shift == nullptr ? Scalar(0) : layer.shift[c];
  const std::ptrdiff_t num_segments = (layer.num_ticks + kSegment - 1) / kSegment;
  const std::ptrdiff_t spacing = (num_segments + kMaxCheckpoints - 1) / kMaxCheckpoints;  // segments per checkpoint
  double sum_scale = 0.0;
  double sum_shift = 0.0;
  double sum_decay = 0.0;
  double sum_gain = 0.0;

  for (std::ptrdiff_t n = has_neurons ? thread : layer.num_neurons; n < layer.num_neurons; n += num_threads) {
    const auto advance = [&](Scalar v, std::ptrdiff_t from, std::ptrdiff_t to) {
      for (std::ptrdiff_t t = from; t < to; ++t) {
        const Scalar h = step.charge(v, step.current(layer.y[t * layer.num_neurons + n], scale, shift));
        v = step.reset(h, step.spike(h));
      }
      return v;
    };
    Scalar checkpoints[kMaxCheckpoints];
    Scalar v = layer.constants.v_reset;
    for (std::ptrdiff_t segment = 0; segment + 1 < num_segments; ++segment) {
      if (segment % spacing == 0) checkpoints[segment / spacing] = v;
      v = advance(v, segment * kSegment, (segment + 1) * kSegment);
    }

    Scalar lambda = Scalar(0);
    for (std::ptrdiff_t segment = num_segments - 1; segment >= 0; --segment) {
      const std::ptrdiff_t begin = segment * kSegment;
      if (segment + 1 < num_segments) {
        const std::ptrdiff_t checkpoint = segment / spacing;
        v = advance(checkpoints[checkpoint], checkpoint * spacing * kSegment, begin);
      }
      const Scalar v_begin = v;
      Scalar y[kSegment];
      Scalar e[kSegment];
      Scalar h[kSegment];
#pragma unroll
      for (int i = 0; i < kSegment; ++i) {
        const bool inside = begin + i < layer.num_ticks;
        y[i] = inside ? layer.y[(begin + i) * layer.num_neurons + n] : Scalar(0);
        e[i] = inside ? grad_spikes[(begin + i) * layer.num_neurons + n] : Scalar(0);
      }
#pragma unroll
      for (int i = 0; i < kSegment; ++i) {
        h[i] = step.charge(v, step.current(y[i], scale, shift));
        v = step.reset(h[i], step.spike(h[i]));
      }
#pragma unroll
      for (int i = kSegment - 1; i >= 0; --i) {
        if (begin + i >= layer.num_ticks) continue;
        lambda = step.lambda(h[i], e[i], layer.constants.decay * lambda);
        const Scalar g = layer.constants.gain * lambda;
        grad_x[(begin + i) * layer.num_neurons + n] = g;
        sum_scale += static_cast<double>(g) * static_cast<double>(y[i]);
        sum_shift += static_cast<double>(g);
        if constexpr (kConstants) {
          const Scalar before = i == 0 ? v_begin : step.reset(h[i - 1], step.spike(h[i - 1]));
          sum_decay += static_cast<double>(lambda) * static_cast<double>(before - layer.constants.v_reset);
          sum_gain += static_cast<double>(lambda) * static_cast<double>(step.current(y[i], scale, shift));
        }
      }
    }
  }
  if constexpr (kConstants) {
    const auto [decay, gain] = block_sum(sum_decay, sum_gain);
    if (threadIdx.x == 0) {
      constant_sums[2 * blockIdx.x] = decay;
      constant_sums[2 * blockIdx.x + 1] = gain;
    }
  }
  if (partial_sums == nullptr || !has_neurons) return;
  double* const row = partial_sums + thread / layer.num_channels * 2 * layer.num_channels;
  row[c] = sum_scale;
  row[layer.num_channels + c] = sum_shift;
}

// One block per channel adds its column of partial sums: each thread a strided part in order, then a tree.
template <class Scalar>
__global__ void total_kernel(const double* __restrict__ partial_sums, std::ptrdiff_t num_rows,
                             std::ptrdiff_t num_channels, Scalar* grad_scale, Scalar* grad_shift) {
  const std::ptrdiff_t c = blockIdx.x;
  Pair sum{0.0, 0.0};
  for (std::ptrdiff_t row = threadIdx.x; row < num_rows; row += kBlockSize) {
    sum.first += partial_sums[2 * row * num_channels + c];
    sum.second += partial_sums[(2 * row + 1) * num_channels + c];
  }
  sum = block_sum(sum.first, sum.second);
  if (threadIdx.x != 0) return;
  if (grad_scale != nullptr) grad_scale[c] = static_cast<Scalar>(sum.first);
  if (grad_shift != nullptr) grad_shift[c] = static_cast<Scalar>(sum.second);
}

}  // namespace

template <class Scalar, class Spike>
void lif_forward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                 View<Spike> spikes) {
  const Layer<Scalar> layer(y, affine, params);
  const auto kernel = with_lif_forward_rule<std::is_same_v<Spike, Scalar>>(
      params, [](auto rule) { return &forward_kernel<decltype(rule), Scalar, Spike>; });
  kernel<<<blocks_for(layer.num_neurons), kBlockSize>>>(layer, spikes.data);
  check(cudaGetLastError(), "lif_forward");
}

template <class Scalar, class Spike>
void lif_backward(View<const Scalar> y, const ChannelAffine<Scalar>& affine, const LifParams& params,
                  View<const Scalar> grad_spikes, View<Scalar> grad_x, const ChannelAffineGrad<Scalar>& affine_grad,
                  View<double> grad_constants, std::span<std::byte> scratch) {
  const Layer<Scalar> layer(y, affine, params);
  const std::ptrdiff_t num_positions = layer.num_neurons == 0 ? 0 : layer.num_neurons / layer.num_channels;
  const std::ptrdiff_t num_rows = std::min(num_positions, lif_num_partial_sums(layer.num_channels));
  Scalar* const grad_scale = affine_grad.scale.empty() ? nullptr : affine_grad.scale.data;
  Scalar* const grad_shift = affine_grad.shift.empty() ? nullptr : affine_grad.shift.data;
  auto* const scratch_sums = reinterpret_cast<double*>(scratch.data());
  double* const partial_sums = grad_scale != nullptr || grad_shift != nullptr ? scratch_sums : nullptr;
  double* const constant_sums = scratch_sums + 2 * layer.num_channels * lif_num_partial_sums(layer.num_channels);
  const bool with_constants = !grad_constants.empty();
  const auto kernel = with_lif_rule<std::is_same_v<Spike, Scalar>>(params, [&](auto rule) {
    return with_constants ? &backward_kernel<decltype(rule), true, Scalar>
                          : &backward_kernel<decltype(rule), false, Scalar>;
  });
  const unsigned num_blocks = blocks_for(num_rows * layer.num_channels);

  if (num_rows > 0) {
    kernel<<<num_blocks, kBlockSize>>>(layer, num_rows, grad_spikes.data, grad_x.data, partial_sums, constant_sums);
    check(cudaGetLastError(), "lif_backward");
  }
  if (partial_sums != nullptr) {
    total_kernel<<<static_cast<unsigned>(layer.num_channels), kBlockSize>>>(partial_sums, num_rows, layer.num_channels,
                                                                            grad_scale, grad_shift);
    check(cudaGetLastError(), "lif_backward");
  }
  if (with_constants) {
    // The pairs of the blocks are rows of one channel.
    total_kernel<<<1, kBlockSize>>>(constant_sums, num_rows > 0 ? static_cast<std::ptrdiff_t>(num_blocks) : 0,
                                    std::ptrdiff_t{1}, grad_constants.data, grad_constants.data + 1);
    check(cudaGetLastError(), "lif_backward");
  }
}

template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<std::uint8_t>);
template void lif_forward(View<const float>, const ChannelAffine<float>&, const LifParams&, View<float>);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<std::uint8_t>);
template void lif_forward(View<const double>, const ChannelAffine<double>&, const LifParams&, View<double>);
template void lif_backward<float, std::uint8_t>(View<const float>, const ChannelAffine<float>&, const LifParams&,
                                                View<const float>, View<float>, const ChannelAffineGrad<float>&,
                                                View<double>, std::span<std::byte>);
template void lif_backward<float, float>(View<const float>, const ChannelAffine<float>&, const LifParams&,
                                         View<const float>, View<float>, const ChannelAffineGrad<float>&, View<double>,
                                         std::span<std::byte>);
template void lif_backward<double, std::uint8_t>(View<const double>, const ChannelAffine<double>&, const LifParams&,
                                                 View<const double>, View<double>, const ChannelAffineGrad<double>&,
                                                 View<double>, std::span<std::byte>);
template void lif_backward<double, double>(View<const double>, const ChannelAffine<double>&, const LifParams&,
                                           View<const double>, View<double>, const ChannelAffineGrad<double>&,
                                           View<double>, std::span<std::byte>);

}  // namespace synfire::neurons::cuda
