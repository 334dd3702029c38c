#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace synfire {

/// Memory for a column, aligned for any scalar and unset. Large ones lie on huge pages where the system has them: a
/// fresh column costs the more page faults than its decoding takes otherwise. \throws std::bad_alloc
void* allocate_column(std::size_t bytes);
void free_column(void* memory, std::size_t bytes) noexcept;

/// Allocates through the above, and leaves elements unset in a value-less resize: a decoder writes each once, not
/// twice.
template <class T>
struct ColumnAllocator {
  static_assert(std::is_trivially_default_constructible_v<T> && alignof(T) <= alignof(std::max_align_t));
  using value_type = T;

  ColumnAllocator() = default;
  template <class U>
  ColumnAllocator(const ColumnAllocator<U>&) {}

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(allocate_column(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept { free_column(memory, count * sizeof(T)); }

  template <class U>
  void construct(U* element) {
    ::new (static_cast<void*>(element)) U;
  }
  template <class U, class... Args>
  void construct(U* element, Args&&... args) {
    ::new (static_cast<void*>(element)) U(std::forward<Args>(args)...);
  }

  bool operator==(const ColumnAllocator&) const { return true; }
};

/// One property of many events.
template <class T>
using EventColumn = std::vector<T, ColumnAllocator<T>>;

}  // namespace synfire
