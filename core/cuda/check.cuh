#pragma once

#include <string>

#include <cuda_runtime.h>

#include "core/error.hpp"

namespace synfire::cuda {

/// Turns a CUDA status into a BackendError that names the operation.
inline void check(cudaError_t status, const char* operation) {
  if (status != cudaSuccess) throw BackendError("[" + std::string(operation) + "] CUDA: " + cudaGetErrorString(status));
}

}  // namespace synfire::cuda
