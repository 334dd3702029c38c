#pragma once

#include "network/layer_table.hpp"
#include "network/spec.hpp"

/// The keys of nodes that mix tokens, as network/spec.hpp lists them.
namespace synfire::network {

Operation read_attention(const LayerTable& table);

}  // namespace synfire::network
