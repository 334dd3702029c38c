#pragma once

#include "synapses/checks.hpp"
#include "synapses/delayed_linear.hpp"

/// What both passes of a layer with delays check. Private to the room: not installed.
namespace synfire::synapses {

template <class Scalar>
void check_delays(const char* operation, const Signal<Scalar>& x, const DelayConfig& config,
                  const DelayParameters<Scalar>& p, const Shape& y) {
  require_cpu(operation, x.device);
  if (x.shape.rank() != 3) throw ShapeError(fmt::format("[{}] x must be [T, B, I], got {}", operation, x.shape.text()));
  if (p.weight.shape.rank() != 3) {
    throw ShapeError(fmt::format("[{}] the weights must be [O, I, M], got {}", operation, p.weight.shape.text()));
  }
  const std::ptrdiff_t out = p.weight.shape[0], in = x.shape[2], kernels = config.kernel_count;
  require_shape(operation, "the weights", p.weight.shape, Shape{out, in, kernels});
  const Shape shared{config.per == DelayPer::input ? 1 : out, config.per == DelayPer::output ? 1 : in, kernels};
  require_shape(operation, "the positions", p.position.shape, shared);
  require_shape(operation, "the widths", p.width.shape, shared);
  if (!p.mask.empty()) require_shape(operation, "the mask", p.mask.shape, Shape{out, in});
  require_shape(operation, "the output", y, Shape{x.shape[0] + config.extra_ticks, x.shape[1], out});
}

}  // namespace synfire::synapses
