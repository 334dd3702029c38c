#include "synapses/activation.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

/// Elements that a task takes at least.
constexpr std::ptrdiff_t kTaskElements = 1 << 13;

/// exp for -87 <= x <= 88, beyond which it stays at the value there: e^x = 2^n e^r, |r| <= ln(2) / 2, n taken off in
/// two parts, the first with so few bits that n times it is exact. Written so that a loop over it becomes vector code.
inline float fast_exp(float x) {
  x = x < -87.0F ? -87.0F : x > 88.0F ? 88.0F : x;
  constexpr float kToNearest = 12582912.0F;  // 1.5 2^23: adding it rounds to a whole number
  const float shifted = x * 1.44269504F + kToNearest;
  const float n = shifted - kToNearest;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  float series = 1.9875691500e-4F;
  series = series * r + 1.3981999507e-3F;
  series = series * r + 8.3334519073e-3F;
  series = series * r + 4.1665795894e-2F;
  series = series * r + 1.6666665459e-1F;
  series = series * r + 5.0000001201e-1F;
  const float mantissa = (series * r * r + r) + 1.0F;
  const auto exponent =
      static_cast<std::uint32_t>(std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kToNearest));
  return mantissa * std::bit_cast<float>((exponent + 127U) << 23U);
}
inline double fast_exp(double x) { return std::exp(x); }

/// Phi(x) and its density. In float by 7.1.26 of [Abramowitz1964] for the tail, which keeps its relative error small.
struct Normal {
  float cumulative, density;
};
inline Normal normal(float x) {
  const float magnitude = std::abs(x);
  const float e = fast_exp(-0.5F * x * x);
  const float t = 1.0F / (1.0F + 0.231641888F * magnitude);
  const float tail =
      0.5F * e * t * (0.254829592F + t * (-0.284496736F + t * (1.421413741F + t * (-1.453152027F + t * 1.061405429F))));
  return {x < 0.0F ? tail : 1.0F - tail, 0.398942280F * e};
}
struct NormalDouble {
  double cumulative, density;
};
inline NormalDouble normal(double x) {
  return {0.5 * std::erfc(-x * 0.70710678118654752440), 0.39894228040143267794 * std::exp(-0.5 * x * x)};
}

struct Silu {
  template <class Scalar>
  static Scalar value(Scalar x) {
    return x / (Scalar{1} + fast_exp(-x));
  }
  template <class Scalar>
  static Scalar slope(Scalar x) {
    const Scalar s = Scalar{1} / (Scalar{1} + fast_exp(-x));
    return s * (Scalar{1} + x * (Scalar{1} - s));
  }
};
struct Gelu {
  template <class Scalar>
  static Scalar value(Scalar x) {
    return x * normal(x).cumulative;
  }
  template <class Scalar>
  static Scalar slope(Scalar x) {
    const auto phi = normal(x);
    return phi.cumulative + x * phi.density;
  }
};

template <class Body>
void with_function(Activation function, const Body& body) {
  if (function == Activation::silu) {
    body(Silu{});
  } else {
    body(Gelu{});
  }
}

}  // namespace

template <class Scalar>
void activation_forward(Activation function, View<const Scalar> x, View<Scalar> y) {
  require_cpu("activation_forward", x.device);
  require_shape("activation_forward", "the output", y.shape, x.shape);
  with_function(function, [&](auto f) {
    parallel_for(x.shape.size(), kTaskElements, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin; i < end; ++i) y.data[i] = f.value(x.data[i]);
    });
  });
}

template <class Scalar>
void activation_backward(Activation function, View<const Scalar> x, View<const Scalar> grad_y, View<Scalar> grad_x) {
  require_cpu("activation_backward", x.device);
  require_shape("activation_backward", "grad_y", grad_y.shape, x.shape);
  require_shape("activation_backward", "grad_x", grad_x.shape, x.shape);
  with_function(function, [&](auto f) {
    parallel_for(x.shape.size(), kTaskElements, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin; i < end; ++i) grad_x.data[i] = grad_y.data[i] * f.slope(x.data[i]);
    });
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                               \
  template void activation_forward(Activation, View<const Scalar>, View<Scalar>); \
  template void activation_backward(Activation, View<const Scalar>, View<const Scalar>, View<Scalar>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
