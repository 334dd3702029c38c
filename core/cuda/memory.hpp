#pragma once

#include <cstddef>

namespace synfire::cuda {

/// Device memory, zeroed. \throws BackendError without a CUDA backend, without a GPU, or when memory runs out
void* allocate_zeroed(std::size_t bytes);
/// Gives device memory back; null is allowed.
void release(void* data) noexcept;
/// Copies between host and device or within the device, and returns when the copy is done.
void copy(const void* from, void* to, std::size_t bytes);

}  // namespace synfire::cuda
