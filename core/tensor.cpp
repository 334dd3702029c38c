#include "core/tensor.hpp"

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "core/cuda/memory.hpp"
#include "core/error.hpp"

namespace synfire {

namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

Buffer::Buffer(std::size_t bytes, Device device) : bytes_(bytes), device_(device) {
  if (bytes == 0) return;
  if (device == Device::cuda) {
    data_ = static_cast<std::byte*>(cuda::allocate_zeroed(bytes));
    return;
  }
  const std::size_t padded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  data_ = static_cast<std::byte*>(std::aligned_alloc(kAlignment, padded));
  if (data_ == nullptr) throw BackendError(fmt::format("[buffer] no memory for {} bytes", bytes));
  std::memset(data_, 0, padded);
}

Buffer::~Buffer() {
  if (device_ == Device::cuda) {
    cuda::release(data_);
  } else {
    std::free(data_);
  }
}

std::size_t byte_count(const Shape& shape, std::size_t element_bytes) {
  std::ptrdiff_t bytes = 0;
  if (__builtin_mul_overflow(shape.size(), element_bytes, &bytes))
    throw ShapeError(
        fmt::format("[tensor] {} elements of {} bytes are more than memory can be", shape.text(), element_bytes));
  return static_cast<std::size_t>(bytes);
}

void copy_bytes(const void* from, Device from_device, void* to, Device to_device, std::size_t bytes) {
  if (bytes == 0) return;
  if (from_device == Device::cpu && to_device == Device::cpu) {
    std::memcpy(to, from, bytes);
  } else {
    cuda::copy(from, to, bytes);
  }
}

}  // namespace synfire
