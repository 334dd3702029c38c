// Nodes of tokens that have parameters: depthwise_conv2d, layer_norm, position.
#include "core/error.hpp"
#include "network/event_numbers.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "synapses/depthwise_conv2d.hpp"
#include "synapses/layer_norm.hpp"
#include "synapses/position.hpp"

namespace synfire::network {

namespace {

std::uint64_t size_of(const Wire& wire) { return static_cast<std::uint64_t>(wire.shape.size()); }

template <class Scalar>
class DepthwiseConv2dStage : public Stage<Scalar> {
 public:
  DepthwiseConv2dStage(const DepthwiseConv2dSpec& spec, const NodeContext<Scalar>& context)
      : spec_(spec), context_(context) {}

  void plan(NodePlan& plan) override {
    plan.output_real();
    plan.keep_input();
    scratch_bytes_ = synapses::depthwise_conv2d_scratch_bytes<Scalar>(plan.input().shape.drop_front(2), spec_.kernel);
    forward_scratch_ = plan.forward_scratch(scratch_bytes_);
    backward_scratch_ = plan.backward_scratch(scratch_bytes_);
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::depthwise_conv2d_forward<Scalar>(run.signal(links.inputs[0]), weight(), bias(), run.output(links),
                                               run.bytes(forward_scratch_, scratch_bytes_));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::depthwise_conv2d_backward<Scalar>(run.signal(links.inputs[0]), weight(), run.grad_output(links),
                                                context_.gradients[0],
                                                spec_.bias ? context_.gradients[1] : View<Scalar>{},
                                                run.grad_input(links), run.bytes(backward_scratch_, scratch_bytes_));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    const Signal<Scalar> x = run.signal(links.inputs[0]);
    const FanOut& fan_out =
        run.counted->table([&] { return depthwise_conv2d_fan_out(weight(), x.shape.drop_front(2)); });
    count_depthwise_conv2d(x, fan_out, spec_.bias, record);
  }

 private:
  View<const Scalar> weight() const { return context_.tensors[0].value.view(); }
  View<const Scalar> bias() const {
    return spec_.bias ? View<const Scalar>(context_.tensors[1].value.view()) : View<const Scalar>{};
  }

  DepthwiseConv2dSpec spec_;
  NodeContext<Scalar> context_;
  std::size_t scratch_bytes_ = 0;
  BufferId forward_scratch_ = kNoBuffer, backward_scratch_ = kNoBuffer;
};

template <class Scalar>
class LayerNormStage : public Stage<Scalar> {
 public:
  LayerNormStage(const LayerNormSpec& spec, const NodeContext<Scalar>& context) : spec_(spec), context_(context) {}

  void plan(NodePlan& plan) override {
    plan.output_real();
    x_.plan(plan, true);
    rows_ = Shape{plan.output_shape().size() / plan.output_shape().channels()};
    const std::size_t bytes = static_cast<std::size_t>(rows_.size()) * plan.scalar_bytes();
    mean_ = plan.saved(bytes);
    inverse_std_ = plan.saved(bytes);
    plan.grad_in_place();
    scratch_bytes_ = synapses::layer_norm_scratch_bytes(plan.output_shape().channels());
    scratch_ = plan.backward_scratch(scratch_bytes_);
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::layer_norm_forward<Scalar>(x_.forward(run, links), context_.tensors[0].value.view(),
                                         context_.tensors[1].value.view(), spec_.eps, rows(run), run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::layer_norm_backward<Scalar>(x_.backward(run, links), context_.tensors[0].value.view(), rows(run),
                                          run.grad_output(links), context_.gradients[0], context_.gradients[1],
                                          run.grad_input(links), run.bytes(scratch_, scratch_bytes_));
  }
  /// An element: one sum for the mean; a difference, a product and a sum for the variance; two products and a sum.
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_input(run, links.inputs[0], record);
    const auto rows = static_cast<std::uint64_t>(rows_.size());
    record.add += 4 * size_of(links.output);
    record.mul += 3 * size_of(links.output);
    record.div += rows;  // with a root
  }

 private:
  synapses::LayerNormRows<Scalar> rows(const Run<Scalar>& run) const {
    return {run.template view<Scalar>(mean_, rows_), run.template view<Scalar>(inverse_std_, rows_)};
  }

  LayerNormSpec spec_;
  NodeContext<Scalar> context_;
  RealInput<Scalar> x_;
  Shape rows_;
  std::size_t scratch_bytes_ = 0;
  BufferId mean_ = kNoBuffer, inverse_std_ = kNoBuffer, scratch_ = kNoBuffer;
};

template <class Scalar>
class PositionStage : public Stage<Scalar> {
 public:
  PositionStage(const PositionSpec& spec, const NodeContext<Scalar>& context) : spec_(spec), context_(context) {}

  void plan(NodePlan& plan) override {
    const std::ptrdiff_t ticks = plan.input().shape[0];
    if (spec_.time_ticks > 0 && ticks > spec_.time_ticks) {
      throw ShapeError("[position] time_ticks = " + std::to_string(spec_.time_ticks) +
                       " ends the table over time; the input has " + std::to_string(ticks) + " ticks");
    }
    plan.output_real();
    plan.grad_in_place();
    scratch_bytes_ = synapses::position_scratch_bytes(ticks, plan.output_shape().channels());
    scratch_ = plan.backward_scratch(scratch_bytes_);
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::position_forward<Scalar>(run.signal(links.inputs[0]), table(0, spec_.space),
                                       table(spec_.space ? 1 : 0, spec_.time_ticks > 0), run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    const auto gradient = [&](std::size_t k, bool there) { return there ? context_.gradients[k] : View<Scalar>{}; };
    synapses::position_backward<Scalar>(run.grad_output(links), gradient(0, spec_.space),
                                        gradient(spec_.space ? 1 : 0, spec_.time_ticks > 0),
                                        run.bytes(scratch_, scratch_bytes_));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_input(run, links.inputs[0], record);
    record.add += size_of(links.output) * context_.tensors.size();
  }

 private:
  View<const Scalar> table(std::size_t k, bool there) const {
    return there ? View<const Scalar>(context_.tensors[k].value.view()) : View<const Scalar>{};
  }

  PositionSpec spec_;
  NodeContext<Scalar> context_;
  std::size_t scratch_bytes_ = 0;
  BufferId scratch_ = kNoBuffer;
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const DepthwiseConv2dSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<DepthwiseConv2dStage<Scalar>>(spec, context);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const LayerNormSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<LayerNormStage<Scalar>>(spec, context);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const PositionSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<PositionStage<Scalar>>(spec, context);
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                             \
  template StagePtr<Scalar> make_stage(const DepthwiseConv2dSpec&, const NodeContext<Scalar>&); \
  template StagePtr<Scalar> make_stage(const LayerNormSpec&, const NodeContext<Scalar>&);       \
  template StagePtr<Scalar> make_stage(const PositionSpec&, const NodeContext<Scalar>&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
