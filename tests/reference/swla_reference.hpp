#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/tensor.hpp"
#include "synapses/mixers/mixer_config.hpp"

namespace synfire::test {

/// Spiking window linear attention as weights of pairs of tokens, without a state: o_i = sum_j w_ij v_j / den_i. Slow.
class SwlaReference {
 public:
  SwlaReference(const synapses::MixerConfig& config, const Shape& shape) : config_(config), shape_(shape) {}

  Tensor<double> operator()(const Tensor<double>& q, const Tensor<double>& k, const Tensor<double>& v) const {
    Tensor<double> o(shape_);
    for (std::ptrdiff_t b = 0; b < shape_[1]; ++b) {
      for (int head = 0; head < config_.heads; ++head) sample(b, head, q, k, v, o);
    }
    return o;
  }

 private:
  using Position = std::array<std::ptrdiff_t, 3>;

  std::ptrdiff_t extent(std::size_t axis) const {
    return axis == 0 ? shape_[0] : shape_.rank() == 5 ? shape_[static_cast<int>(axis) + 1] : 1;
  }
  std::ptrdiff_t window_of(const Position& p, std::size_t axis) const {
    const std::ptrdiff_t size = config_.window_size[axis];
    const bool is_cut = axis > 0 || !config_.causal;
    if (size == 0 || (is_cut && size >= extent(axis))) return 0;
    return (p[axis] + config_.window_shift[axis]) / size;
  }
  std::ptrdiff_t offset(const Position& p, std::ptrdiff_t b, int head) const {
    const std::ptrdiff_t token = ((p[0] * shape_[1] + b) * extent(1) + p[1]) * extent(2) + p[2];
    return token * shape_.channels() + head * (shape_.channels() / config_.heads);
  }

  /// phi(x) of one token, turned or not.
  std::vector<double> features(const Tensor<double>& x, const Position& p, std::ptrdiff_t b, int head,
                               bool turned) const {
    const std::ptrdiff_t d = shape_.channels() / config_.heads;
    std::vector<double> f(static_cast<std::size_t>(d));
    for (std::ptrdiff_t r = 0; r < d; ++r) {
      f[static_cast<std::size_t>(r)] =
          x[offset(p, b, head) + r] + (config_.feature == synapses::MixerFeature::shift ? 1.0 : 0.0);
    }
    if (!turned || config_.rope == synapses::MixerRope::none) return f;
    const bool by_head = config_.rope == synapses::MixerRope::head, in_time = config_.window_size[0] != 1;
    const std::ptrdiff_t frequencies = (by_head ? d : shape_.channels()) / (in_time ? 6 : 4);
    for (std::ptrdiff_t pair = 0; pair < d / 2; ++pair) {
      const std::ptrdiff_t j = (by_head ? 0 : head * d / 2) + pair, axis = j / frequencies + (in_time ? 0 : 1);
      if (axis > 2) continue;
      const double theta = std::pow(10000.0, -static_cast<double>(j % frequencies) / static_cast<double>(frequencies));
      const double angle = static_cast<double>(p[static_cast<std::size_t>(axis)]) * theta;
      double &a = f[static_cast<std::size_t>(2 * pair)], &c = f[static_cast<std::size_t>(2 * pair + 1)];
      const double a0 = a, c0 = c;
      a = a0 * std::cos(angle) - c0 * std::sin(angle);
      c = a0 * std::sin(angle) + c0 * std::cos(angle);
    }
    return f;
  }

  void sample(std::ptrdiff_t b, int head, const Tensor<double>& q, const Tensor<double>& k, const Tensor<double>& v,
              Tensor<double>& o) const {
    std::vector<Position> tokens;
    for (Position p{}; p[0] < extent(0); ++p[0]) {
      for (p[1] = 0; p[1] < extent(1); ++p[1]) {
        for (p[2] = 0; p[2] < extent(2); ++p[2]) tokens.push_back(p);
      }
    }
    const std::ptrdiff_t d = shape_.channels() / config_.heads;
    const double gamma = config_.decay == synapses::MixerDecay::head ? 1.0 - std::pow(2.0, -3.0 - head) : 1.0;
    for (const Position& i : tokens) {
      const auto plain_q = features(q, i, b, head, false), turned_q = features(q, i, b, head, true);
      std::vector<double> sum(static_cast<std::size_t>(d), 0.0);
      double dot = 0.0, n = 0.0;
      for (const Position& j : tokens) {
        if (window_of(i, 0) != window_of(j, 0) || window_of(i, 1) != window_of(j, 1) ||
            window_of(i, 2) != window_of(j, 2) || (config_.causal && j[0] > i[0])) {
          continue;
        }
        const auto plain_k = features(k, j, b, head, false), turned_k = features(k, j, b, head, true);
        const double decay = std::pow(gamma, static_cast<double>(i[0] - j[0]));
        double weight = 0.0;
        for (std::size_t r = 0; r < plain_q.size(); ++r) {
          weight += decay * turned_q[r] * turned_k[r];
          dot += decay * plain_q[r] * plain_k[r];
        }
        n += decay;
        for (std::size_t r = 0; r < sum.size(); ++r) {
          sum[r] += weight * v[offset(j, b, head) + static_cast<std::ptrdiff_t>(r)];
        }
      }
      const double fixed = std::exp2(std::round(std::log2(n * static_cast<double>(d) / 16.0)));
      const double den = config_.norm == synapses::MixerNorm::fixed ? fixed : dot + config_.eps * n;
      for (std::size_t r = 0; r < sum.size(); ++r) {
        o[offset(i, b, head) + static_cast<std::ptrdiff_t>(r)] = sum[r] / den;
      }
    }
  }

  synapses::MixerConfig config_;
  Shape shape_;
};

}  // namespace synfire::test
