// The inner loops of current-based LIF neurons.
#include <algorithm>
#include <cmath>

#include "neurons/cuba_lif.hpp"
#include "neurons/row_model.hpp"

namespace synfire::neurons {

namespace {

template <class Scalar>
using Constants = RowConstants<Scalar>;
template <class Scalar>
using In = Rows<const Scalar>;

// States: v, i. Kept: h, i. Adjoints: lam, m. Sums: of syn_decay, decay, gain.

template <class Rule, class Scalar>
void charge_and_fire(const Constants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict x,
                     Scalar* __restrict v, Scalar* __restrict i, Scalar* __restrict h, Scalar* __restrict kept_i,
                     Scalar* __restrict s) {
  const LifStep<Rule, Scalar> step{constants};
  const Scalar syn_decay = constants.syn_decay;
  for (std::ptrdiff_t n = 0; n < width; ++n) {
    i[n] = std::fma(syn_decay, i[n], x[n]);
    h[n] = step.charge(v[n], i[n]);
    s[n] = step.spike(h[n]);
    v[n] = step.reset(h[n], s[n]);
    kept_i[n] = i[n];
  }
}

template <class Rule, class Scalar>
void forward(const Constants<Scalar>& constants, In<Scalar> /*parameters*/, const Scalar* x, Rows<Scalar> state,
             Rows<Scalar> kept, Scalar* s) {
  charge_and_fire<Rule>(constants, state.width, x, state[0], state[1], kept[0], kept[1], s);
}

template <class Rule, class Scalar>
void state_after(const Constants<Scalar>& constants, In<Scalar> kept, Rows<Scalar> state) {
  const LifStep<Rule, Scalar> step{constants};
  const Scalar* __restrict h = kept[0];
  Scalar* __restrict v = state[0];
  for (std::ptrdiff_t n = 0; n < state.width; ++n) v[n] = step.reset(h[n], step.spike(h[n]));
  std::copy_n(kept[1], state.width, state[1]);
}

template <class Rule, class Scalar>
void go_back(const Constants<Scalar>& constants, std::ptrdiff_t width, const Scalar* __restrict h,
             const Scalar* __restrict e, Scalar* __restrict lambda, Scalar* __restrict m, Scalar* __restrict grad_x) {
  const LifStep<Rule, Scalar> step{constants};
  const Scalar syn_decay = constants.syn_decay;
  for (std::ptrdiff_t n = 0; n < width; ++n) {
    lambda[n] = step.lambda(h[n], e[n], constants.decay * lambda[n]);
    m[n] = std::fma(constants.gain, lambda[n], syn_decay * m[n]);
    grad_x[n] = m[n];
  }
}

template <class Rule, class Scalar>
void backward(const Constants<Scalar>& constants, In<Scalar> /*parameters*/, In<Scalar> kept, const Scalar* e,
              Rows<Scalar> adjoint, Scalar* grad_x) {
  go_back<Rule>(constants, adjoint.width, kept[0], e, adjoint[0], adjoint[1], grad_x);
}

template <class Scalar>
void add_sums(Scalar v_reset, std::ptrdiff_t width, const Scalar* __restrict i, const Scalar* __restrict v_before,
              const Scalar* __restrict i_before, const Scalar* __restrict lambda, const Scalar* __restrict m,
              Scalar* __restrict of_syn_decay, Scalar* __restrict of_decay, Scalar* __restrict of_gain) {
  for (std::ptrdiff_t n = 0; n < width; ++n) {
    of_syn_decay[n] = std::fma(m[n], i_before[n], of_syn_decay[n]);
    of_decay[n] = std::fma(lambda[n], v_before[n] - v_reset, of_decay[n]);
    of_gain[n] = std::fma(lambda[n], i[n], of_gain[n]);
  }
}

template <class Scalar>
void sum(const Constants<Scalar>& constants, In<Scalar> /*parameters*/, const Scalar* /*x*/, In<Scalar> kept,
         In<Scalar> before, In<Scalar> adjoint, Rows<Scalar> sums) {
  add_sums(constants.v_reset, sums.width, kept[1], before[0], before[1], adjoint[0], adjoint[1], sums[0], sums[1],
           sums[2]);
}

}  // namespace

template <class Scalar>
RowModel<Scalar> cuba_lif_rows(const CubaLifParams& params, bool smooth) {
  RowModel<Scalar> model{.constants = Constants<Scalar>(params.membrane),
                         .num_states = 2,
                         .num_kept = 2,
                         .num_adjoints = 2,
                         .num_sums = 3,
                         .sum = &sum<Scalar>};
  model.constants.syn_decay = static_cast<Scalar>(params.syn_decay);
  const auto with_rule = [&]<class Rule>(Rule) {
    model.forward = &forward<Rule, Scalar>;
    model.state_after = &state_after<Rule, Scalar>;
    model.backward = &backward<Rule, Scalar>;
  };
  smooth ? with_lif_rule<true>(params.membrane, with_rule) : with_lif_rule<false>(params.membrane, with_rule);
  return model;
}

template RowModel<float> cuba_lif_rows(const CubaLifParams&, bool);
template RowModel<double> cuba_lif_rows(const CubaLifParams&, bool);

}  // namespace synfire::neurons
