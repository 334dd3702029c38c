// The inner loops of adaptive LIF neurons.
#include <algorithm>
#include <cmath>

#include "neurons/adlif.hpp"
#include "neurons/row_model.hpp"

namespace synfire::neurons {

namespace {

template <class Scalar>
using Constants = RowConstants<Scalar>;
template <class Scalar>
using In = Rows<const Scalar>;

// Parameters: alpha, beta, a, b. States: u, w, s. Kept: h, w. Adjoints: L, W, W'. Sums: of alpha, beta, a, b.

template <class Rule, bool kSymplectic, class Scalar>
void charge_and_fire(const Constants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict alpha,
                     const Scalar* __restrict beta, const Scalar* __restrict a, const Scalar* __restrict b,
                     const Scalar* __restrict x, Scalar* __restrict u, Scalar* __restrict w, Scalar* __restrict last_s,
                     Scalar* __restrict h, Scalar* __restrict kept_w, Scalar* __restrict s) {
  const LifStep<Rule, Scalar> step{constants};
  const Scalar q = constants.adaptation;
  for (std::ptrdiff_t n = 0; n < width; ++n) {
    h[n] = std::fma(alpha[n], u[n], (Scalar(1) - alpha[n]) * (x[n] - w[n]));
    s[n] = step.spike(h[n]);
    const Scalar next_u = step.reset(h[n], s[n]);
    const Scalar seen_u = kSymplectic ? next_u : u[n];
    const Scalar seen_s = kSymplectic ? s[n] : last_s[n];
    w[n] = std::fma(beta[n], w[n], (Scalar(1) - beta[n]) * q * std::fma(a[n], seen_u, b[n] * seen_s));
    u[n] = next_u;
    last_s[n] = s[n];
    kept_w[n] = w[n];
  }
}

template <class Rule, bool kSymplectic, class Scalar>
void forward(const Constants<Scalar>& constants, In<Scalar> p, const Scalar* x, Rows<Scalar> state, Rows<Scalar> kept,
             Scalar* s) {
  charge_and_fire<Rule, kSymplectic>(constants, state.width, p[0], p[1], p[2], p[3], x, state[0], state[1], state[2],
                                     kept[0], kept[1], s);
}

template <class Rule, class Scalar>
void state_after(const Constants<Scalar>& constants, In<Scalar> kept, Rows<Scalar> state) {
  const LifStep<Rule, Scalar> step{constants};
  const Scalar* __restrict h = kept[0];
  Scalar* __restrict u = state[0];
  Scalar* __restrict s = state[2];
  for (std::ptrdiff_t n = 0; n < state.width; ++n) {
    s[n] = step.spike(h[n]);
    u[n] = step.reset(h[n], s[n]);
  }
  std::copy_n(kept[1], state.width, state[1]);
}

template <class Rule, bool kSymplectic, class Scalar>
void go_back(const Constants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict alpha,
             const Scalar* __restrict beta, const Scalar* __restrict a, const Scalar* __restrict b,
             const Scalar* __restrict h, const Scalar* __restrict e, Scalar* __restrict lambda, Scalar* __restrict of_w,
             Scalar* __restrict seen_of_w, Scalar* __restrict grad_x) {
  const LifStep<Rule, Scalar> step{constants};
  const Scalar q = constants.adaptation;
  for (std::ptrdiff_t n = 0; n < width; ++n) {
    const Scalar gain = Scalar(1) - alpha[n];
    const Scalar later = of_w[n];
    of_w[n] = std::fma(beta[n], later, -gain * lambda[n]);
    seen_of_w[n] = kSymplectic ? of_w[n] : later;
    const Scalar drive = (Scalar(1) - beta[n]) * q * seen_of_w[n];
    const Scalar of_u = std::fma(alpha[n], lambda[n], drive * a[n]);
    lambda[n] = step.lambda(h[n], std::fma(drive, b[n], e[n]), of_u);
    grad_x[n] = gain * lambda[n];
  }
}

template <class Rule, bool kSymplectic, class Scalar>
void backward(const Constants<Scalar>& constants, In<Scalar> p, In<Scalar> kept, const Scalar* e, Rows<Scalar> adjoint,
              Scalar* grad_x) {
  go_back<Rule, kSymplectic>(constants, adjoint.width, p[0], p[1], p[2], p[3], kept[0], e, adjoint[0], adjoint[1],
                             adjoint[2], grad_x);
}

template <class Rule, class Scalar>
void add_sums(const Constants<Scalar>& constants, std::ptrdiff_t width, In<Scalar> p, const Scalar* __restrict x,
              const Scalar* __restrict h, In<Scalar> before, In<Scalar> adjoint, Scalar* __restrict of_alpha,
              Scalar* __restrict of_beta, Scalar* __restrict of_a, Scalar* __restrict of_b) {
  const LifStep<Rule, Scalar> step{constants};
  const Scalar q = constants.adaptation;
  const Scalar* __restrict beta = p[1];
  const Scalar* __restrict a = p[2];
  const Scalar* __restrict b = p[3];
  const Scalar* __restrict u = before[0];
  const Scalar* __restrict w = before[1];
  const Scalar* __restrict lambda = adjoint[0];
  const Scalar* __restrict of_w = adjoint[1];
  const Scalar* __restrict seen_of_w = adjoint[2];
  for (std::ptrdiff_t n = 0; n < width; ++n) {
    const Scalar s = step.spike(h[n]);
    const Scalar next_u = step.reset(h[n], s);
    const Scalar drive = q * seen_of_w[n];
    of_alpha[n] = std::fma(lambda[n], u[n] - x[n] + w[n], of_alpha[n]);
    of_beta[n] += std::fma(of_w[n], w[n], -drive * std::fma(a[n], next_u, b[n] * s));
    of_a[n] = std::fma((Scalar(1) - beta[n]) * drive, next_u, of_a[n]);
    of_b[n] = std::fma((Scalar(1) - beta[n]) * drive, s, of_b[n]);
  }
}

template <class Rule, class Scalar>
void sum(const Constants<Scalar>& constants, In<Scalar> p, const Scalar* x, In<Scalar> kept, In<Scalar> before,
         In<Scalar> adjoint, Rows<Scalar> sums) {
  add_sums<Rule>(constants, sums.width, p, x, kept[0], before, adjoint, sums[0], sums[1], sums[2], sums[3]);
}

LifParams spiking_part(const AdlifConfig& config) {
  LifParams params;
  params.v_th = config.v_th;
  params.fires_at = config.fires_at;
  params.detach_reset = config.detach_reset;
  params.surrogate = config.surrogate;
  return params;
}

}  // namespace

template <class Scalar>
RowModel<Scalar> adlif_rows(const AdlifParameters<Scalar>& parameters, const AdlifConfig& config, bool smooth) {
  const LifParams spiking = spiking_part(config);
  RowModel<Scalar> model{
      .constants = Constants<Scalar>(spiking),
      .parameters = {parameters.alpha.data, parameters.beta.data, parameters.a.data, parameters.b.data},
      .num_parameters = 4,
      .num_states = 3,
      .num_kept = 2,
      .num_adjoints = 3,
      .num_sums = 4,
      .sums_per_channel = true};
  model.constants.adaptation = static_cast<Scalar>(config.adaptation);
  const bool symplectic = config.integration == Integration::symplectic;
  const auto with_rule = [&]<class Rule>(Rule) {
    model.forward = symplectic ? &forward<Rule, true, Scalar> : &forward<Rule, false, Scalar>;
    model.backward = symplectic ? &backward<Rule, true, Scalar> : &backward<Rule, false, Scalar>;
    model.state_after = &state_after<Rule, Scalar>;
    model.sum = &sum<Rule, Scalar>;
  };
  smooth ? with_lif_rule<true>(spiking, with_rule) : with_lif_rule<false>(spiking, with_rule);
  return model;
}

template RowModel<float> adlif_rows(const AdlifParameters<float>&, const AdlifConfig&, bool);
template RowModel<double> adlif_rows(const AdlifParameters<double>&, const AdlifConfig&, bool);

}  // namespace synfire::neurons
