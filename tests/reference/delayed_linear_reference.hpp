#pragma once

#include <cmath>
#include <vector>

#include "core/tensor.hpp"
#include "synapses/delayed_linear.hpp"

namespace synfire::test {

/// A layer with delays by its definition: every synapse, every delay, every tick, in double. Derivatives of the taps
/// are central differences where a step does not cross a kink.
struct DelayedLinearReference {
  synapses::DelayConfig config;
  Tensor<double> x, weight, position, width, mask;  ///< the mask may be empty
  bool rounded = false;

  std::ptrdiff_t in() const { return x.shape()[2]; }
  std::ptrdiff_t out() const { return weight.shape()[0]; }
  std::ptrdiff_t batch() const { return x.shape()[1]; }
  std::ptrdiff_t kernels() const { return config.kernel_count; }

  std::ptrdiff_t shared(std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t m) const {
    if (config.per == synapses::DelayPer::input) return i * kernels() + m;
    if (config.per == synapses::DelayPer::output) return o * kernels() + m;
    return (o * in() + i) * kernels() + m;
  }

  /// A_d for all delays.
  std::vector<double> shares(double at, double wide) const {
    const bool gauss = config.bump == synapses::DelayBump::gauss && !rounded;
    const double centre = config.max_delay / 2 - (rounded ? std::nearbyint(at) : at);
    const double s = rounded ? 1.0 : std::abs(wide) + (gauss ? 0.27 : 1.0);
    std::vector<double> result;
    double sum = 1e-7;
    for (int d = 0; d <= config.max_delay; ++d) {
      const double u = d - centre;
      result.push_back(gauss ? std::exp(-0.5 * u * u / (s * s)) : std::max(0.0, s - std::abs(u)));
      sum += result.back();
    }
    for (double& share : result) share /= sum;
    return result;
  }

  template <class Body>
  void each(const Body& body) const {
    for (std::ptrdiff_t o = 0; o < out(); ++o) {
      for (std::ptrdiff_t i = 0; i < in(); ++i) {
        if (mask.size() > 0 && mask[o * in() + i] == 0.0) continue;
        for (std::ptrdiff_t m = 0; m < kernels(); ++m) body(o, i, (o * in() + i) * kernels() + m, shared(o, i, m));
      }
    }
  }

  Tensor<double> forward() const {
    Tensor<double> y(Shape{x.shape()[0] + config.extra_ticks, batch(), out()});
    each([&](auto o, auto i, auto w, auto s) {
      const std::vector<double> a = shares(position[s], width[s]);
      for (std::ptrdiff_t t = 0; t < x.shape()[0]; ++t) {
        for (std::ptrdiff_t b = 0; b < batch(); ++b) {
          const double v = weight[w] * x[(t * batch() + b) * in() + i];
          for (int d = 0; d <= config.max_delay && t + d < y.shape()[0]; ++d) {
            y[((t + d) * batch() + b) * out() + o] += a[static_cast<std::size_t>(d)] * v;
          }
        }
      }
    });
    return y;
  }

  struct Gradients {
    Tensor<double> weight, position, width, x;
  };
  Gradients backward(const Tensor<double>& grad_y) const {
    Gradients g{Tensor<double>(weight.shape()), Tensor<double>(position.shape()), Tensor<double>(width.shape()),
                Tensor<double>(x.shape())};
    each([&](auto o, auto i, auto w, auto s) {
      std::vector<double> correlation(static_cast<std::size_t>(config.max_delay) + 1);
      const std::vector<double> a = shares(position[s], width[s]);
      for (std::ptrdiff_t t = 0; t < x.shape()[0]; ++t) {
        for (std::ptrdiff_t b = 0; b < batch(); ++b) {
          const std::ptrdiff_t at = (t * batch() + b) * in() + i;
          for (std::size_t d = 0; d < a.size() && t + static_cast<std::ptrdiff_t>(d) < grad_y.shape()[0]; ++d) {
            const double e = grad_y[((t + static_cast<std::ptrdiff_t>(d)) * batch() + b) * out() + o];
            correlation[d] += e * x[at];
            g.x[at] += weight[w] * a[d] * e;
          }
        }
      }
      const auto loss = [&](double at, double wide) {
        const std::vector<double> shares_there = shares(at, wide);
        double sum = 0.0;
        for (std::size_t d = 0; d < a.size(); ++d) sum += correlation[d] * shares_there[d];
        return sum;
      };
      constexpr double kStep = 1e-5;
      g.weight[w] = loss(position[s], width[s]);
      if (rounded) return;
      g.position[s] +=
          weight[w] * (loss(position[s] + kStep, width[s]) - loss(position[s] - kStep, width[s])) / (2 * kStep);
      g.width[s] +=
          weight[w] * (loss(position[s], width[s] + kStep) - loss(position[s], width[s] - kStep)) / (2 * kStep);
    });
    return g;
  }
};

}  // namespace synfire::test
