#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/chunk_list.hpp"
#include "core/error.hpp"

/// Events that wait for the time of their arrival, by two clocks: TickQueue by whole ticks and no further ahead than
/// the longest delay, TimeQueue by 64-bit times without such a limit. Both refuse what would go beyond their bound
/// instead of losing it, and allocate nothing once they have held as much before.
namespace synfire {

/// More events wait than the queue may hold. It is as it was before the push.
struct QueueFullError : Error {
  QueueFullError(const char* queue, std::int64_t now, std::size_t waiting);

  std::int64_t time;  ///< tick or time of the queue when it was full
  std::size_t count;  ///< events that wait
};

namespace detail {
[[noreturn]] void refuse_delay(std::int64_t delay, std::int64_t max_delay);
[[noreturn]] void refuse_level(int level, int num_levels);
[[noreturn]] void refuse_same_level(std::int64_t tick, int level);
[[noreturn]] void refuse_skip(std::int64_t from, std::int64_t to, std::int64_t waiting_tick);
[[noreturn]] void refuse_past(std::int64_t time, std::int64_t now);
[[noreturn]] void refuse_empty();
/// \return number of buckets
/// \throws ShapeError if a size is out of range or the ring would be absurdly large
std::size_t checked_ring(std::int64_t max_delay, int num_levels);
}  // namespace detail

/// A ring of buckets by arrival tick, and in a tick by level: entries of level l may cause others of higher levels in
/// the same tick. Entries of one tick and level come out in the order in which they went in.
///
/// A push or a visit takes constant time. Memory: at most a chunk (512 bytes) for each bucket that is not empty, and
/// what the entries need.
template <class Entry>
class TickQueue {
 public:
  /// \param max_delay    longest delay in ticks, >= 0
  /// \param max_entries  that may wait at the same time
  /// \throws ShapeError if a size is negative or the ring too long
  TickQueue(std::int64_t max_delay, int num_levels, std::size_t max_entries)
      : max_delay_(max_delay),
        num_levels_(num_levels),
        max_entries_(max_entries),
        buckets_(detail::checked_ring(max_delay, num_levels)),
        in_tick_(static_cast<std::size_t>(max_delay) + 1) {}

