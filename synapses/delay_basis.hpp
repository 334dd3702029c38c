#pragma once

#include <cmath>
#include <cstddef>

#include "synapses/delay_bump.hpp"

/// Wide bumps in few numbers. Private to the room: not installed.
namespace synfire::synapses {

/// All gauss bumps of one wide width lie near a space of few functions: with delay and centre counted from the middle,
///
///     exp(-(d - c)^2 / 2s^2) = exp(-d^2 / 2s^2) exp(-c^2 / 2s^2) sum_n (d c / s^2)^n / n!
///
/// so polynomials in d times a gauss span them, `rank` of them to 2 (z/2)^rank / rank! of the largest tap with
/// z = (max_delay / 2s)^2, as for any Chebyshev expansion of exp. A synapse is then `rank` numbers instead of its taps.
struct SmoothBasis {
  /// Longest delay for which it is tried: beyond, bumps are seldom wide enough.
  static constexpr std::ptrdiff_t kMostDelays = 128;
  static constexpr double kError = 5e-7;

  std::ptrdiff_t delays = 0;
  std::ptrdiff_t rank = 0;         ///< 0: taps are used
  const double* values = nullptr;  ///< [rank, delays], orthonormal

  /// The rank for bumps of this shape; 0 if it is more than half of their taps.
  static std::ptrdiff_t rank_for(const BumpShape& shape) {
    const std::ptrdiff_t count = shape.max_delay() + 1;
    if (!shape.gauss() || count > kMostDelays) return 0;
    const double half_z = 0.5 * std::pow(0.5 * shape.max_delay() / shape.s(), 2);
    double error = 2.0;
    for (std::ptrdiff_t rank = 1; 2 * rank <= shape.reach(); ++rank) {
      error *= half_z / static_cast<double>(rank);
      if (error < kError) return rank;
    }
    return 0;
  }

  /// By Gram and Schmidt, each function twice; in `memory` [rank, delays].
  static SmoothBasis build(const BumpShape& shape, std::ptrdiff_t rank, double* memory) {
    const std::ptrdiff_t count = shape.max_delay() + 1;
    const double middle = 0.5 * shape.max_delay();
    for (std::ptrdiff_t r = 0; r < rank; ++r) {
      double* const mine = memory + r * count;
      const double* const before = mine - count;
      for (std::ptrdiff_t d = 0; d < count; ++d) {
        const double u = static_cast<double>(d) - middle;
        mine[d] = r == 0 ? std::exp(-0.5 * u * u / (shape.s() * shape.s())) : before[d] * u / (middle + 1.0);
      }
      for (int pass = 0; pass < 2; ++pass) {
        for (std::ptrdiff_t q = 0; q < r; ++q) {
          const double* const other = memory + q * count;
          double product = 0.0;
          for (std::ptrdiff_t d = 0; d < count; ++d) product += mine[d] * other[d];
          for (std::ptrdiff_t d = 0; d < count; ++d) mine[d] -= product * other[d];
        }
      }
      double norm = 0.0;
      for (std::ptrdiff_t d = 0; d < count; ++d) norm += mine[d] * mine[d];
      for (std::ptrdiff_t d = 0; d < count; ++d) mine[d] /= std::sqrt(norm);
    }
    return {count, rank, memory};
  }
};

}  // namespace synfire::synapses
