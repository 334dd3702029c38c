#include "core/arena.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>

namespace synfire {

namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

ArenaPlan::Id ArenaPlan::add(std::size_t bytes, int first, int last) {
  assert(first <= last);
  buffers_.push_back({(bytes + kAlignment - 1) / kAlignment * kAlignment, first, last, 0});
  return static_cast<Id>(buffers_.size()) - 1;
}

void ArenaPlan::extend(Id id, int last) {
  Span& buffer = buffers_[static_cast<std::size_t>(id)];
  buffer.last = std::max(buffer.last, last);
}

std::size_t ArenaPlan::place_in_order(std::vector<Span>& buffers, const std::vector<std::size_t>& order) {
  std::vector<const Span*> placed;  // by offset
  placed.reserve(buffers.size());
  std::size_t total = 0;
  for (const std::size_t index : order) {
    Span& buffer = buffers[index];
    // The tightest gap between those already placed that live at the same time; else behind the last of them.
    std::size_t best_offset = 0;
    std::size_t best_gap = std::numeric_limits<std::size_t>::max();
    std::size_t end = 0;
    for (const Span* other : placed) {
      if (other->last < buffer.first || buffer.last < other->first) continue;
      if (other->offset >= end + buffer.bytes && other->offset - end < best_gap) {
        best_offset = end;
        best_gap = other->offset - end;
      }
      end = std::max(end, other->offset + other->bytes);
    }
    buffer.offset = best_gap == std::numeric_limits<std::size_t>::max() ? end : best_offset;
    total = std::max(total, buffer.offset + buffer.bytes);
    const auto position =
        std::upper_bound(placed.begin(), placed.end(), buffer.offset,
                         [](std::size_t offset, const Span* other) { return offset < other->offset; });
    placed.insert(position, &buffer);
  }
  return total;
}

void ArenaPlan::place() {
  std::vector<std::size_t> by_bytes(buffers_.size());
  std::iota(by_bytes.begin(), by_bytes.end(), std::size_t{0});
  std::vector<std::size_t> by_life = by_bytes;
  std::stable_sort(by_bytes.begin(), by_bytes.end(),
                   [&](std::size_t a, std::size_t b) { return buffers_[a].bytes > buffers_[b].bytes; });
  std::stable_sort(by_life.begin(), by_life.end(), [&](std::size_t a, std::size_t b) {
    return buffers_[a].last - buffers_[a].first > buffers_[b].last - buffers_[b].first;
  });

  std::vector<Span> other = buffers_;
  bytes_ = place_in_order(buffers_, by_bytes);
  const std::size_t other_bytes = place_in_order(other, by_life);
  if (other_bytes < bytes_) {
    buffers_ = std::move(other);
    bytes_ = other_bytes;
  }
}

std::size_t ArenaPlan::lower_bound() const {
  std::size_t most = 0;
  // The sum can only rise where a buffer begins.
  for (const Span& start : buffers_) {
    std::size_t sum = 0;
    for (const Span& buffer : buffers_) {
      if (buffer.first <= start.first && start.first <= buffer.last) sum += buffer.bytes;
    }
    most = std::max(most, sum);
  }
  return most;
}

void Arena::fit(const ArenaPlan& plan) {
  if (plan.bytes() <= block_.bytes()) return;
  block_ = Buffer();
  block_ = Buffer(plan.bytes(), device_);
}

}  // namespace synfire
