#include "core/cuda/memory.hpp"
#include "core/device.hpp"
#include "core/error.hpp"

namespace synfire {

bool cuda_available() { return false; }

namespace cuda {

namespace {

[[noreturn]] void no_backend(const char* operation) {
  throw BackendError("[" + std::string(operation) +
                     "] this build has no CUDA backend; configure with -DSYNFIRE_ENABLE_CUDA=ON");
}

}  // namespace

void* allocate_zeroed(std::size_t) { no_backend("allocate"); }
void release(void*) noexcept {}
void copy(const void*, void*, std::size_t) { no_backend("copy"); }

}  // namespace cuda
}  // namespace synfire
