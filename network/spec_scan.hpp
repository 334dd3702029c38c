#pragma once

#include "network/layer_table.hpp"
#include "network/spec.hpp"

/// The keys of nodes of scan_specs.hpp. Private to the room: not installed.
namespace synfire::network {

Operation read_causal_conv1d(const LayerTable& table);
Operation read_selective_scan(const LayerTable& table);

}  // namespace synfire::network
