#pragma once

#include "core/simd.hpp"

/// The vectors of core/simd.hpp by the names that this room and network/ use. Not installed.
namespace synfire::synapses {

using synfire::broadcast;
using synfire::can_stream;
using synfire::end_stream;
using synfire::kLanes;
using synfire::load;
using synfire::multiply_add;
using synfire::Pack;
using synfire::packs_for;
using synfire::store;
using synfire::stream;
using synfire::unroll;

}  // namespace synfire::synapses
