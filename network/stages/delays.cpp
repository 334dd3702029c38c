// Nodes with delays: delayed_linear.
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "synapses/delayed_linear.hpp"

namespace synfire::network {

namespace {

template <class Scalar>
class DelayedLinearStage : public Stage<Scalar> {
 public:
  DelayedLinearStage(const DelayedLinearSpec& spec, const NodeContext<Scalar>& context)
      : config_(spec.delay), learn_width_(spec.learn_width), context_(context) {}

  void plan(NodePlan& plan) override {
    rounded_ = plan.rounded_delays;
    reach_ = synapses::delay_reach(config_, parameters());
    scratch_bytes_ = synapses::delayed_linear_scratch_bytes<Scalar>(config_, reach_, plan.input().shape,
                                                                    plan.output_shape().channels());
    plan.output_real();
    plan.keep_input();
    forward_scratch_ = plan.forward_scratch(scratch_bytes_);
    backward_scratch_ = plan.backward_scratch(scratch_bytes_);
  }
  bool fits() const override { return synapses::delay_reach(config_, parameters()) <= reach_; }

  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::delayed_linear_forward(run.signal(links.inputs[0]), config_, parameters(), run.output(links),
                                     run.bytes(forward_scratch_, scratch_bytes_));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    const synapses::DelayGradients<Scalar> grads{context_.gradients[0], context_.gradients[1],
                                                 learn_width_ ? context_.gradients[2] : View<Scalar>{}};
    synapses::delayed_linear_backward<Scalar>(run.signal(links.inputs[0]), config_, parameters(),
                                              run.grad_output(links), grads, run.grad_input(links),
                                              run.bytes(backward_scratch_, scratch_bytes_));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    const DelayFanOut& fan_out = run.counted->table([&] { return delay_fan_out(config_, parameters()); });
    count_delayed_linear(run.signal(links.inputs[0]), config_, parameters(), fan_out, record);
  }

 private:
  synapses::DelayParameters<Scalar> parameters() const {
    const auto tensors = context_.tensors;
    const View<const Scalar> mask =
        tensors.size() > 3 ? View<const Scalar>(tensors[3].value.view()) : View<const Scalar>{};
    return {tensors[0].value.view(), tensors[1].value.view(), tensors[2].value.view(), mask, rounded_};
  }

  synapses::DelayConfig config_;
  bool learn_width_;
  NodeContext<Scalar> context_;
  bool rounded_ = false;
  int reach_ = 0;
  std::size_t scratch_bytes_ = 0;
  BufferId forward_scratch_ = kNoBuffer, backward_scratch_ = kNoBuffer;
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const DelayedLinearSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<DelayedLinearStage<Scalar>>(spec, context);
}

template StagePtr<float> make_stage(const DelayedLinearSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const DelayedLinearSpec&, const NodeContext<double>&);

}  // namespace synfire::network
