#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.hpp"
#include "neurons/exp_decay.hpp"

namespace synfire::neurons {

/// Which pseudo-derivative stands in for that of the Heaviside step in the backward pass.
enum class SurrogateKind : std::uint8_t { atan, sigmoid, fast_sigmoid, triangular, exponential };

/// A surrogate derivative sg(u), u = h - v_th, with its width parameter.
///
///     atan          sg = (alpha/2) / (1 + (pi/2 alpha u)^2)      [Fang2021]
///     sigmoid       sg = alpha g (1 - g), g = 1/(1 + exp(-alpha u))
///     fast_sigmoid  sg = 1 / (1 + alpha |u|)^2                    [Zenke2018]
///     triangular    sg = alpha max(0, 1 - alpha |u|)              [Bellec2018]
///     exponential   sg = exp(-alpha |u|)                          [Shrestha2018]
struct Surrogate {
  SurrogateKind kind = SurrogateKind::atan;
  double alpha = 2.0;
};

/// sg(u), the derivative that the backward pass uses.
template <SurrogateKind Kind, class Scalar>
SYNFIRE_HOST_DEVICE inline Scalar surrogate_derivative(Scalar u, Scalar alpha) {
  if constexpr (Kind == SurrogateKind::atan) {
    const Scalar z = Scalar(1.57079632679489661923) * alpha * u;
    return Scalar(0.5) * alpha / (Scalar(1) + z * z);
  } else if constexpr (Kind == SurrogateKind::sigmoid) {
    const Scalar e = exp_decay(alpha * std::abs(u));  // g (1 - g) is even
    return alpha * e / ((Scalar(1) + e) * (Scalar(1) + e));
  } else if constexpr (Kind == SurrogateKind::fast_sigmoid) {
    const Scalar d = Scalar(1) + alpha * std::abs(u);
    return Scalar(1) / (d * d);
  } else if constexpr (Kind == SurrogateKind::exponential) {
    return exp_decay(alpha * std::abs(u));
  } else {
    const Scalar d = Scalar(1) - alpha * std::abs(u);
    return d > Scalar(0) ? alpha * d : Scalar(0);
  }
}

/// The smooth function whose derivative is sg: stands in for the spike in finite-difference tests.
template <SurrogateKind Kind, class Scalar>
SYNFIRE_HOST_DEVICE inline Scalar surrogate_primitive(Scalar u, Scalar alpha) {
  if constexpr (Kind == SurrogateKind::atan) {
    return std::atan(Scalar(1.57079632679489661923) * alpha * u) / Scalar(3.14159265358979323846) + Scalar(0.5);
  } else if constexpr (Kind == SurrogateKind::sigmoid) {
    return Scalar(1) / (Scalar(1) + std::exp(-alpha * u));
  } else if constexpr (Kind == SurrogateKind::fast_sigmoid) {
    return u / (Scalar(1) + alpha * std::abs(u));
  } else if constexpr (Kind == SurrogateKind::exponential) {
    const Scalar half = (Scalar(1) - std::exp(-alpha * std::abs(u))) / alpha;
    return Scalar(0.5) + (u < Scalar(0) ? -half : half);
  } else {
    const Scalar inside = alpha * u < Scalar(-1) ? Scalar(-1) : (alpha * u > Scalar(1) ? Scalar(1) : alpha * u);
    return Scalar(0.5) + inside - Scalar(0.5) * inside * std::abs(inside);
  }
}

}  // namespace synfire::neurons
