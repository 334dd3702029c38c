// Nodes that rescale: batch_norm, dropout.
#include "network/event_numbers.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "network/stages/random_drop.hpp"
#include "synapses/batch_norm.hpp"
#include "synapses/dropout.hpp"

namespace synfire::network {

namespace {

/// Hands out its input behind an affine map where the consumer takes that; computes the mapped values otherwise.
template <class Scalar>
class BatchNormStage : public Stage<Scalar> {
 public:
  BatchNormStage(const synapses::BatchNormConfig& config, const NodeContext<Scalar>& context)
      : config_(config), context_(context) {}

  void plan(NodePlan& plan) override {
    training_ = plan.training;
    affine_only_ = plan.consumer_applies_affine && !plan.input().spikes;
    row_ = Shape{plan.output_shape().channels()};
    const std::size_t row_bytes = static_cast<std::size_t>(row_.size()) * plan.scalar_bytes();
    for (BufferId* id : {&scale_, &shift_, &mean_, &inverse_std_, &grad_scale_, &grad_shift_}) {
      *id = plan.saved(row_bytes);
    }
    y_.plan(plan, true);
    if (affine_only_) {
      plan.output_affine(scale_, shift_, grad_scale_, grad_shift_);
    } else {
      plan.output_real();
    }
    plan.grad_in_place();
    scratch_bytes_ = synapses::batch_norm_scratch_bytes(row_.size());
    forward_scratch_ = plan.forward_scratch(scratch_bytes_);
    backward_scratch_ = plan.backward_scratch(scratch_bytes_);
  }

  void forward(const Run<Scalar>& run, const Links& links) override {
    const View<const Scalar> y = y_.forward(run, links);
    const auto tensors = context_.tensors;
    const View<const Scalar> gamma = tensors[0].value.view(), beta = tensors[1].value.view();
    const View<Scalar> running_mean = tensors[2].value.view(), running_var = tensors[3].value.view();
    const View<Scalar> scale = row(run, scale_), shift = row(run, shift_);
    if (training_) {
      synapses::batch_norm_train<Scalar>(y, gamma, beta, config_, running_mean, running_var, batch(run), scale, shift,
                                         run.bytes(forward_scratch_, scratch_bytes_));
    } else {
      synapses::batch_norm_eval<Scalar>(gamma, beta, running_mean, running_var, config_, scale, shift);
    }
    if (!affine_only_) synapses::affine_forward<Scalar>(y, scale, shift, run.output(links));
  }

  void backward(const Run<Scalar>& run, const Links& links) override {
    const View<const Scalar> y = y_.backward(run, links);
    const View<Scalar> grad_x = run.grad_output(links);
    if (!affine_only_) {
      synapses::affine_grad<Scalar>(y, grad_x, row(run, grad_scale_), row(run, grad_shift_),
                                    run.bytes(backward_scratch_, scratch_bytes_));
    }
    const View<Scalar> wanted = run.grad_input(links);
    synapses::batch_norm_backward<Scalar>(y, context_.tensors[0].value.view(), batch(run), row(run, scale_),
                                          row(run, grad_scale_), row(run, grad_shift_), grad_x, context_.gradients[0],
                                          context_.gradients[1], wanted.data == nullptr ? grad_x : wanted);
  }

  /// One product and one sum an element, here or by the consumer.
  void count(const Run<Scalar>& run, const Links& links, bool first, LayerLedger& record) const override {
    if (first) count_input(run, links.inputs[0], record);
    const auto elements = static_cast<std::uint64_t>(links.inputs[0].shape.size());
    record.mul += elements;
    record.add += elements;
  }

 private:
  View<Scalar> row(const Run<Scalar>& run, BufferId id) const { return run.template view<Scalar>(id, row_); }
  synapses::BatchNormBatch<Scalar> batch(const Run<Scalar>& run) const {
    return {row(run, mean_), row(run, inverse_std_)};
  }

  synapses::BatchNormConfig config_;
  NodeContext<Scalar> context_;
  RealInput<Scalar> y_;
  Shape row_;
  bool training_ = false, affine_only_ = false;
  std::size_t scratch_bytes_ = 0;
  BufferId scale_ = kNoBuffer, shift_ = kNoBuffer, mean_ = kNoBuffer, inverse_std_ = kNoBuffer, grad_scale_ = kNoBuffer,
           grad_shift_ = kNoBuffer, forward_scratch_ = kNoBuffer, backward_scratch_ = kNoBuffer;
};

struct Dropout {
  static constexpr std::uint32_t kFirstStream = 0x44000000U;
  template <class Scalar>
  static void forward(const Signal<Scalar>& x, double p, const RandomStream& random, View<Scalar> y) {
    synapses::dropout_forward(x, p, random, y);
  }
  template <class Scalar>
  static void backward(View<const Scalar> grad_y, double p, const RandomStream& random, View<Scalar> grad_x) {
    synapses::dropout_backward<Scalar>(grad_y, p, random, grad_x);
  }
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const BatchNormSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<BatchNormStage<Scalar>>(spec.config, context);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const DropoutSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<RandomDropStage<Scalar, Dropout>>(spec.p, context.index);
}

template StagePtr<float> make_stage(const BatchNormSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const BatchNormSpec&, const NodeContext<double>&);
template StagePtr<float> make_stage(const DropoutSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const DropoutSpec&, const NodeContext<double>&);

}  // namespace synfire::network
