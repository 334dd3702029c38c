#pragma once

#include <cstdint>

namespace synfire::test {

/// Calls of operator new since the program began. Needs count_allocations.cpp among the sources of the test.
std::int64_t num_allocations();

}  // namespace synfire::test
