#include "core/event_column.hpp"

#include <cstdlib>

#include <sys/mman.h>

namespace synfire {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;
constexpr std::size_t kLarge = kHugePage / 2;  // clearing a huge page costs less than 256 page faults

}  // namespace

void* allocate_column(std::size_t bytes) {
  if (bytes < kLarge) return ::operator new(bytes);
  if (bytes > std::numeric_limits<std::size_t>::max() - kHugePage) throw std::bad_alloc();
  const std::size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* memory = std::aligned_alloc(kHugePage, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  ::madvise(memory, rounded, MADV_HUGEPAGE);  // a wish; without it the memory is as good, but slower at first touch
  return memory;
}

void free_column(void* memory, std::size_t bytes) noexcept {
  if (bytes < kLarge)
    ::operator delete(memory);
  else
    std::free(memory);
}

}  // namespace synfire
