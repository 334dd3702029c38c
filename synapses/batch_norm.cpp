#include "synapses/batch_norm.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"
#include "synapses/scratch.hpp"

namespace synfire::synapses {

namespace {

/// Partial sums of a reduction; more than the cores of a machine, and few enough to add up at once.
constexpr int kChunks = 64;
/// Rows of an elementwise pass that a task takes at least.
constexpr std::ptrdiff_t kTaskElements = 1 << 14;

struct Rows {
  std::ptrdiff_t count, channels;
};

template <class T>
Rows check_rows(const char* operation, const char* name, const View<T>& y) {
  require_rank(operation, name, y.shape, 1);
  require_cpu(operation, y.device);
  return {frame_count(y.shape, 1), y.shape.channels()};
}

/// Runs `row_sums(begin, end, first, second)` on chunks of rows and leaves the sums over all chunks in
/// totals[0 .. C) and totals[C .. 2C).
template <class RowSums>
double* reduce_rows(const Rows& rows, std::span<std::byte> scratch, const RowSums& row_sums) {
  const std::ptrdiff_t width = 2 * rows.channels;
  double* const totals = ScratchCursor(scratch).take<double>((kChunks + 1) * width);
  double* const partials = totals + width;
  std::fill(totals, partials + kChunks * width, 0.0);
  parallel_chunks(rows.count, kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    double* const partial = partials + chunk * width;
    row_sums(begin, end, partial, partial + rows.channels);
  });
  for (int chunk = 0; chunk < kChunks; ++chunk) {
    for (std::ptrdiff_t c = 0; c < width; ++c) totals[c] += partials[chunk * width + c];
  }
  return totals;
}

/// Calls `body(element, channel)` for all elements, in parallel.
template <class Body>
void each_element(const Rows& rows, const Body& body) {
  parallel_for(rows.count, kTaskElements / std::max<std::ptrdiff_t>(1, rows.channels) + 1,
               [&](std::ptrdiff_t first, std::ptrdiff_t last) {
                 for (std::ptrdiff_t row = first; row < last; ++row) {
                   const std::ptrdiff_t at = row * rows.channels;
                   for (std::ptrdiff_t c = 0; c < rows.channels; ++c) body(at + c, c);
                 }
               });
}

}  // namespace

std::size_t batch_norm_scratch_bytes(std::ptrdiff_t num_channels) {
  return scratch_bytes<double>((kChunks + 1) * 2 * num_channels) + kCacheLine;
}

template <class Scalar>
void batch_norm_train(View<const Scalar> y, View<const Scalar> gamma, View<const Scalar> beta,
                      const BatchNormConfig& config, View<Scalar> running_mean, View<Scalar> running_var,
                      const BatchNormBatch<Scalar>& batch, View<Scalar> scale, View<Scalar> shift,
                      std::span<std::byte> scratch) {
  const char* const operation = "batch_norm_train";
  const Rows rows = check_rows(operation, "y", y);
  require_per_channel(operation, "gamma", gamma, rows.channels);
  require_per_channel(operation, "beta", beta, rows.channels);
  require_per_channel(operation, "running_mean", running_mean, rows.channels);
  require_per_channel(operation, "running_var", running_var, rows.channels);
  require_per_channel(operation, "batch.mean", batch.mean, rows.channels);
  require_per_channel(operation, "batch.inverse_std", batch.inverse_std, rows.channels);
  require_per_channel(operation, "scale", scale, rows.channels);
  require_per_channel(operation, "shift", shift, rows.channels);
  require_scratch(operation, scratch, batch_norm_scratch_bytes(rows.channels));
  if (rows.count < 2) {
    throw ShapeError(fmt::format("[{}] y must have at least two values a channel, got {}", operation, y.shape.text()));
  }

  // Moments about the first row: a mean far from zero does not cancel the digits of the variance.
  const Scalar* const origin = y.data;
  const double* const sums =
      reduce_rows(rows, scratch, [&](std::ptrdiff_t begin, std::ptrdiff_t end, double* sum, double* sum_squares) {
        for (std::ptrdiff_t row = begin; row < end; ++row) {
          const Scalar* const values = y.data + row * rows.channels;
          for (std::ptrdiff_t c = 0; c < rows.channels; ++c) {
            const double d = static_cast<double>(values[c]) - static_cast<double>(origin[c]);
            sum[c] += d;
            sum_squares[c] += d * d;
          }
        }
      });

  const double n = static_cast<double>(rows.count);
  for (std::ptrdiff_t c = 0; c < rows.channels; ++c) {
    const double offset = sums[c] / n;
    const double mean = static_cast<double>(origin[c]) + offset;
    const double var = std::max(0.0, sums[rows.channels + c] / n - offset * offset);
    const double inverse_std = 1.0 / std::sqrt(var + config.eps);
    batch.mean[c] = static_cast<Scalar>(mean);
    batch.inverse_std[c] = static_cast<Scalar>(inverse_std);
    scale[c] = static_cast<Scalar>(static_cast<double>(gamma[c]) * inverse_std);
    shift[c] = static_cast<Scalar>(static_cast<double>(beta[c]) - mean * static_cast<double>(gamma[c]) * inverse_std);
    running_mean[c] =
        static_cast<Scalar>((1.0 - config.momentum) * static_cast<double>(running_mean[c]) + config.momentum * mean);
    running_var[c] = static_cast<Scalar>((1.0 - config.momentum) * static_cast<double>(running_var[c]) +
                                         config.momentum * var * n / (n - 1.0));
  }
}

