#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/device.hpp"
#include "core/shape.hpp"

namespace synfire {

/// Owns `bytes` of memory on one device, aligned to 64 bytes and zeroed. Moves, does not copy.
class Buffer {
 public:
  Buffer() = default;
  /// \throws BackendError if the device is not part of this build or has no memory left
  Buffer(std::size_t bytes, Device device);
  ~Buffer();
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(device_, other.device_);
  }

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  Device device_ = Device::cpu;
};

/// Bytes of a block of this shape. \throws ShapeError if they cannot be counted
std::size_t byte_count(const Shape& shape, std::size_t element_bytes);

/// Copies between any two devices; the destination must hold `bytes`.
void copy_bytes(const void* from, Device from_device, void* to, Device to_device, std::size_t bytes);

/// A block of memory that somebody else owns, with its shape. `View<const float>` reads only.
template <class T>
struct View {
  T* data = nullptr;
  Shape shape;
  Device device = Device::cpu;

  std::ptrdiff_t size() const { return data == nullptr ? 0 : shape.size(); }
  std::span<T> span() const { return {data, static_cast<std::size_t>(size())}; }
  T& operator[](std::ptrdiff_t index) const { return data[index]; }
  bool empty() const { return size() == 0; }
  operator View<const T>() const { return {data, shape, device}; }
};

/// Owning, row-major and contiguous; zero after construction.
template <class T>
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(const Shape& shape, Device device = Device::cpu)
      : buffer_(byte_count(shape, sizeof(T)), device), shape_(shape) {}

  T* data() { return reinterpret_cast<T*>(buffer_.data()); }
  const T* data() const { return reinterpret_cast<const T*>(buffer_.data()); }
  const Shape& shape() const { return shape_; }
  std::ptrdiff_t size() const { return buffer_.data() == nullptr ? 0 : shape_.size(); }
  Device device() const { return buffer_.device(); }
  View<T> view() { return {data(), shape_, device()}; }
  View<const T> view() const { return {data(), shape_, device()}; }
  std::span<T> span() { return view().span(); }
  std::span<const T> span() const { return view().span(); }
  T& operator[](std::ptrdiff_t index) { return data()[index]; }
  const T& operator[](std::ptrdiff_t index) const { return data()[index]; }

  /// A copy of the same values on `device`.
  Tensor to(Device device) const {
    Tensor result(shape_, device);
    copy_bytes(data(), this->device(), result.data(), device, static_cast<std::size_t>(size()) * sizeof(T));
    return result;
  }

 private:
  Buffer buffer_;
  Shape shape_;
};

}  // namespace synfire
