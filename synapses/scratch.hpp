#pragma once

#include "core/scratch.hpp"

/// core/scratch.hpp by the names that this room uses. Not installed.
namespace synfire::synapses {

using synfire::kCacheLine;
using synfire::scratch_bytes;
using synfire::ScratchCursor;

}  // namespace synfire::synapses
