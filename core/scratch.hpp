#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// How an operation divides the memory that its caller lends it. Private to the library: not installed.
namespace synfire {

inline constexpr std::size_t kCacheLine = 64;

/// Bytes that `count` values take from a ScratchCursor.
template <class T>
constexpr std::size_t scratch_bytes(std::ptrdiff_t count) {
  return (static_cast<std::size_t>(count) * sizeof(T) + kCacheLine - 1) / kCacheLine * kCacheLine;
}

/// Hands out parts of `memory` one after the other, each from the start of a cache line. The memory must hold the sum
/// of scratch_bytes and one more cache line, since its own start may lie anywhere.
class ScratchCursor {
 public:
  explicit ScratchCursor(std::span<std::byte> memory) : next_(memory.data()) {
    const auto misaligned = reinterpret_cast<std::uintptr_t>(next_) % kCacheLine;
    if (misaligned != 0) next_ += kCacheLine - misaligned;
  }
  template <class T>
  T* take(std::ptrdiff_t count) {
    T* const part = reinterpret_cast<T*>(next_);
    next_ += scratch_bytes<T>(count);
    return part;
  }

 private:
  std::byte* next_;
};

}  // namespace synfire
