#include "synapses/conv2d.hpp"

#include <algorithm>

#include "synapses/checks.hpp"
#include "synapses/conv2d_cpu.hpp"

namespace synfire::synapses {

namespace {

/// Checks the geometry and that the kernel fits into frames of `in` = [H, W, Ci].
Conv2dExtents extents(const char* operation, const Conv2dGeometry& g, std::ptrdiff_t frames, const Shape& in) {
  if (g.in_channels < 1 || g.out_channels < 1 || g.kernel_h < 1 || g.kernel_w < 1 || g.stride < 1 || g.padding < 0) {
    throw ShapeError(fmt::format(
        "[{}] channels, kernel and stride must be positive and padding not negative, got {} -> {} channels, "
        "kernel {} x {}, stride {}, padding {}",
        operation, g.in_channels, g.out_channels, g.kernel_h, g.kernel_w, g.stride, g.padding));
  }
  if (in.rank() != 3 || in[2] != g.in_channels || in[0] + std::ptrdiff_t{2} * g.padding < g.kernel_h ||
      in[1] + std::ptrdiff_t{2} * g.padding < g.kernel_w) {
    throw ShapeError(
        fmt::format("[{}] a frame must have {} channels and hold a kernel of {} x {} with padding {}, got {}",
                    operation, g.in_channels, g.kernel_h, g.kernel_w, g.padding, in.text()));
  }
  return {g,
          frames,
          in[0],
          in[1],
          g.out_extent(static_cast<int>(in[0]), g.kernel_h),
          g.out_extent(static_cast<int>(in[1]), g.kernel_w)};
}

template <class Scalar>
Conv2dExtents check(const char* operation, const Signal<Scalar>& x, const Conv2dGeometry& g,
                    const View<const Scalar>& w, const Shape& y) {
  require_rank(operation, "x", x.shape, 3);
  require_cpu(operation, x.device);
  const Conv2dExtents e = extents(operation, g, frame_count(x.shape, 3), x.shape.drop_front(x.shape.rank() - 3));
  require_shape(operation, "w", w.shape, Shape{g.out_channels, g.in_channels, g.kernel_h, g.kernel_w});
  require_shape(operation, "the output", y, with_inner(x.shape, 3, Shape{e.out_h, e.out_w, g.out_channels}));
  return e;
}

}  // namespace

template <class Scalar>
std::size_t conv2d_scratch_bytes(const Conv2dGeometry& g, std::ptrdiff_t num_frames, const Shape& in) {
  const Conv2dExtents e = extents("conv2d_scratch_bytes", g, num_frames, in);
  return std::max(conv2d_forward_scratch_cpu<Scalar>(e), conv2d_backward_scratch_cpu<Scalar>(e));
}

template <class Scalar>
void conv2d_forward(const Signal<Scalar>& x, const Conv2dGeometry& geometry, View<const Scalar> w,
                    View<const Scalar> bias, View<Scalar> y, std::span<std::byte> scratch) {
  const char* const operation = "conv2d_forward";
  const Conv2dExtents e = check(operation, x, geometry, w, y.shape);
  if (!bias.empty()) require_per_channel(operation, "bias", bias, e.out());
  require_scratch(operation, scratch, conv2d_forward_scratch_cpu<Scalar>(e));
  with_elements(x, [&](const auto* elements) { conv2d_forward_cpu(e, elements, w.data, bias.data, y.data, scratch); });
}

template <class Scalar>
void conv2d_backward(const Signal<Scalar>& x, const Conv2dGeometry& geometry, View<const Scalar> w,
                     View<const Scalar> grad_y, View<Scalar> grad_w, View<Scalar> grad_bias, View<Scalar> grad_x,
                     std::span<std::byte> scratch) {
  const char* const operation = "conv2d_backward";
  const Conv2dExtents e = check(operation, x, geometry, w, grad_y.shape);
  require_shape(operation, "grad_w", grad_w.shape, w.shape);
  if (!grad_bias.empty()) require_per_channel(operation, "grad_bias", grad_bias, e.out());
  if (!grad_x.empty()) require_shape(operation, "grad_x", grad_x.shape, x.shape);
  require_scratch(operation, scratch, conv2d_backward_scratch_cpu<Scalar>(e));
  with_elements(x, [&](const auto* elements) {
    conv2d_backward_cpu(e, elements, w.data, grad_y.data, grad_w.data, grad_bias.data, grad_x.data, scratch);
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                   \
  template std::size_t conv2d_scratch_bytes<Scalar>(const Conv2dGeometry&, std::ptrdiff_t, const Shape&);             \
  template void conv2d_forward(const Signal<Scalar>&, const Conv2dGeometry&, View<const Scalar>, View<const Scalar>,  \
                               View<Scalar>, std::span<std::byte>);                                                   \
  template void conv2d_backward(const Signal<Scalar>&, const Conv2dGeometry&, View<const Scalar>, View<const Scalar>, \
                                View<Scalar>, View<Scalar>, View<Scalar>, std::span<std::byte>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)

}  // namespace synfire::synapses
