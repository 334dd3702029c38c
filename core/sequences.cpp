#include "core/sequences.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire {

Sequences::Sequences(const Shape& signal, SequenceOrder order)
    : reversed_(order.direction == SequenceDirection::backward) {
  if (signal.rank() < 3) {
    throw ShapeError(fmt::format("[sequences] a signal must be [T, B, ..., E], got {}", signal.text()));
  }
  const std::ptrdiff_t ticks = signal[0], batch = signal[1];
  std::ptrdiff_t tokens = 1;
  for (int k = 2; k < signal.rank() - 1; ++k) tokens *= signal[k];
  switch (order.axis) {
    case SequenceAxis::tokens:
      count_ = batch;
      length_ = ticks * tokens;
      inner_ = tokens;
      between_sequences_ = tokens;
      between_runs_ = batch * tokens;
      between_tokens_ = 1;
      break;
    case SequenceAxis::frame:
      count_ = ticks * batch;
      length_ = inner_ = tokens;
      between_sequences_ = tokens;
      between_runs_ = 0;
      between_tokens_ = 1;
      break;
    case SequenceAxis::time:
      count_ = batch * tokens;
      length_ = inner_ = ticks;
      between_sequences_ = 1;
      between_runs_ = 0;
      between_tokens_ = batch * tokens;
      break;
  }
  inner_ = std::max<std::ptrdiff_t>(1, inner_);
}

}  // namespace synfire
