#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "tests/reference/sequence_rows.hpp"

namespace synfire::test {

struct ScanValues {
  std::vector<double> u, delta, bc, a_log, d, dt_bias;
};

/// y of the selective scan: the equations of [Gu2023] one number at a time.
/// \param state  h before each sequence and after it, [sequences, N, E]
inline std::vector<double> selective_scan_reference(const Shape& signal, SequenceOrder order, std::size_t states,
                                                    const ScanValues& x, std::vector<double>& state) {
  const auto channels = static_cast<std::size_t>(signal.channels());
  std::vector<double> y(x.u.size());
  std::size_t s = 0;
  for (const auto& rows : sequence_rows(signal, order)) {
    for (std::size_t e = 0; e < channels; ++e) {
      std::vector<double> h(states);
      for (std::size_t n = 0; n < states; ++n) h[n] = state[(s * states + n) * channels + e];
      for (const std::ptrdiff_t row : rows) {
        const std::size_t r = static_cast<std::size_t>(row), i = r * channels + e;
        const double raw = x.delta[i] + x.dt_bias[e];
        const double step = raw > 20.0 ? raw : std::log1p(std::exp(raw));
        y[i] = x.d[e] * x.u[i];
        for (std::size_t n = 0; n < states; ++n) {
          const double a = -std::exp(x.a_log[e * states + n]);
          h[n] = std::exp(step * a) * h[n] + step * x.u[i] * x.bc[r * 2 * states + n];
          y[i] += x.bc[r * 2 * states + states + n] * h[n];
        }
      }
      for (std::size_t n = 0; n < states; ++n) state[(s * states + n) * channels + e] = h[n];
    }
    ++s;
  }
  return y;
}

}  // namespace synfire::test
