#include "core/cuda/check.cuh"
#include "core/cuda/memory.hpp"
#include "core/device.hpp"

namespace synfire {

bool cuda_available() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

namespace cuda {

void* allocate_zeroed(std::size_t bytes) {
  void* data = nullptr;
  check(cudaMalloc(&data, bytes), "allocate");
  check(cudaMemset(data, 0, bytes), "allocate");
  return data;
}

void release(void* data) noexcept { cudaFree(data); }

void copy(const void* from, void* to, std::size_t bytes) {
  check(cudaMemcpy(to, from, bytes, cudaMemcpyDefault), "copy");
}

}  // namespace cuda
}  // namespace synfire
