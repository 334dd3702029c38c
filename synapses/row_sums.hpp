#pragma once

#include <algorithm>
#include <cstddef>

#include "core/parallel.hpp"

namespace synfire::synapses {

/// sums[c] = sum over rows of values[row, c], in double and in a fixed order. Private to the room: not installed.
/// \param partials  chunks * channels values of scratch
template <class Scalar>
void sum_rows(const Scalar* values, std::ptrdiff_t rows, std::ptrdiff_t channels, int chunks, double* partials,
              Scalar* sums) {
  std::fill(partials, partials + chunks * channels, 0.0);
  parallel_chunks(rows, chunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    double* const partial = partials + chunk * channels;
    for (std::ptrdiff_t row = begin; row < end; ++row) {
      for (std::ptrdiff_t c = 0; c < channels; ++c) partial[c] += static_cast<double>(values[row * channels + c]);
    }
  });
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    double sum = 0.0;
    for (int chunk = 0; chunk < chunks; ++chunk) sum += partials[chunk * channels + c];
    sums[c] = static_cast<Scalar>(sum);
  }
}

}  // namespace synfire::synapses
