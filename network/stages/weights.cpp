// Nodes with weights: linear, conv2d.
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "synapses/conv2d.hpp"
#include "synapses/linear.hpp"

namespace synfire::network {

namespace {

/// weight and, if there is one, bias.
template <class Scalar>
class WeightedStage : public Stage<Scalar> {
 public:
  explicit WeightedStage(const NodeContext<Scalar>& context) : context_(context) {}

  void plan(NodePlan& plan) override {
    scratch_bytes_ = scratch_bytes(plan);
    plan.output_real();
    plan.keep_input();
    forward_scratch_ = plan.forward_scratch(scratch_bytes_);
    backward_scratch_ = plan.backward_scratch(scratch_bytes_);
  }

 protected:
  virtual std::size_t scratch_bytes(const NodePlan& plan) = 0;

  View<const Scalar> weight() const { return context_.tensors[0].value.view(); }
  View<const Scalar> bias() const {
    return context_.tensors.size() > 1 ? View<const Scalar>(context_.tensors[1].value.view()) : View<const Scalar>{};
  }
  View<Scalar> grad_weight() const { return context_.gradients[0]; }
  View<Scalar> grad_bias() const { return context_.gradients.size() > 1 ? context_.gradients[1] : View<Scalar>{}; }
  std::span<std::byte> forward_scratch(const Run<Scalar>& run) const {
    return run.bytes(forward_scratch_, scratch_bytes_);
  }
  std::span<std::byte> backward_scratch(const Run<Scalar>& run) const {
    return run.bytes(backward_scratch_, scratch_bytes_);
  }

 private:
  NodeContext<Scalar> context_;
  std::size_t scratch_bytes_ = 0;
  BufferId forward_scratch_ = kNoBuffer, backward_scratch_ = kNoBuffer;
};

template <class Scalar>
class LinearStage : public WeightedStage<Scalar> {
 public:
  LinearStage(const LinearSpec& spec, const NodeContext<Scalar>& context)
      : WeightedStage<Scalar>(context), per_token_(spec.per_token) {}

  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::linear_forward(run.signal(links.inputs[0]), this->weight(), this->bias(), run.output(links),
                             this->forward_scratch(run));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::linear_backward<Scalar>(run.signal(links.inputs[0]), this->weight(), run.grad_output(links),
                                      this->grad_weight(), this->grad_bias(), run.grad_input(links),
                                      this->backward_scratch(run));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    const auto count = per_token_ ? count_linear_per_token<Scalar> : count_linear<Scalar>;
    const FanOut& fan_out = run.counted->table([&] { return linear_fan_out(this->weight()); });
    count(run.signal(links.inputs[0]), fan_out, !this->bias().empty(), record);
  }

 protected:
  std::size_t scratch_bytes(const NodePlan& plan) override {
    const Shape& in = plan.input().shape;
    return synapses::linear_scratch_bytes<Scalar>(in.size() / in.channels(), in.channels(),
                                                  plan.output_shape().channels());
  }

 private:
  bool per_token_;
};

template <class Scalar>
class Conv2dStage : public WeightedStage<Scalar> {
 public:
  Conv2dStage(const Conv2dSpec& spec, const NodeContext<Scalar>& context) : WeightedStage<Scalar>(context) {
    geometry_.out_channels = spec.channels;
    geometry_.kernel_h = geometry_.kernel_w = spec.kernel;
    geometry_.stride = spec.stride;
    geometry_.padding = spec.padding;
  }

  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::conv2d_forward(run.signal(links.inputs[0]), geometry_, this->weight(), this->bias(), run.output(links),
                             this->forward_scratch(run));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::conv2d_backward<Scalar>(run.signal(links.inputs[0]), geometry_, this->weight(), run.grad_output(links),
                                      this->grad_weight(), this->grad_bias(), run.grad_input(links),
                                      this->backward_scratch(run));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    const Signal<Scalar> x = run.signal(links.inputs[0]);
    const FanOut& fan_out =
        run.counted->table([&] { return conv2d_fan_out(geometry_, this->weight(), x.shape.drop_front(2)); });
    const std::uint64_t before = record.events_in;
    count_conv2d(x, geometry_, fan_out, !this->bias().empty(), record);
    run.counted->set_events(links.inputs[0].values, record.events_in - before);
  }

 protected:
  std::size_t scratch_bytes(const NodePlan& plan) override {
    const Shape& in = plan.input().shape;
    geometry_.in_channels = static_cast<int>(in.channels());
    return synapses::conv2d_scratch_bytes<Scalar>(geometry_, in[0] * in[1], in.drop_front(2));
  }

 private:
  synapses::Conv2dGeometry geometry_;
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const LinearSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<LinearStage<Scalar>>(spec, context);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const Conv2dSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<Conv2dStage<Scalar>>(spec, context);
}

template StagePtr<float> make_stage(const LinearSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const LinearSpec&, const NodeContext<double>&);
template StagePtr<float> make_stage(const Conv2dSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const Conv2dSpec&, const NodeContext<double>&);

}  // namespace synfire::network
