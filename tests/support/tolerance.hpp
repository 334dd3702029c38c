#pragma once

#include <cstddef>
#include <limits>

namespace synfire::test {

/// u: the largest relative error of one rounding to nearest.
template <class Scalar>
inline constexpr double unit_roundoff = 0.5 * static_cast<double>(std::numeric_limits<Scalar>::epsilon());

/// Largest error of a dot product of n terms in any order of summation: n u / (1 - n u) sum |a_i b_i|
/// [Higham2002, 3.1].
template <class Scalar>
double dot_error_bound(std::ptrdiff_t n, double sum_abs) {
  const double nu = static_cast<double>(n) * unit_roundoff<Scalar>;
  return nu / (1.0 - nu) * sum_abs;
}

}  // namespace synfire::test
