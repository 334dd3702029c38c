#pragma once

#include <complex>

namespace synfire::datasets {

/// The Hankel function of the first kind and order 0, H0 = J0 + i Y0, for z != 0 with real and imaginary part >= 0:
/// a travelling wave that is damped. Below |z| = 9 the power series, from there on the asymptotic one, [DLMF2023] 10.8
/// and 10.17; the relative error is below 1e-7, and largest where they meet.
std::complex<double> hankel1_0(std::complex<double> z);

}  // namespace synfire::datasets
