#pragma once

#include <complex>

namespace synfire::datasets {

/// The basilar membrane as a row of damped oscillators that shallow water couples, [Sieroka2006]; values of
/// [Cramer2022]. Units are those of the papers: cm, g, s.
struct MembraneParams {
  double stiffness = 1e9;          ///< C0, g s^-2 cm^-2, at the base
  double stiffness_offset = 3500;  ///< a
  double decay_per_cm = 3.0;       ///< alpha: stiffness falls as exp(-alpha c)
  double damping = 0.15;           ///< delta, in units of the critical one up to a factor
  double mass = 0.05;              ///< m, g cm^-2
  double height_cm = 0.1;          ///< h, of the channel
  double density = 1.0;            ///< rho, g cm^-3
  double length_cm = 3.5;          ///< from the base (high tones) to the apex
};

/// One frequency of the membrane's response, for all places: docs/simulators.md has the equations.
class MembraneWave {
 public:
  /// \param frequency_hz  > 0
  MembraneWave(const MembraneParams& params, double frequency_hz);
  /// Velocity at the place per unit of sound.
  std::complex<double> velocity(double place_cm) const;

 private:
  std::complex<double> impedance(double u) const;  ///< xi, with u = exp(-alpha c / 2)
  std::complex<double> integral(double u) const;   ///< of the wave number, up to a constant: its logarithm's argument
  std::complex<double> pressure(double u) const;

  MembraneParams params_;
  double omega_;
  double root_;                         ///< K = sqrt(a + m omega^2)
  double friction_;                     ///< omega R0
  std::complex<double> base_integral_;  ///< at u = 1
  std::complex<double> base_phase_;     ///< G at u = 1
  std::complex<double> scale_;          ///< 2 omega Z / p(0)
};

/// Where the stiffness balances the mass: sqrt(S(c) / m) / 2 pi; 0 where S(c) < 0.
double membrane_resonance_hz(const MembraneParams& params, double place_cm);

}  // namespace synfire::datasets
