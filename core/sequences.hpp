#pragma once

#include <cstddef>
#include <cstdint>

#include "core/shape.hpp"

namespace synfire {

/// Along what the tokens of a signal [T, B, H, W, E] or [T, B, E] follow each other.
enum class SequenceAxis : std::uint8_t {
  tokens,  ///< all tokens of a clip, tick by tick, row by row: B sequences of T H W tokens
  frame,   ///< the tokens of one tick, row by row: T B sequences of H W
  time     ///< one token through the ticks: B H W sequences of T
};

enum class SequenceDirection : std::uint8_t { forward, backward };

struct SequenceOrder {
  SequenceAxis axis = SequenceAxis::tokens;
  SequenceDirection direction = SequenceDirection::forward;
};

/// Where the tokens of each sequence lie among the rows of a signal, so that no axis needs a transposed copy. A row is
/// the E channels of one token; a token of the backward direction has its place in the reversed sequence.
class Sequences {
 public:
  /// \param signal  [T, B, ..., E], at least of rank 3
  /// \throws ShapeError for a lower rank
  Sequences(const Shape& signal, SequenceOrder order);

  std::ptrdiff_t count() const { return count_; }
  std::ptrdiff_t length() const { return length_; }
  std::ptrdiff_t row(std::ptrdiff_t sequence, std::ptrdiff_t token) const {
    const std::ptrdiff_t place = reversed_ ? length_ - 1 - token : token;
    return sequence * between_sequences_ + place / inner_ * between_runs_ + place % inner_ * between_tokens_;
  }

 private:
  std::ptrdiff_t count_, length_;
  bool reversed_;
  // A sequence is made of runs of `inner_` tokens.
  std::ptrdiff_t inner_, between_sequences_, between_runs_, between_tokens_;
};

}  // namespace synfire
