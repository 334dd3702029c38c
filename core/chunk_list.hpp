#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace synfire {

/// Lists of entries that take their memory from one pool, in chunks of a few cache lines: many lists whose lengths
/// change all the time need together little more than what they hold, and nothing is allocated once the pool is warm.
template <class Entry>
struct Chunk {
  static_assert(std::is_trivially_copyable_v<Entry> && std::is_trivially_default_constructible_v<Entry>);
  // 512 bytes: smaller ones miss the cache more often, larger ones gain little; bench/spike_queue.cpp.
  static constexpr std::size_t kEntries = std::max<std::size_t>(1, (512 - sizeof(void*) - 8) / sizeof(Entry));

  Chunk* next;
  std::size_t count;
  Entry values[kEntries];

  std::span<const Entry> entries() const { return {values, count}; }
};

/// Keeps its memory until it is destroyed. Grows by at most kMaxSlab chunks at a time.
template <class Entry>
class ChunkPool {
 public:
  /// An empty chunk.
  Chunk<Entry>* take() {
    if (free_ == nullptr) grow();
    Chunk<Entry>* const chunk = std::exchange(free_, free_->next);
    chunk->next = nullptr;
    chunk->count = 0;
    return chunk;
  }
  void give_back(Chunk<Entry>* chunk) { chunk->next = std::exchange(free_, chunk); }

  std::size_t bytes() const { return num_chunks_ * sizeof(Chunk<Entry>); }

 private:
  static constexpr std::size_t kMaxSlab = 1024;

  void grow() {
    const std::size_t count = std::clamp<std::size_t>(num_chunks_, 8, kMaxSlab);
    slabs_.push_back(std::make_unique_for_overwrite<Chunk<Entry>[]>(count));
    for (std::size_t i = count; i > 0; --i) give_back(&slabs_.back()[i - 1]);
    num_chunks_ += count;
  }

  std::vector<std::unique_ptr<Chunk<Entry>[]>> slabs_;
  Chunk<Entry>* free_ = nullptr;
  std::size_t num_chunks_ = 0;
};

/// In order of insertion. The pool owns the memory; a list that is dropped with entries in it leaves them there.
template <class Entry>
class ChunkList {
 public:
  bool empty() const { return first_ == nullptr; }

  void append(const Entry& entry, ChunkPool<Entry>& pool) {
    if (last_ == nullptr || last_->count == Chunk<Entry>::kEntries) {
      Chunk<Entry>* const chunk = pool.take();
      (last_ == nullptr ? first_ : last_->next) = chunk;
      last_ = chunk;
    }
    last_->values[last_->count++] = entry;
  }

  /// Takes all entries out, and calls visit(std::span<const Entry>) until all have been seen. `visit` may append to
  /// other lists of the pool; to this one what it appends stays there. If it throws, the rest is lost to this list.
  template <class Visit>
  void drain(ChunkPool<Entry>& pool, Visit&& visit) {
    Chunk<Entry>* chunk = std::exchange(first_, nullptr);
    last_ = nullptr;
    while (chunk != nullptr) {
      visit(chunk->entries());
      pool.give_back(std::exchange(chunk, chunk->next));
    }
  }

 private:
  Chunk<Entry>* first_ = nullptr;
  Chunk<Entry>* last_ = nullptr;
};

}  // namespace synfire