  std::int64_t tick() const { return tick_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t max_entries() const { return max_entries_; }
  /// Held for entries, used or not.
  std::size_t bytes() const { return pool_.bytes() + buckets_.size() * sizeof buckets_[0]; }

  /// Arrives at tick() + delay.
  /// \throws QueueFullError at the bound
  /// \throws Error if the delay or level is none of this queue, or the entry would come after the visit to its
  /// tick and level
  void push(std::int64_t delay, int level, const Entry& entry) {
    if (delay < 0 || delay > max_delay_) detail::refuse_delay(delay, max_delay_);
    if (level < 0 || level >= num_levels_) detail::refuse_level(level, num_levels_);
    if (delay == 0 && level < next_level_) detail::refuse_same_level(tick_, level);
    if (size_ == max_entries_) throw QueueFullError("tick_queue", tick_, size_);
    const std::size_t slot = slot_of(delay);
    bucket(slot, level).append(entry, pool_);
    ++in_tick_[slot];
    ++size_;
  }

  /// Removes what has arrived at `level` in this tick and calls visit(std::span<const Entry>) until all of it has been
  /// seen. Levels are visited in ascending order. `visit` may push.
  template <class Visit>
  void visit_arrivals(int level, Visit&& visit) {
    if (level < 0 || level >= num_levels_) detail::refuse_level(level, num_levels_);
    if (level < next_level_) detail::refuse_same_level(tick_, level);
    next_level_ = level + 1;
    bucket(slot_, level).drain(pool_, [&](std::span<const Entry> entries) {
      size_ -= entries.size();
      in_tick_[slot_] -= entries.size();
      visit(entries);
    });
  }

  /// The first tick from tick() on for which something waits; -1 if nothing does. Looks at the ring once.
  std::int64_t next_tick() const {
    if (size_ == 0) return -1;
    std::int64_t delay = 0;
    while (in_tick_[slot_of(delay)] == 0) ++delay;
    return tick_ + delay;
  }

  /// Goes on to a later tick.
  /// \throws Error if an entry waits for one before it, or the tick is not later
  void advance_to(std::int64_t tick) {
    const std::int64_t waiting = next_tick();
    if (tick <= tick_ || (waiting >= 0 && waiting < tick)) detail::refuse_skip(tick_, tick, waiting);
    slot_ = static_cast<std::size_t>((static_cast<std::int64_t>(slot_) + (tick - tick_) % (max_delay_ + 1)) %
                                     (max_delay_ + 1));
    tick_ = tick;
    next_level_ = 0;
  }

  /// Drops everything, and keeps the memory.
  void clear(std::int64_t tick = 0) {
    for (auto& list : buckets_) list.drain(pool_, [](std::span<const Entry>) {});
    std::fill(in_tick_.begin(), in_tick_.end(), 0);
    size_ = 0;
    tick_ = tick;
    slot_ = 0;
    next_level_ = 0;
  }

 private:
  std::size_t slot_of(std::int64_t delay) const {
    const std::size_t slot = slot_ + static_cast<std::size_t>(delay);
    return slot < in_tick_.size() ? slot : slot - in_tick_.size();
  }
  ChunkList<Entry>& bucket(std::size_t slot, int level) {
    return buckets_[slot * static_cast<std::size_t>(num_levels_) + static_cast<std::size_t>(level)];
  }

  std::int64_t max_delay_;
  int num_levels_;
  std::size_t max_entries_;
  ChunkPool<Entry> pool_;
  std::vector<ChunkList<Entry>> buckets_;  ///< [max_delay + 1, num_levels]
  std::vector<std::size_t> in_tick_;       ///< entries by slot
  std::size_t slot_ = 0;                   ///< of tick_
  std::int64_t tick_ = 0;
  std::size_t size_ = 0;
  int next_level_ = 0;  ///< levels below it have been visited in this tick
};

/// A radix heap: times never precede the last one that was taken out, as in every simulation. Entries of one time come
/// out in the order of their `operator<`, whenever they were pushed, so that the order of input does not matter.
///
/// An entry is moved at most once for each bit in which its time differs from now, in passes over whole chunks; there
/// is no comparison of keys. Memory: 16 bytes an entry of 8 bytes, and at most 65 chunks of 256 bytes.
template <class Entry>
class TimeQueue {
 public:
  struct Timed {
    std::int64_t time;
    Entry entry;
  };
  /// next_time() of an empty queue.
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  explicit TimeQueue(std::size_t max_entries) : max_entries_(max_entries) {}

