#include "datasets/simulate/hankel.hpp"

#include <cmath>
#include <numbers>

namespace synfire::datasets {

namespace {

using Complex = std::complex<double>;
constexpr Complex kI{0.0, 1.0};

Complex power_series(Complex z) {
  // J0 = sum of t_k,  Y0 = 2/pi (ln(z/2) + gamma) J0 - 2/pi sum of H_k t_k,  t_k = (-z^2/4)^k / k!^2
  const Complex minus_quarter = -0.25 * z * z;
  Complex term = 1.0;
  Complex j0 = 1.0;
  Complex weighted = 0.0;
  double harmonic = 0.0;
  for (int k = 1; std::norm(term) > 1e-36 * std::norm(j0); ++k) {
    term *= minus_quarter / static_cast<double>(k * k);
    harmonic += 1.0 / k;
    j0 += term;
    weighted += harmonic * term;
  }
  const Complex y0 = 2.0 / std::numbers::pi * ((std::log(0.5 * z) + std::numbers::egamma) * j0 - weighted);
  return j0 + kI * y0;
}

Complex asymptotic_series(Complex z) {
  // sqrt(2 / (pi z)) exp(i (z - pi/4)) sum of t_k,  t_k = t_(k-1) * -i (2k - 1)^2 / (8 k z), up to the smallest term
  const Complex inverse = -kI / z;
  Complex term = 1.0;
  Complex sum = 1.0;
  for (int k = 1; k < 40; ++k) {
    const double odd = 2.0 * k - 1.0;
    const Complex factor = odd * odd / (8.0 * k) * inverse;
    if (std::norm(factor) >= 1.0) break;
    term *= factor;
    sum += term;
    if (std::norm(term) < 1e-34) break;
  }
  return std::sqrt(2.0 / (std::numbers::pi * z)) * std::exp(kI * (z - 0.25 * std::numbers::pi)) * sum;
}

}  // namespace

std::complex<double> hankel1_0(std::complex<double> z) {
  constexpr double kBorder = 9.0;  // about exp(-18) is lost on both sides
  return std::norm(z) < kBorder * kBorder ? power_series(z) : asymptotic_series(z);
}

}  // namespace synfire::datasets
