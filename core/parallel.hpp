#pragma once

#include <cstddef>

#include "core/function_ref.hpp"

namespace synfire {

/// Worker threads of every parallel loop, from the next loop on. 0 means one per hardware thread.
void set_num_threads(int num_threads);
int num_threads();

/// Runs `body(begin, end)` over disjoint ranges that cover [0, count), on the oneTBB arena of `num_threads()` threads.
/// Ranges are at least `grain` long (except the last). What a body writes must not depend on where ranges are cut.
/// Denormal numbers are flushed to zero in every worker and in the calling thread.
void parallel_for(std::ptrdiff_t count, std::ptrdiff_t grain, FunctionRef<void(std::ptrdiff_t, std::ptrdiff_t)> body);

/// Cuts [0, count) into `num_chunks` nearly equal chunks, whatever the number of threads, and runs
/// `body(chunk, begin, end)` for each. Partial sums kept per chunk and added in order give the same bits for any
/// number of threads.
void parallel_chunks(std::ptrdiff_t count, int num_chunks, FunctionRef<void(int, std::ptrdiff_t, std::ptrdiff_t)> body);

}  // namespace synfire