  /// Time of the last pop.
  std::int64_t now() const { return now_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t max_entries() const { return max_entries_; }
  /// Held for entries, used or not.
  std::size_t bytes() const { return pool_.bytes() + (arrived_.capacity() + late_.capacity()) * sizeof(Entry); }

  /// Of the entry that pop() would give; in constant time.
  std::int64_t next_time() const {
    if (next_ < arrived_.size() || !late_.empty()) return now_;
    return digits_ == 0 ? kNever : earliest_[lowest_bucket()];
  }

  /// \throws QueueFullError at the bound
  /// \throws Error if time < now()
  void push(std::int64_t time, const Entry& entry) {
    if (time < now_) detail::refuse_past(time, now_);
    if (size_ == max_entries_) throw QueueFullError("time_queue", now_, size_);
    if (time == now_) {
      late_.push_back(entry);
      std::push_heap(late_.begin(), late_.end(), after);
    } else {
      put({time, entry});
    }
    ++size_;
  }

  /// The earliest entry, and among those of its time the least.
  /// \throws Error if the queue is empty
  Timed pop() {
    if (next_ == arrived_.size() && late_.empty()) refill();
    --size_;
    if (late_.empty() || (next_ < arrived_.size() && !(late_.front() < arrived_[next_]))) {
      return {now_, arrived_[next_++]};
    }
    std::pop_heap(late_.begin(), late_.end(), after);
    const Entry entry = late_.back();
    late_.pop_back();
    return {now_, entry};
  }

  /// Drops everything, and keeps the memory.
  void clear(std::int64_t now = 0) {
    for (auto& list : buckets_) list.drain(pool_, [](std::span<const Timed>) {});
    arrived_.clear();
    late_.clear();
    next_ = 0;
    size_ = 0;
    values_ = {};
    digits_ = 0;
    now_ = now;
  }

 private:
  static bool after(const Entry& a, const Entry& b) { return b < a; }

  static constexpr int kDigitBits = 4;  // bench/spike_queue.cpp
  static constexpr std::size_t kDigits = 64 / kDigitBits, kRadix = std::size_t{1} << kDigitBits;

  /// Of the same order as times, also below zero.
  static std::uint64_t key_of(std::int64_t time) {
    return static_cast<std::uint64_t>(time) ^ (std::uint64_t{1} << 63U);
  }

  /// The digit from which on `time` and now_ are the same number, and its value in `time`. time > now_.
  std::pair<std::size_t, std::size_t> place_of(std::int64_t time) const {
    const std::uint64_t key = key_of(time);
    const auto digit = static_cast<std::size_t>(std::bit_width(key ^ key_of(now_)) - 1) / kDigitBits;
    return {digit, (key >> (digit * kDigitBits)) % kRadix};
  }
  /// All times of a lower digit come before those of a higher one, in which they agree with now_.
  std::size_t lowest_bucket() const {
    const auto digit = static_cast<std::size_t>(std::countr_zero(digits_));
    return digit * kRadix + static_cast<std::size_t>(std::countr_zero(values_[digit]));
  }

  void put(const Timed& timed) {
    const auto [digit, value] = place_of(timed.time);
    const std::size_t bucket = digit * kRadix + value;
    const bool first = buckets_[bucket].empty();
    buckets_[bucket].append(timed, pool_);
    earliest_[bucket] = first ? timed.time : std::min(earliest_[bucket], timed.time);
    values_[digit] |= std::uint32_t{1} << value;
    digits_ |= std::uint64_t{1} << digit;
  }

  /// Goes on to the earliest time that waits. All others of its bucket agree with it in one digit more than with the
  /// old now_, so they come to lower digits, which have no others.
  void refill() {
    if (size_ == 0) detail::refuse_empty();
    const std::size_t bucket = lowest_bucket(), digit = bucket / kRadix;
    now_ = earliest_[bucket];
    values_[digit] &= values_[digit] - 1;
    if (values_[digit] == 0) digits_ &= digits_ - 1;
    arrived_.clear();
    next_ = 0;
    buckets_[bucket].drain(pool_, [&](std::span<const Timed> entries) {
      for (const Timed& timed : entries) {
        if (timed.time == now_) {
          arrived_.push_back(timed.entry);
        } else {
          put(timed);
        }
      }
    });
    if (arrived_.size() > 1) std::sort(arrived_.begin(), arrived_.end());
  }

  std::size_t max_entries_;
  ChunkPool<Timed> pool_;
  std::array<ChunkList<Timed>, kDigits * kRadix> buckets_;
  std::array<std::int64_t, kDigits * kRadix> earliest_{};  ///< of buckets that are not empty
  std::array<std::uint32_t, kDigits> values_{};            ///< a bit for each bucket that is not empty
  std::uint64_t digits_ = 0;                               ///< a bit for each digit that has one
  std::vector<Entry> arrived_;                             ///< at now_, ascending; those before next_ are gone
  std::size_t next_ = 0;
  std::vector<Entry> late_;  ///< pushed for now_ when it was now: a heap
  std::int64_t now_ = 0;
  std::size_t size_ = 0;
};

/// What a queue holds for a spike that a neuron will fire if nothing reaches it before.
struct Prediction {
  std::uint32_t neuron;
  std::uint32_t generation;

  auto operator<=>(const Prediction&) const = default;
};

/// Tells predictions that still hold from stale ones, which stay in the queue until their time comes: a touch of the
/// neuron makes all earlier ones stale. Between two touches a neuron has at most one. (A prediction that waited for
/// 2^32 touches of its neuron would hold again.)
class Generations {
 public:
  explicit Generations(std::size_t num_neurons) : generation_(num_neurons, 0) {}

  void touch(std::uint32_t neuron) { ++generation_[neuron]; }
  Prediction predict(std::uint32_t neuron) const { return {neuron, generation_[neuron]}; }
  bool holds(const Prediction& prediction) const { return generation_[prediction.neuron] == prediction.generation; }

 private:
  std::vector<std::uint32_t> generation_;
};

}  // namespace synfire
