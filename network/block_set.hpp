#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// Private to the room: not installed.
namespace synfire::network {

/// A set of block numbers that is filled in any order and emptied in ascending order.
class BlockSet {
 public:
  void resize(std::ptrdiff_t num_blocks) {
    size_ = num_blocks;
    words_.assign(static_cast<std::size_t>(num_blocks + 63) / 64, 0);
  }
  std::ptrdiff_t size() const { return size_; }
  void clear() { std::fill(words_.begin(), words_.end(), 0); }
  void add(std::ptrdiff_t block) {
    words_[static_cast<std::size_t>(block) / 64] |= std::uint64_t{1} << static_cast<unsigned>(block) % 64;
  }

  /// Calls `body(block)` for each and leaves the set empty.
  template <class Body>
  void take(const Body& body) {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = std::exchange(words_[w], 0); word != 0; word &= word - 1) {
        body(static_cast<std::int32_t>(w * 64) + std::countr_zero(word));
      }
    }
  }

 private:
  std::ptrdiff_t size_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace synfire::network