template <class Scalar>
void batch_norm_eval(View<const Scalar> gamma, View<const Scalar> beta, View<const Scalar> running_mean,
                     View<const Scalar> running_var, const BatchNormConfig& config, View<Scalar> scale,
                     View<Scalar> shift) {
  const char* const operation = "batch_norm_eval";
  const std::ptrdiff_t channels = gamma.shape.size();
  require_cpu(operation, gamma.device);
  require_per_channel(operation, "beta", beta, channels);
  require_per_channel(operation, "running_mean", running_mean, channels);
  require_per_channel(operation, "running_var", running_var, channels);
  require_per_channel(operation, "scale", scale, channels);
  require_per_channel(operation, "shift", shift, channels);
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    const double factor = static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(running_var[c]) + config.eps);
    scale[c] = static_cast<Scalar>(factor);
    shift[c] = static_cast<Scalar>(static_cast<double>(beta[c]) - static_cast<double>(running_mean[c]) * factor);
  }
}

template <class Scalar>
void batch_norm_backward(View<const Scalar> y, View<const Scalar> gamma, const BatchNormBatch<Scalar>& batch,
                         View<const Scalar> scale, View<const Scalar> grad_scale, View<const Scalar> grad_shift,
                         View<const Scalar> grad_x, View<Scalar> grad_gamma, View<Scalar> grad_beta,
                         View<Scalar> grad_y) {
  const char* const operation = "batch_norm_backward";
  const Rows rows = check_rows(operation, "y", y);
  require_shape(operation, "grad_x", grad_x.shape, y.shape);
  require_shape(operation, "grad_y", grad_y.shape, y.shape);
  require_per_channel(operation, "gamma", gamma, rows.channels);
  require_per_channel(operation, "batch.mean", batch.mean, rows.channels);
  require_per_channel(operation, "batch.inverse_std", batch.inverse_std, rows.channels);
  require_per_channel(operation, "scale", scale, rows.channels);
  require_per_channel(operation, "grad_scale", grad_scale, rows.channels);
  require_per_channel(operation, "grad_shift", grad_shift, rows.channels);
  require_per_channel(operation, "grad_gamma", grad_gamma, rows.channels);
  require_per_channel(operation, "grad_beta", grad_beta, rows.channels);

  for (std::ptrdiff_t c = 0; c < rows.channels; ++c) {
    const double mean = static_cast<double>(batch.mean[c]);
    const double dshift = static_cast<double>(grad_shift[c]);
    grad_gamma[c] = static_cast<Scalar>(static_cast<double>(batch.inverse_std[c]) *
                                        (static_cast<double>(grad_scale[c]) - mean * dshift));
    grad_beta[c] = grad_shift[c];
  }

  // dL/dy = scale (dL/dx - (dbeta + (y - mean) inverse_std dgamma) / n) = scale dL/dx + a y + b, channels in blocks so
  // that a and b need no memory.
  constexpr std::ptrdiff_t kBlock = 64;
  const double n = static_cast<double>(rows.count);
  for (std::ptrdiff_t begin = 0; begin < rows.channels; begin += kBlock) {
    const std::ptrdiff_t count = std::min(kBlock, rows.channels - begin);
    std::array<Scalar, kBlock> a{}, b{}, factor{};
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const std::ptrdiff_t c = begin + i;
      const double slope = -static_cast<double>(scale[c]) * static_cast<double>(batch.inverse_std[c]) *
                           static_cast<double>(grad_gamma[c]) / n;
      a[i] = static_cast<Scalar>(slope);
      b[i] = static_cast<Scalar>(-static_cast<double>(scale[c]) * static_cast<double>(grad_shift[c]) / n -
                                 slope * static_cast<double>(batch.mean[c]));
      factor[i] = scale[c];
    }
    parallel_for(rows.count, kTaskElements / count, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      for (std::ptrdiff_t row = first; row < last; ++row) {
        const std::ptrdiff_t at = row * rows.channels + begin;
        for (std::ptrdiff_t i = 0; i < count; ++i) {
          grad_y[at + i] = factor[i] * grad_x[at + i] + (a[i] * y[at + i] + b[i]);
        }
      }
    });
  }
}

