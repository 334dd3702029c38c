#include "datasets/simulate/basilar_membrane.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/simulate/hankel.hpp"

namespace synfire::datasets {

namespace {

using Complex = std::complex<double>;
constexpr Complex kI{0.0, 1.0};

// Without the care for infinities, huge numbers and those near 1 that the library's versions take, and pay for.
Complex quotient(Complex a, Complex b) { return a * std::conj(b) / std::norm(b); }
Complex logarithm(Complex z) { return {0.5 * std::log(std::norm(z)), std::arg(z)}; }

}  // namespace

MembraneWave::MembraneWave(const MembraneParams& params, double frequency_hz)
    : params_(params), omega_(2.0 * std::numbers::pi * frequency_hz) {
  root_ = std::sqrt(params.stiffness_offset + params.mass * omega_ * omega_);
  friction_ = omega_ * params.damping * std::sqrt(params.stiffness * params.mass);
  base_integral_ = integral(1.0);
  const double wave = omega_ * std::sqrt(params.density / params.height_cm);
  base_phase_ = 2.0 / params.decay_per_cm * wave / std::sqrt(impedance(1.0));
  const double x = 2.0 * omega_ / params.decay_per_cm * std::sqrt(2.0 / (params.height_cm * params.stiffness));
  const Complex input =
      std::sqrt(2.0 * params.stiffness / params.height_cm) * (kI * ::j0(x) + ::y0(x)) / (::j1(x) - kI * ::y1(x));
  scale_ = 2.0 * omega_ * input / pressure(1.0);
}

std::complex<double> MembraneWave::impedance(double u) const {
  return {params_.stiffness * u * u - root_ * root_, -friction_ * u};
}

std::complex<double> MembraneWave::integral(double u) const {
  return (2.0 * kI * root_ * std::sqrt(impedance(u)) - kI * friction_ * u - 2.0 * root_ * root_) / u;
}

std::complex<double> MembraneWave::pressure(double u) const {
  // g = wave / sqrt(xi), and G is its integral from the base on, in closed form, plus what would lie before the base.
  const double wave = omega_ * std::sqrt(params_.density / params_.height_cm);
  const Complex phase =
      base_phase_ + 2.0 * wave / (params_.decay_per_cm * root_) * kI * logarithm(quotient(base_integral_, integral(u)));
  return std::sqrt(phase * std::sqrt(impedance(u)) / wave) * hankel1_0(phase);
}

std::complex<double> MembraneWave::velocity(double place_cm) const {
  const double u = std::exp(-0.5 * params_.decay_per_cm * place_cm);
  return quotient(scale_ * pressure(u), impedance(u));
}

double membrane_resonance_hz(const MembraneParams& params, double place_cm) {
  const double stiffness = params.stiffness * std::exp(-params.decay_per_cm * place_cm) - params.stiffness_offset;
  return std::sqrt(std::max(stiffness, 0.0) / params.mass) / (2.0 * std::numbers::pi);
}

}  // namespace synfire::datasets
