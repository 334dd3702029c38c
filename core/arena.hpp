#pragma once

#include <cstddef>
#include <vector>

#include "core/tensor.hpp"

namespace synfire {

/// Where buffers with known lifetimes lie in one block of memory, planned once, before anything runs. Steps are the
/// numbers of an order of execution; two buffers share memory only if no step needs both. Offsets are multiples of 64.
class ArenaPlan {
 public:
  using Id = int;

  /// A buffer that is needed from step `first` to step `last`, both included.
  Id add(std::size_t bytes, int first, int last);
  /// Makes the buffer live until step `last` at least.
  void extend(Id id, int last);

  /// Chooses all offsets; nothing may be added afterwards. Greedy: longest-needed first or largest first, each into
  /// the tightest gap, whichever order needs less memory in all.
  void place();

  std::size_t bytes(Id id) const { return buffers_[static_cast<std::size_t>(id)].bytes; }
  int last(Id id) const { return buffers_[static_cast<std::size_t>(id)].last; }

  /// Bytes of the block; after place().
  std::size_t bytes() const { return bytes_; }
  std::size_t offset(Id id) const { return buffers_[static_cast<std::size_t>(id)].offset; }

  /// The most bytes that are needed at one step: no plan can be smaller.
  std::size_t lower_bound() const;

 private:
  struct Span {
    std::size_t bytes = 0;
    int first = 0;
    int last = 0;
    std::size_t offset = 0;
  };

  static std::size_t place_in_order(std::vector<Span>& buffers, const std::vector<std::size_t>& order);

  std::vector<Span> buffers_;
  std::size_t bytes_ = 0;
};

/// The block itself: grows to the largest plan that asked for it and is used again by smaller ones.
class Arena {
 public:
  explicit Arena(Device device) : device_(device) {}

  /// Makes room for `plan`. What the block held is lost if it grows; the old block is released first.
  void fit(const ArenaPlan& plan);

  std::byte* data() const { return block_.data(); }
  std::size_t bytes() const { return block_.bytes(); }
  Device device() const { return device_; }

 private:
  Device device_;
  Buffer block_;
};

}  // namespace synfire