template <class Scalar>
void affine_forward(View<const Scalar> y, View<const Scalar> scale, View<const Scalar> shift, View<Scalar> x) {
  const char* const operation = "affine_forward";
  const Rows rows = check_rows(operation, "y", y);
  require_shape(operation, "x", x.shape, y.shape);
  require_per_channel(operation, "scale", scale, rows.channels);
  require_per_channel(operation, "shift", shift, rows.channels);
  each_element(rows, [&](std::ptrdiff_t at, std::ptrdiff_t c) { x[at] = scale[c] * y[at] + shift[c]; });
}

template <class Scalar>
void affine_grad(View<const Scalar> y, View<const Scalar> grad_x, View<Scalar> grad_scale, View<Scalar> grad_shift,
                 std::span<std::byte> scratch) {
  const char* const operation = "affine_grad";
  const Rows rows = check_rows(operation, "y", y);
  require_shape(operation, "grad_x", grad_x.shape, y.shape);
  require_per_channel(operation, "grad_scale", grad_scale, rows.channels);
  require_per_channel(operation, "grad_shift", grad_shift, rows.channels);
  require_scratch(operation, scratch, batch_norm_scratch_bytes(rows.channels));
  const double* const sums =
      reduce_rows(rows, scratch, [&](std::ptrdiff_t begin, std::ptrdiff_t end, double* of_scale, double* of_shift) {
        for (std::ptrdiff_t row = begin; row < end; ++row) {
          const std::ptrdiff_t at = row * rows.channels;
          for (std::ptrdiff_t c = 0; c < rows.channels; ++c) {
            const double gradient = static_cast<double>(grad_x[at + c]);
            of_scale[c] += gradient * static_cast<double>(y[at + c]);
            of_shift[c] += gradient;
          }
        }
      });
  for (std::ptrdiff_t c = 0; c < rows.channels; ++c) {
    grad_scale[c] = static_cast<Scalar>(sums[c]);
    grad_shift[c] = static_cast<Scalar>(sums[rows.channels + c]);
  }
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                  \
  template void batch_norm_train(View<const Scalar>, View<const Scalar>, View<const Scalar>, const BatchNormConfig&, \
                                 View<Scalar>, View<Scalar>, const BatchNormBatch<Scalar>&, View<Scalar>,            \
                                 View<Scalar>, std::span<std::byte>);                                                \
  template void batch_norm_eval(View<const Scalar>, View<const Scalar>, View<const Scalar>, View<const Scalar>,      \
                                const BatchNormConfig&, View<Scalar>, View<Scalar>);                                 \
  template void batch_norm_backward(View<const Scalar>, View<const Scalar>, const BatchNormBatch<Scalar>&,           \
                                    View<const Scalar>, View<const Scalar>, View<const Scalar>, View<const Scalar>,  \
                                    View<Scalar>, View<Scalar>, View<Scalar>);                                       \
  template void affine_forward(View<const Scalar>, View<const Scalar>, View<const Scalar>, View<Scalar>);            \
  template void affine_grad(View<const Scalar>, View<const Scalar>, View<Scalar>, View<Scalar>, std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)

}  // namespace synfire::synapses
