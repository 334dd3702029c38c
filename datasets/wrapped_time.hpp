#pragma once

// Shared by the decoders of the formats; not installed.

#include <cstddef>
#include <cstdint>
#include <limits>

namespace synfire::datasets {

/// Turns the times of consecutive blocks of events, as stored in 32 bits, into 64 bits, and counts backward steps.
/// A fall of more than half the range is a wrap, and a rise of as much right after one is a late event of the round
/// before. Without a wrap in it, a block costs one pass over times that are still in the cache.
class WrappedTime {
 public:
  void extend(std::int64_t* t_us, std::size_t count) {
    if (count == 0) return;
    if (last_raw_ == kNone) last_raw_ = last_ = t_us[0];
    const std::int64_t first_raw = last_raw_;
    last_raw_ = t_us[count - 1];
    const Steps steps = steps_of(first_raw, t_us, count);
    if (steps.has_jump) {
      unwrap(first_raw, t_us, count);
    } else {
      backward_steps_ += steps.num_backward;
      if (round_ != 0)
        for (std::size_t i = 0; i < count; ++i) t_us[i] += round_;
    }
    last_ = t_us[count - 1];
  }

  std::int64_t backward_steps() const { return backward_steps_; }

 private:
  static constexpr std::int64_t kRange = std::int64_t{1} << 32;
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

  struct Steps {
    bool has_jump;  ///< of half the range or more
    std::int64_t num_backward;
  };
  static Steps steps_of(std::int64_t before, const std::int64_t* t_us, std::size_t count) {
    std::uint64_t jumps = 0, num_backward = 0;
    const auto add = [&](std::int64_t step) {
      jumps |= static_cast<std::uint64_t>(step + kRange / 2);  // within 32 bits, unless it is a jump
      num_backward += static_cast<std::uint64_t>(step) >> 63U;
    };
    add(t_us[0] - before);
    for (std::size_t i = 1; i < count; ++i) add(t_us[i] - t_us[i - 1]);
    return {jumps >> 32U != 0, static_cast<std::int64_t>(num_backward)};
  }

  void unwrap(std::int64_t before, std::int64_t* t_us, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t raw = t_us[i];
      if (raw - before < -kRange / 2)
        round_ += kRange;
      else if (raw - before > kRange / 2 && round_ > 0)
        round_ -= kRange;
      t_us[i] = raw + round_;
      backward_steps_ += t_us[i] < (i == 0 ? last_ : t_us[i - 1]);
      before = raw;
    }
  }

  std::int64_t last_raw_ = kNone;
  std::int64_t last_ = kNone;
  std::int64_t round_ = 0;
  std::int64_t backward_steps_ = 0;
};

}  // namespace synfire::datasets
