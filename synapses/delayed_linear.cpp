#include "synapses/delayed_linear.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace synfire::synapses {

namespace {

template <class Scalar>
struct Bump {
  std::vector<double> share, slope_position, slope_width;  // A_d and its derivatives
};

template <class Scalar>
Bump<Scalar> bump(const DelayConfig& config, double position, double width, bool rounded) {
  const int count = config.max_delay + 1;
  Bump<Scalar> result{std::vector<double>(count), std::vector<double>(count), std::vector<double>(count)};
  const bool gauss = config.bump == DelayBump::gauss && !rounded;
  const double centre = config.middle() - (rounded ? std::nearbyint(position) : position);
  const double s = rounded ? 1.0 : std::abs(width) + (gauss ? 0.27 : 1.0);
  const double sign_width = width > 0.0 ? 1.0 : width < 0.0 ? -1.0 : 0.0;
  double sum = 1e-7, first = 0.0, second = 0.0;
  for (int d = 0; d < count; ++d) {
    const double u = d - centre;
    const double x = gauss ? std::exp(-0.5 * (u / s) * (u / s)) : std::max(0.0, s - std::abs(u));
    result.share[d] = x;
    sum += x;
  }
  for (int d = 0; d < count; ++d) {
    const double u = d - centre;
    result.share[d] /= sum;
    if (gauss) {
      first += result.share[d] * u;
      second += result.share[d] * u * u;
    } else if (std::abs(u) < s) {
      first += u > 0.0 ? 1.0 : u < 0.0 ? -1.0 : 0.0;
      second += 1.0;
    }
  }
  if (rounded) return result;
  for (int d = 0; d < count; ++d) {
    const double u = d - centre;
    if (gauss) {
      result.slope_position[d] = -result.share[d] * (u - first) / (s * s);
      result.slope_width[d] = sign_width * result.share[d] * (u * u - second) / (s * s * s);
    } else {
      const bool inside = std::abs(u) < s;
      const double sign = !inside ? 0.0 : u > 0.0 ? 1.0 : u < 0.0 ? -1.0 : 0.0;
      result.slope_position[d] = -(sign - result.share[d] * first) / sum;
      result.slope_width[d] = sign_width * ((inside ? 1.0 : 0.0) - result.share[d] * second) / sum;
    }
  }
  return result;
}

template <class Scalar>
double value(const Signal<Scalar>& x, std::ptrdiff_t i) {
  return x.is_spikes() ? static_cast<double>(x.spikes[i]) : static_cast<double>(x.real[i]);
}

template <class Scalar, class Body>
void each_synapse(const DelayConfig& config, const DelayParameters<Scalar>& p, const Body& body) {
  const Shape& w = p.weight.shape;
  for (std::ptrdiff_t o = 0; o < w[0]; ++o) {
    for (std::ptrdiff_t i = 0; i < w[1]; ++i) {
      if (!p.mask.empty() && p.mask[o * w[1] + i] == Scalar(0)) continue;
      for (std::ptrdiff_t m = 0; m < w[2]; ++m) {
        const std::ptrdiff_t row = config.per == DelayPer::input ? 0 : o,
                             column = config.per == DelayPer::output ? 0 : i;
        const std::ptrdiff_t shared = (row * p.position.shape[1] + column) * w[2] + m;
        body(o, i, (o * w[1] + i) * w[2] + m, shared,
             bump<Scalar>(config, p.position[shared], p.width[shared], p.rounded));
      }
    }
  }
}

}  // namespace

template <class Scalar>
void delayed_linear_forward(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                            View<Scalar> y, std::span<std::byte>) {
  const std::ptrdiff_t ticks = x.shape[0], batch = x.shape[1], in = x.shape[2], out = y.shape[2];
  std::fill(y.data, y.data + y.size(), Scalar(0));
  each_synapse(config, p, [&](auto o, auto i, auto w, auto, const auto& taps) {
    for (std::ptrdiff_t t = 0; t < ticks; ++t) {
      for (std::ptrdiff_t b = 0; b < batch; ++b) {
        const double v = value(x, (t * batch + b) * in + i);
        for (int d = 0; v != 0.0 && d <= config.max_delay && t + d < y.shape[0]; ++d) {
          y[((t + d) * batch + b) * out + o] += static_cast<Scalar>(p.weight[w] * taps.share[d] * v);
        }
      }
    }
  });
}

template <class Scalar>
void delayed_linear_backward(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                             View<const Scalar> grad_y, const DelayGradients<Scalar>& grads, View<Scalar> grad_x,
                             std::span<std::byte>) {
  const std::ptrdiff_t ticks = x.shape[0], batch = x.shape[1], in = x.shape[2], out = grad_y.shape[2];
  for (const View<Scalar>& g : {grads.weight, grads.position, grads.width, grad_x}) {
    std::fill(g.data, g.data + g.size(), Scalar(0));
  }
  std::vector<double> correlation(static_cast<std::size_t>(config.max_delay) + 1);
  each_synapse(config, p, [&](auto o, auto i, auto w, auto shared, const auto& taps) {
    std::fill(correlation.begin(), correlation.end(), 0.0);
    for (std::ptrdiff_t t = 0; t < ticks; ++t) {
      for (std::ptrdiff_t b = 0; b < batch; ++b) {
        const double v = value(x, (t * batch + b) * in + i);
        double back = 0.0;
        for (int d = 0; d <= config.max_delay && t + d < grad_y.shape[0]; ++d) {
          const double g = grad_y[((t + d) * batch + b) * out + o];
          correlation[d] += g * v;
          back += g * taps.share[d];
        }
        if (!grad_x.empty()) grad_x[(t * batch + b) * in + i] += static_cast<Scalar>(p.weight[w] * back);
      }
    }
    double for_weight = 0.0, for_position = 0.0, for_width = 0.0;
    for (int d = 0; d <= config.max_delay; ++d) {
      for_weight += correlation[d] * taps.share[d];
      for_position += correlation[d] * taps.slope_position[d];
      for_width += correlation[d] * taps.slope_width[d];
    }
    grads.weight[w] = static_cast<Scalar>(for_weight);
    if (!grads.position.empty()) grads.position[shared] += static_cast<Scalar>(p.weight[w] * for_position);
    if (!grads.width.empty()) grads.width[shared] += static_cast<Scalar>(p.weight[w] * for_width);
  });
}

template <class Scalar>
int delay_reach(const DelayConfig& config, const DelayParameters<Scalar>&) {
  return config.max_delay + 1;
}

template <class Scalar>
std::size_t delayed_linear_scratch_bytes(const DelayConfig&, int, const Shape&, std::ptrdiff_t) {
  return 64;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                \
  template void delayed_linear_forward(const Signal<Scalar>&, const DelayConfig&, const DelayParameters<Scalar>&,  \
                                       View<Scalar>, std::span<std::byte>);                                        \
  template void delayed_linear_backward(const Signal<Scalar>&, const DelayConfig&, const DelayParameters<Scalar>&, \
                                        View<const Scalar>, const DelayGradients<Scalar>&, View<Scalar>,           \
                                        std::span<std::byte>);                                                     \
  template int delay_reach(const DelayConfig&, const DelayParameters<Scalar>&);                                    \
  template std::size_t delayed_linear_scratch_bytes<Scalar>(const DelayConfig&, int, const Shape&, std::ptrdiff_t);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
