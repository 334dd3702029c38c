#pragma once

#include "network/layer_table.hpp"
#include "network/spec.hpp"

/// The keys of nodes of token_specs.hpp. Private to the room: not installed.
namespace synfire::network {

LinearStart read_linear_start(const LayerTable& table);
Operation read_depthwise_conv2d(const LayerTable& table);
Operation read_layer_norm(const LayerTable& table);
Operation read_activation(const LayerTable& table);
Operation read_multiply(const LayerTable& table);
Operation read_position(const LayerTable& table);
Operation read_drop_path(const LayerTable& table);
Operation read_mean_tokens(const LayerTable& table);

}  // namespace synfire::network
