// Nodes of tokens without parameters: activation, multiply, drop_path, mean_tokens.
#include "network/event_numbers.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "network/stages/random_drop.hpp"
#include "synapses/activation.hpp"
#include "synapses/drop_path.hpp"
#include "synapses/mean_tokens.hpp"
#include "synapses/multiply.hpp"

namespace synfire::network {

namespace {

std::uint64_t size_of(const Wire& wire) { return static_cast<std::uint64_t>(wire.shape.size()); }

template <class Scalar>
class ActivationStage : public Stage<Scalar> {
 public:
  explicit ActivationStage(synapses::Activation function) : function_(function) {}

  void plan(NodePlan& plan) override {
    plan.output_real();
    x_.plan(plan, true);
    plan.grad_in_place();
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::activation_forward<Scalar>(function_, x_.forward(run, links), run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::activation_backward<Scalar>(function_, x_.backward(run, links), run.grad_output(links),
                                          run.grad_input(links));
  }
  /// silu: a sum and a quotient beside the exponential; gelu: its series of five terms, a sum and products.
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_input(run, links.inputs[0], record);
    const bool is_gelu = function_ == synapses::Activation::gelu;
    record.exp += size_of(links.output);
    record.div += size_of(links.output);
    record.add += size_of(links.output) * (is_gelu ? 6U : 1U);
    record.mul += size_of(links.output) * (is_gelu ? 10U : 0U);
  }

 private:
  synapses::Activation function_;
  RealInput<Scalar> x_;
};

template <class Scalar>
class MultiplyStage : public Stage<Scalar> {
 public:
  void plan(NodePlan& plan) override {
    if (plan.input(0).spikes && plan.input(1).spikes) {
      plan.output_spikes();
    } else {
      plan.output_real();
    }
    plan.keep_input(0);
    plan.keep_input(1);
    plan.grad_in_place(0);
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    const Wire &a = links.inputs[0], &b = links.inputs[1];
    if (links.output.spikes) {
      synapses::multiply_spikes(run.spikes(a), run.spikes(b),
                                run.template view<std::uint8_t>(links.output.values, links.output.shape));
    } else {
      synapses::multiply_forward<Scalar>(run.signal(a), run.signal(b), run.output(links));
    }
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::multiply_backward<Scalar>(run.signal(links.inputs[0]), run.signal(links.inputs[1]),
                                        run.grad_output(links), run.grad_input(links, 0), run.grad_input(links, 1));
  }
  /// Two spikes are compared; a spike lets a value through; two values are multiplied.
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    for (const Wire& wire : links.inputs) count_input(run, wire, record);
    const bool has_spikes = links.inputs[0].spikes || links.inputs[1].spikes;
    (has_spikes ? record.cmp : record.mul) += size_of(links.output);
  }
};

struct DropPath {
  static constexpr std::uint32_t kFirstStream = 0x50000000U;
  template <class Scalar>
  static void forward(const Signal<Scalar>& x, double p, const RandomStream& random, View<Scalar> y) {
    synapses::drop_path_forward(x, p, random, y);
  }
  template <class Scalar>
  static void backward(View<const Scalar> grad_y, double p, const RandomStream& random, View<Scalar> grad_x) {
    synapses::drop_path_backward<Scalar>(grad_y, p, random, grad_x);
  }
};

template <class Scalar>
class MeanTokensStage : public Stage<Scalar> {
 public:
  void plan(NodePlan& plan) override { plan.output_real(); }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::mean_tokens_forward<Scalar>(run.signal(links.inputs[0]), run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::mean_tokens_backward<Scalar>(run.grad_output(links), run.grad_input(links));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_input(run, links.inputs[0], record);
    record.add += size_of(links.inputs[0]) - size_of(links.output);
    record.div += size_of(links.output);
  }
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const ActivationSpec& spec, const NodeContext<Scalar>&) {
  return std::make_unique<ActivationStage<Scalar>>(spec.function);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const MultiplySpec&, const NodeContext<Scalar>&) {
  return std::make_unique<MultiplyStage<Scalar>>();
}
template <class Scalar>
StagePtr<Scalar> make_stage(const DropPathSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<RandomDropStage<Scalar, DropPath>>(spec.p, context.index);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const MeanTokensSpec&, const NodeContext<Scalar>&) {
  return std::make_unique<MeanTokensStage<Scalar>>();
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                        \
  template StagePtr<Scalar> make_stage(const ActivationSpec&, const NodeContext<Scalar>&); \
  template StagePtr<Scalar> make_stage(const MultiplySpec&, const NodeContext<Scalar>&);   \
  template StagePtr<Scalar> make_stage(const DropPathSpec&, const NodeContext<Scalar>&);   \
  template StagePtr<Scalar> make_stage(const MeanTokensSpec&, const NodeContext<Scalar>&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
