#include "network/spec_tokens.hpp"

#include <fmt/format.h>

namespace synfire::network {

namespace {

constexpr std::int64_t kMaxDepthwiseKernel = 7;
constexpr std::int64_t kMaxTicks = 1 << 20;

}  // namespace

LinearStart read_linear_start(const LayerTable& table) {
  return table.choice("start", {"fan_in", "trunc_normal"}, "fan_in") == "fan_in" ? LinearStart::fan_in
                                                                                 : LinearStart::trunc_normal;
}

Operation read_depthwise_conv2d(const LayerTable& table) {
  const DepthwiseConv2dSpec spec{table.integer("kernel", 3, 1, kMaxDepthwiseKernel), table.flag("bias", true)};
  if (spec.kernel % 2 == 0) table.fail("kernel", fmt::format("must be odd, got {}", spec.kernel));
  return spec;
}

Operation read_layer_norm(const LayerTable& table) { return LayerNormSpec{table.number("eps", 1e-5, 1e-12, 1.0)}; }

Operation read_activation(const LayerTable& table) {
  return ActivationSpec{table.choice("function", {"silu", "gelu"}, "silu") == "silu" ? synapses::Activation::silu
                                                                                     : synapses::Activation::gelu};
}

Operation read_multiply(const LayerTable&) { return MultiplySpec{}; }

Operation read_position(const LayerTable& table) {
  const PositionSpec spec{table.flag("space", true), table.integer("time_ticks", 0, 0, kMaxTicks)};
  if (!spec.space && spec.time_ticks == 0) table.fail("space", "without time_ticks there is no table at all");
  return spec;
}

Operation read_drop_path(const LayerTable& table) { return DropPathSpec{table.number("p", 0.1, 0.0, 0.999)}; }
Operation read_mean_tokens(const LayerTable&) { return MeanTokensSpec{}; }

}  // namespace synfire::network
