#pragma once

#include <cstddef>
#include <vector>

#include "core/sequences.hpp"
#include "core/shape.hpp"

namespace synfire::test {

/// Rows (tokens) of a signal [T, B, H, W, E] in the order of each sequence, found by walking through the signal.
inline std::vector<std::vector<std::ptrdiff_t>> sequence_rows(const Shape& signal, SequenceOrder order) {
  std::ptrdiff_t tokens = 1;
  for (int k = 2; k + 1 < signal.rank(); ++k) tokens *= signal[k];
  const std::ptrdiff_t ticks = signal[0], batch = signal[1];
  std::vector<std::vector<std::ptrdiff_t>> result;
  const auto place = [&](std::ptrdiff_t t, std::ptrdiff_t b, std::ptrdiff_t p) { return (t * batch + b) * tokens + p; };
  if (order.axis == SequenceAxis::tokens) {
    for (std::ptrdiff_t b = 0; b < batch; ++b) {
      result.emplace_back();
      for (std::ptrdiff_t t = 0; t < ticks; ++t) {
        for (std::ptrdiff_t p = 0; p < tokens; ++p) result.back().push_back(place(t, b, p));
      }
    }
  } else if (order.axis == SequenceAxis::frame) {
    for (std::ptrdiff_t t = 0; t < ticks; ++t) {
      for (std::ptrdiff_t b = 0; b < batch; ++b) {
        result.emplace_back();
        for (std::ptrdiff_t p = 0; p < tokens; ++p) result.back().push_back(place(t, b, p));
      }
    }
  } else {
    for (std::ptrdiff_t b = 0; b < batch; ++b) {
      for (std::ptrdiff_t p = 0; p < tokens; ++p) {
        result.emplace_back();
        for (std::ptrdiff_t t = 0; t < ticks; ++t) result.back().push_back(place(t, b, p));
      }
    }
  }
  if (order.direction == SequenceDirection::backward) {
    for (auto& rows : result) rows = {rows.rbegin(), rows.rend()};
  }
  return result;
}

}  // namespace synfire::test
