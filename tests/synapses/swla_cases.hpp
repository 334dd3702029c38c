#pragma once

#include <vector>

#include "core/error.hpp"
#include "synapses/mixers/swla.hpp"
#include "tests/reference/swla_reference.hpp"
#include "tests/synapses/op_checks.hpp"

/// What the tests of swla run it on, and how.
namespace synfire::swla_cases {

using synapses::MixerConfig;
using synapses::MixerDecay;
using synapses::MixerFeature;
using synapses::MixerNorm;
using synapses::MixerRope;

/// Queries and keys as the network has them (bytes) or as smooth spikes.
template <class Scalar>
struct Tokens {
  Tensor<Scalar> q, k, v;
  Tensor<std::uint8_t> q_spikes, k_spikes;

  Tokens(const Shape& shape, std::uint32_t stream, double density, bool integers = false)
      : q_spikes(test::random_spikes(shape, stream, density)),
        k_spikes(test::random_spikes(shape, stream + 1, density)) {
    q = test::convert<Scalar>(q_spikes);
    k = test::convert<Scalar>(k_spikes);
    v = test::random_tensor<Scalar>(shape, stream + 2);
    for (std::ptrdiff_t i = 0; integers && i < v.size(); ++i) v[i] = std::round(Scalar(5) * v[i]);
  }
  synapses::MixerInput<Scalar> as_real() const { return {test::signal_of(q), test::signal_of(k), test::signal_of(v)}; }
  synapses::MixerInput<Scalar> as_spikes() const {
    return {test::signal_of_spikes<Scalar>(q_spikes), test::signal_of_spikes<Scalar>(k_spikes), test::signal_of(v)};
  }
};

template <class Scalar>
struct Forward {
  Tensor<Scalar> o, den;
};

template <class Scalar>
Forward<Scalar> forward(const synapses::MixerInput<Scalar>& in, const MixerConfig& config) {
  const Shape& shape = in.q.shape;
  Forward<Scalar> result{test::filled<Scalar>(shape), test::filled<Scalar>(synapses::mixer_head_shape(config, shape))};
  std::vector<std::byte> scratch(synapses::swla_scratch_bytes<Scalar>(config, shape, false));
  synapses::swla_forward<Scalar>(in, config, {config, shape}, result.o.view(), result.den.view(), scratch);
  return result;
}

template <class Scalar>
struct Gradients {
  Tensor<Scalar> q, k, v;
};

template <class Scalar>
Gradients<Scalar> backward(const synapses::MixerInput<Scalar>& in, const MixerConfig& config,
                           const Tensor<Scalar>& grad_o) {
  const Shape& shape = in.q.shape;
  const Forward<Scalar> kept = forward(in, config);
  Gradients<Scalar> g{test::filled<Scalar>(shape), test::filled<Scalar>(shape), test::filled<Scalar>(shape)};
  std::vector<std::byte> scratch(synapses::swla_scratch_bytes<Scalar>(config, shape, true));
  synapses::swla_backward<Scalar>(in, config, {config, shape}, kept.den.view(), grad_o.view(),
                                  {g.q.view(), g.k.view(), g.v.view()}, scratch);
  return g;
}

template <class Scalar>
double largest_difference(const Tensor<Scalar>& a, const Tensor<double>& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0.0;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(static_cast<double>(a[i]) - b[i]);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

struct Case {
  Shape shape;
  MixerConfig config;
};

inline MixerConfig config_of(int heads, std::array<int, 3> size, std::array<int, 3> shift = {0, 0, 0},
                             bool causal = false) {
  MixerConfig config;
  config.heads = heads;
  config.window_size = size;
  config.window_shift = shift;
  config.causal = causal;
  return config;
}

/// Odd sizes, one window, one token, one head, T = 1; every window, shift and kind of time; tokens by the tile.
inline std::vector<Case> geometries() {
  return {
      {Shape{1, 1, 1, 1, 4}, config_of(1, {1, 0, 0})},
      {Shape{1, 2, 6, 6, 8}, config_of(2, {1, 4, 4}, {0, 2, 2})},
      {Shape{3, 2, 5, 7, 12}, config_of(3, {1, 2, 3}, {0, 1, 1})},
      {Shape{3, 1, 4, 4, 8}, config_of(2, {1, 2, 2}, {0, 1, 1})},
      {Shape{5, 2, 3, 4, 8}, config_of(1, {2, 2, 4}, {1, 1, 0})},
      {Shape{5, 2, 3, 4, 8}, config_of(2, {2, 0, 3}, {1, 0, 1}, true)},
      {Shape{5, 1, 3, 3, 24}, config_of(2, {0, 0, 2}, {}, true)},
      {Shape{4, 1, 3, 3, 8}, config_of(2, {8, 0, 0}, {}, false)},
      {Shape{2, 1, 9, 9, 80}, config_of(2, {1, 0, 0})},
      {Shape{7, 3, 12}, config_of(3, {0, 0, 0}, {}, true)},
  };
}

/// Every setting that a geometry allows.
inline std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Case& geometry : geometries()) {
    for (const MixerNorm norm : {MixerNorm::sum, MixerNorm::fixed}) {
      for (const MixerFeature feature : {MixerFeature::shift, MixerFeature::spike}) {
        for (const MixerRope rope : {MixerRope::none, MixerRope::model, MixerRope::head}) {
          for (const MixerDecay decay : {MixerDecay::none, MixerDecay::head}) {
            Case c = geometry;
            c.config.norm = norm;
            c.config.feature = feature;
            c.config.rope = rope;
            c.config.decay = decay;
            // A small eps would let a query that meets few keys amplify rounding.
            c.config.eps = feature == MixerFeature::spike ? 1.0 : 1e-6;
            if (feature == MixerFeature::spike && rope != MixerRope::none) continue;
            if (decay != MixerDecay::none && (!c.config.causal || c.config.window_size[0] != 0)) continue;
            const std::ptrdiff_t d = c.shape.channels() / c.config.heads;
            const std::ptrdiff_t turned = rope == MixerRope::head ? d : c.shape.channels();
            if (rope != MixerRope::none && (turned % 4 != 0 || (c.config.window_size[0] != 1 && turned < 8))) continue;
            cases.push_back(c);
          }
        }
      }
    }
  }
  return cases;
}

// Weights lie within [1/eps, 4 d], there are up to 81 tokens of |v| < 1, and the division keeps |o| below 10: rounding
// of sums of 81 terms, each after d products, stays below 1e3 u times the largest output.
inline constexpr double kFloatTolerance = 1e-4, kDoubleTolerance = 1e-11;

}  // namespace synfire::swla_cases
