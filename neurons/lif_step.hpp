#pragma once

#include <cmath>
#include <limits>

#include "core/host_device.hpp"
#include "neurons/lif.hpp"
#include "neurons/surrogate.hpp"

namespace synfire::neurons {

/// The smallest h that fires.
template <class Scalar>
Scalar lowest_firing(Scalar v_th, FiresAt fires_at) {
  return fires_at == FiresAt::threshold ? v_th : std::nextafter(v_th, std::numeric_limits<Scalar>::infinity());
}

/// LifParams in the number type of a kernel.
template <class Scalar>
struct LifConstants {
  explicit LifConstants(const LifParams& params)
      : decay(static_cast<Scalar>(params.decay)),
        gain(static_cast<Scalar>(params.gain)),
        v_th(static_cast<Scalar>(params.v_th)),
        v_fire(lowest_firing(v_th, params.fires_at)),
        v_reset(static_cast<Scalar>(params.hard_reset ? params.v_reset : 0.0)),
        alpha(static_cast<Scalar>(params.surrogate.alpha)) {}

  Scalar decay;
  Scalar gain;
  Scalar v_th;
  Scalar v_fire;   ///< the smallest h that fires; v_th or the next number
  Scalar v_reset;  ///< the resting level; 0 with a soft reset
  Scalar alpha;
};

/// What separates one kernel from another; known when it is compiled.
template <SurrogateKind kKindOf, bool kSmoothSpikes, bool kHard, bool kDetach>
struct LifRule {
  static constexpr SurrogateKind kKind = kKindOf;
  static constexpr bool kSmooth = kSmoothSpikes;  ///< the spike is the surrogate's primitive, not the Heaviside step
  static constexpr bool kHardReset = kHard;
  static constexpr bool kDetachReset = kDetach;
};

/// The equations of neurons/lif.hpp for one neuron and one tick, once, for every engine and device. The fused
/// multiply-adds are part of the definition: with them, all engines decide the same spikes.
template <class Rule, class Scalar>
struct LifStep {
  LifConstants<Scalar> c;

  /// x from y through the affine map of the channel.
  SYNFIRE_HOST_DEVICE static Scalar current(Scalar y, Scalar scale, Scalar shift) { return std::fma(scale, y, shift); }

  /// h, from v of the tick before.
  SYNFIRE_HOST_DEVICE Scalar charge(Scalar v, Scalar x) const {
    return std::fma(c.gain, x, std::fma(c.decay, v - c.v_reset, c.v_reset));
  }

  /// s: 0 or 1, or anything between for smooth spikes.
  SYNFIRE_HOST_DEVICE Scalar spike(Scalar h) const {
    if constexpr (Rule::kSmooth) {
      return surrogate_primitive<Rule::kKind>(h - c.v_th, c.alpha);
    } else {
      return h >= c.v_fire ? Scalar(1) : Scalar(0);
    }
  }

  /// v after the reset.
  SYNFIRE_HOST_DEVICE Scalar reset(Scalar h, Scalar s) const {
    if constexpr (!Rule::kHardReset) {
      return std::fma(-c.v_th, s, h);
    } else if constexpr (Rule::kSmooth) {
      return std::fma(s, c.v_reset, (Scalar(1) - s) * h);
    } else {
      return s > Scalar(0) ? c.v_reset : h;
    }
  }

  /// lam = dL/dh, from e = dL/ds and d = dL/dv of the same tick.
  SYNFIRE_HOST_DEVICE Scalar lambda(Scalar h, Scalar e, Scalar d) const {
    Scalar through_spike = e;
    if constexpr (!Rule::kDetachReset) {
      through_spike = std::fma(d, Rule::kHardReset ? c.v_reset - h : -c.v_th, e);
    }
    const Scalar through_membrane = Rule::kHardReset ? (Scalar(1) - spike(h)) * d : d;
    return std::fma(surrogate_derivative<Rule::kKind>(h - c.v_th, c.alpha), through_spike, through_membrane);
  }
};

/// Calls `use(LifRule<...>{})` with the rule that `params` describe and returns what it returns.
template <bool kSmooth, class Use>
auto with_lif_rule(const LifParams& params, Use&& use) {
  const auto with_kind = [&]<SurrogateKind kKind>() {
    if (params.hard_reset) {
      return params.detach_reset ? use(LifRule<kKind, kSmooth, true, true>{})
                                 : use(LifRule<kKind, kSmooth, true, false>{});
    }
    return params.detach_reset ? use(LifRule<kKind, kSmooth, false, true>{})
                               : use(LifRule<kKind, kSmooth, false, false>{});
  };
  switch (params.surrogate.kind) {
    case SurrogateKind::atan:
      return with_kind.template operator()<SurrogateKind::atan>();
    case SurrogateKind::sigmoid:
      return with_kind.template operator()<SurrogateKind::sigmoid>();
    case SurrogateKind::fast_sigmoid:
      return with_kind.template operator()<SurrogateKind::fast_sigmoid>();
    case SurrogateKind::triangular:
      return with_kind.template operator()<SurrogateKind::triangular>();
    case SurrogateKind::exponential:
      break;
  }
  return with_kind.template operator()<SurrogateKind::exponential>();
}

/// The same for a forward pass: it knows no detaching and, with Heaviside spikes, no surrogate.
template <bool kSmooth, class Use>
auto with_lif_forward_rule(const LifParams& params, Use&& use) {
  if constexpr (kSmooth) {
    LifParams detached = params;
    detached.detach_reset = true;
    return with_lif_rule<true>(detached, use);
  } else {
    return params.hard_reset ? use(LifRule<SurrogateKind::atan, false, true, true>{})
                             : use(LifRule<SurrogateKind::atan, false, false, true>{});
  }
}

}  // namespace synfire::neurons
