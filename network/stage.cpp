#include "network/stage.hpp"

#include "network/elementwise.hpp"

namespace synfire::network {

NodePlan::NodePlan(ArenaPlan& arena, Links& links, std::size_t scalar_bytes, int forward_step, int backward_step)
    : arena_(arena),
      links_(links),
      scalar_bytes_(scalar_bytes),
      forward_step_(forward_step),
      backward_step_(backward_step) {
  for (const Wire& wire : links.inputs) {
    for (const BufferId id : {wire.values, wire.scale, wire.shift}) {
      if (id >= 0) arena.extend(id, forward_step);
    }
  }
}

void NodePlan::output_real() {
  const auto elements = static_cast<std::size_t>(output_shape().size());
  links_.output.values = arena_.add(elements * scalar_bytes_, forward_step_, forward_step_);
}

void NodePlan::output_spikes() {
  if (smooth) return output_real();
  links_.output.values = arena_.add(static_cast<std::size_t>(output_shape().size()), forward_step_, forward_step_);
  links_.output.spikes = true;
}

void NodePlan::output_same_as_input() { links_.output = input(); }

void NodePlan::output_affine(BufferId scale, BufferId shift, BufferId grad_scale, BufferId grad_shift) {
  links_.output = input();
  links_.output.scale = scale;
  links_.output.shift = shift;
  links_.output.grad_scale = grad_scale;
  links_.output.grad_shift = grad_shift;
}

void NodePlan::keep_input(int k) {
  for (const BufferId id : {input(k).values, input(k).scale, input(k).shift}) {
    if (id >= 0) arena_.extend(id, last_step());
  }
}

void NodePlan::keep_output() { arena_.extend(links_.output.values, last_step()); }

template <class Scalar>
void RealInput<Scalar>::plan(NodePlan& plan, bool kept) {
  if (plan.input().spikes) {
    const std::size_t bytes = static_cast<std::size_t>(plan.input().shape.size()) * sizeof(Scalar);
    copy_ = kept ? plan.saved(bytes) : plan.forward_scratch(bytes);
  } else if (kept) {
    plan.keep_input();
  }
}

template <class Scalar>
View<const Scalar> RealInput<Scalar>::forward(const Run<Scalar>& run, const Links& links) const {
  const Wire& wire = links.inputs[0];
  if (copy_ != kNoBuffer) spikes_to_real(run.spikes(wire), run.template view<Scalar>(copy_, wire.shape));
  return backward(run, links);
}

template <class Scalar>
View<const Scalar> RealInput<Scalar>::backward(const Run<Scalar>& run, const Links& links) const {
  const Wire& wire = links.inputs[0];
  return copy_ != kNoBuffer ? View<const Scalar>(run.template view<Scalar>(copy_, wire.shape)) : run.real(wire);
}

template class RealInput<float>;
template class RealInput<double>;

}  // namespace synfire::network
