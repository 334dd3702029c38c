// Nodes that mix tokens: attention.
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "synapses/mixers/swla.hpp"

namespace synfire::network {

namespace {

template <class Scalar>
class AttentionStage : public Stage<Scalar> {
 public:
  explicit AttentionStage(const synapses::MixerConfig& config) : config_(config) {}

  void plan(NodePlan& plan) override {
    const Shape& shape = plan.output_shape();
    rope_ = {config_, shape};
    den_shape_ = synapses::mixer_head_shape(config_, shape);
    forward_bytes_ = synapses::swla_scratch_bytes<Scalar>(config_, shape, false);
    backward_bytes_ = synapses::swla_scratch_bytes<Scalar>(config_, shape, true);
    plan.output_real();
    for (int k = 0; k < 3; ++k) plan.keep_input(k);
    den_ = plan.saved(static_cast<std::size_t>(den_shape_.size()) * sizeof(Scalar));
    forward_scratch_ = plan.forward_scratch(forward_bytes_);
    backward_scratch_ = plan.training ? plan.backward_scratch(backward_bytes_) : kNoBuffer;
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::swla_forward(inputs(run, links), config_, rope_, run.output(links),
                           run.template view<Scalar>(den_, den_shape_), run.bytes(forward_scratch_, forward_bytes_));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::swla_backward<Scalar>(inputs(run, links), config_, rope_, run.template view<Scalar>(den_, den_shape_),
                                    run.grad_output(links),
                                    {run.grad_input(links, 0), run.grad_input(links, 1), run.grad_input(links, 2)},
                                    run.bytes(backward_scratch_, backward_bytes_));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_attention(inputs(run, links), config_, record);
  }

 private:
  static synapses::MixerInput<Scalar> inputs(const Run<Scalar>& run, const Links& links) {
    return {run.signal(links.inputs[0]), run.signal(links.inputs[1]), run.signal(links.inputs[2])};
  }

  synapses::MixerConfig config_;
  synapses::RopeTable<Scalar> rope_;
  Shape den_shape_;
  std::size_t forward_bytes_ = 0, backward_bytes_ = 0;
  BufferId den_ = kNoBuffer, forward_scratch_ = kNoBuffer, backward_scratch_ = kNoBuffer;
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const AttentionSpec& spec, const NodeContext<Scalar>&) {
  return std::make_unique<AttentionStage<Scalar>>(spec.mixer);
}

template StagePtr<float> make_stage(const AttentionSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const AttentionSpec&, const NodeContext<double>&);

}  // namespace synfire::network
