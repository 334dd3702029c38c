#include "synapses/layer_norm.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/scratch.hpp"

namespace synfire::synapses {

namespace {

/// Partial sums of the gradients of gamma and beta; more than the cores of a machine.
constexpr int kChunks = 32;
/// Rows that a task takes at least.
constexpr std::ptrdiff_t kTaskRows = 16;

/// Sum of term(c) over a row, in eight interleaved sums so that it becomes vector code.
template <class Scalar, class Term>
Scalar sum_of(std::ptrdiff_t count, const Term& term) {
  constexpr std::ptrdiff_t kSums = 8;
  std::array<Scalar, kSums> sums{};
  const std::ptrdiff_t whole = count / kSums * kSums;
  for (std::ptrdiff_t c = 0; c < whole; c += kSums) {
    for (std::ptrdiff_t k = 0; k < kSums; ++k) sums[static_cast<std::size_t>(k)] += term(c + k);
  }
  for (std::ptrdiff_t c = whole; c < count; ++c) sums[static_cast<std::size_t>(c - whole)] += term(c);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

template <class Scalar>
std::ptrdiff_t check(const char* operation, const View<const Scalar>& x, const View<const Scalar>& gamma,
                     const LayerNormRows<Scalar>& rows) {
  require_rank(operation, "x", x.shape, 1);
  require_cpu(operation, x.device);
  require_per_channel(operation, "gamma", gamma, x.shape.channels());
  const std::ptrdiff_t count = frame_count(x.shape, 1);
  require_per_channel(operation, "mean of the rows", rows.mean, count);
  require_per_channel(operation, "inverse_std of the rows", rows.inverse_std, count);
  return count;
}

}  // namespace

std::size_t layer_norm_scratch_bytes(std::ptrdiff_t num_channels) {
  return scratch_bytes<double>(2 * kChunks * num_channels) + kCacheLine;
}

template <class Scalar>
void layer_norm_forward(View<const Scalar> x, View<const Scalar> gamma, View<const Scalar> beta, double eps,
                        const LayerNormRows<Scalar>& rows, View<Scalar> y) {
  const char* const operation = "layer_norm_forward";
  const std::ptrdiff_t count = check(operation, x, gamma, rows), channels = x.shape.channels();
  require_per_channel(operation, "beta", beta, channels);
  require_shape(operation, "the output", y.shape, x.shape);
  parallel_for(count, kTaskRows, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t row = begin; row < end; ++row) {
      const Scalar* const in = x.data + row * channels;
      Scalar* const out = y.data + row * channels;
      const Scalar n = static_cast<Scalar>(channels);
      const Scalar mean = sum_of<Scalar>(channels, [&](std::ptrdiff_t c) { return in[c]; }) / n;
      const Scalar var =
          sum_of<Scalar>(channels, [&](std::ptrdiff_t c) { return (in[c] - mean) * (in[c] - mean); }) / n;
      const Scalar inverse_std = Scalar{1} / std::sqrt(var + static_cast<Scalar>(eps));
      rows.mean[row] = mean;
      rows.inverse_std[row] = inverse_std;
      for (std::ptrdiff_t c = 0; c < channels; ++c) out[c] = gamma[c] * ((in[c] - mean) * inverse_std) + beta[c];
    }
  });
}

template <class Scalar>
void layer_norm_backward(View<const Scalar> x, View<const Scalar> gamma, const LayerNormRows<Scalar>& rows,
                         View<const Scalar> grad_y, View<Scalar> grad_gamma, View<Scalar> grad_beta,
                         View<Scalar> grad_x, std::span<std::byte> scratch) {
  const char* const operation = "layer_norm_backward";
  const std::ptrdiff_t count = check(operation, x, gamma, rows), channels = x.shape.channels();
  require_shape(operation, "grad_y", grad_y.shape, x.shape);
  require_per_channel(operation, "grad_gamma", grad_gamma, channels);
  require_per_channel(operation, "grad_beta", grad_beta, channels);
  if (!grad_x.empty()) require_shape(operation, "grad_x", grad_x.shape, x.shape);
  require_scratch(operation, scratch, layer_norm_scratch_bytes(channels));
  double* const partials = ScratchCursor(scratch).take<double>(2 * kChunks * channels);
  std::fill(partials, partials + 2 * kChunks * channels, 0.0);

  parallel_chunks(count, kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    double* const of_gamma = partials + 2 * chunk * channels;
    double* const of_beta = of_gamma + channels;
    for (std::ptrdiff_t row = begin; row < end; ++row) {
      const Scalar* const in = x.data + row * channels;
      const Scalar* const gradient = grad_y.data + row * channels;
      const Scalar mean = rows.mean[row], inverse_std = rows.inverse_std[row];
      const auto normal = [&](std::ptrdiff_t c) { return (in[c] - mean) * inverse_std; };
      for (std::ptrdiff_t c = 0; c < channels; ++c) {
        of_gamma[c] += static_cast<double>(gradient[c] * normal(c));
        of_beta[c] += static_cast<double>(gradient[c]);
      }
      if (grad_x.empty()) continue;
      // With g = gamma dL/dy: dL/dx = inverse_std (g - mean g - normal mean(g normal)).
      const Scalar n = static_cast<Scalar>(channels);
      const Scalar mean_g = sum_of<Scalar>(channels, [&](std::ptrdiff_t c) { return gamma[c] * gradient[c]; }) / n;
      const Scalar slope =
          sum_of<Scalar>(channels, [&](std::ptrdiff_t c) { return gamma[c] * gradient[c] * normal(c); }) / n;
      Scalar* const out = grad_x.data + row * channels;
      for (std::ptrdiff_t c = 0; c < channels; ++c) {
        out[c] = inverse_std * ((gamma[c] * gradient[c] - mean_g) - normal(c) * slope);
      }
    }
  });
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    double of_gamma = 0.0, of_beta = 0.0;
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      of_gamma += partials[2 * chunk * channels + c];
      of_beta += partials[(2 * chunk + 1) * channels + c];
    }
    grad_gamma[c] = static_cast<Scalar>(of_gamma);
    grad_beta[c] = static_cast<Scalar>(of_beta);
  }
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                       \
  template void layer_norm_forward(View<const Scalar>, View<const Scalar>, View<const Scalar>, double,    \
                                   const LayerNormRows<Scalar>&, View<Scalar>);                           \
  template void layer_norm_backward(View<const Scalar>, View<const Scalar>, const LayerNormRows<Scalar>&, \
                                    View<const Scalar>, View<Scalar>, View<Scalar>, View<Scalar>,         \
                                    std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
