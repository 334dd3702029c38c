// Nodes that mix tokens: attention.
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "synapses/mixers/gates.hpp"
#include "synapses/mixers/mixer.hpp"

namespace synfire::network {

namespace {

using synapses::MixerKind;

template <class Scalar>
class AttentionStage : public Stage<Scalar> {
 public:
  explicit AttentionStage(const synapses::MixerConfig& config)
      : config_(config), mixer_(synapses::mixer_of<Scalar>(config.kind)) {}

  void plan(NodePlan& plan) override {
    const Shape& shape = plan.output_shape();
    const auto bytes = [](const Shape& of) { return static_cast<std::size_t>(of.size()) * sizeof(Scalar); };
    rope_ = {config_, shape};
    kept_shape_ = synapses::mixer_head_shape(config_, shape);
    gate_shape_ = synapses::mixer_gate_shape(config_, shape);
    forward_bytes_ = mixer_.scratch_bytes(config_, shape, mixer_.usual, false);
    backward_bytes_ = mixer_.scratch_bytes(config_, shape, mixer_.usual, true);
    plan.output_real();
    for (int k = 0; k < 3; ++k) plan.keep_input(k);
    if (mixer_.reads_output) plan.keep_output();
    if (mixer_.keeps_per_head) kept_ = plan.saved(bytes(kept_shape_));
    if (gate_shape_.rank() > 0) gate_ = plan.saved(bytes(gate_shape_));
    if (config_.kind == MixerKind::delta) keys_ = plan.saved(bytes(shape));
    forward_scratch_ = plan.forward_scratch(forward_bytes_);
    backward_scratch_ = plan.training ? plan.backward_scratch(backward_bytes_) : kNoBuffer;
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    if (gate_ != kNoBuffer) synapses::mixer_gate_forward(config_.kind, run.signal(links.inputs[3]), gate(run));
    if (keys_ != kNoBuffer) synapses::unit_keys_forward(run.signal(links.inputs[1]), config_.heads, keys(run, links));
    const synapses::MixerInput<Scalar> in = inputs(run, links);
    mixer_.forward({in, config_, rope_, mixer_.usual, run.bytes(forward_scratch_, forward_bytes_)}, run.output(links),
                   run.template view<Scalar>(kept_, kept_shape_));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    const synapses::MixerInput<Scalar> in = inputs(run, links);
    synapses::MixerGradients<Scalar> grads{run.grad_input(links, 0), run.grad_input(links, 1),
                                           run.grad_input(links, 2)};
    if (gate_ != kNoBuffer) grads.gate = run.grad_input(links, 3);
    const View<const Scalar> o = mixer_.reads_output ? View<const Scalar>(run.output(links)) : View<const Scalar>{};
    mixer_.backward({in, config_, rope_, mixer_.usual, run.bytes(backward_scratch_, backward_bytes_)}, o,
                    run.template view<Scalar>(kept_, kept_shape_), run.grad_output(links), grads);
    if (!grads.gate.empty()) synapses::mixer_gate_backward<Scalar>(config_.kind, gate(run), grads.gate);
    if (keys_ != kNoBuffer && !grads.k.empty()) {
      synapses::unit_keys_backward<Scalar>(run.signal(links.inputs[1]), config_.heads, keys(run, links), grads.k);
    }
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_attention(inputs(run, links), config_, record);
  }

 private:
  View<Scalar> gate(const Run<Scalar>& run) const { return run.template view<Scalar>(gate_, gate_shape_); }
  View<Scalar> keys(const Run<Scalar>& run, const Links& links) const {
    return run.template view<Scalar>(keys_, links.inputs[1].shape);
  }
  /// As the mixer reads them.
  synapses::MixerInput<Scalar> inputs(const Run<Scalar>& run, const Links& links) const {
    synapses::MixerInput<Scalar> in{run.signal(links.inputs[0]), run.signal(links.inputs[1]),
                                    run.signal(links.inputs[2])};
    if (keys_ != kNoBuffer) in.k = {links.inputs[1].shape, keys(run, links).data, nullptr, run.input.device};
    if (gate_ != kNoBuffer) in.gate = gate(run);
    return in;
  }

  synapses::MixerConfig config_;
  const synapses::Mixer<Scalar>& mixer_;
  synapses::RopeTable<Scalar> rope_;
  Shape kept_shape_, gate_shape_;
  std::size_t forward_bytes_ = 0, backward_bytes_ = 0;
  BufferId kept_ = kNoBuffer, gate_ = kNoBuffer, keys_ = kNoBuffer;
  BufferId forward_scratch_ = kNoBuffer, backward_scratch_ = kNoBuffer;
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const AttentionSpec& spec, const NodeContext<Scalar>&) {
  return std::make_unique<AttentionStage<Scalar>>(spec.mixer);
}

template StagePtr<float> make_stage(const AttentionSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const AttentionSpec&, const NodeContext<double>&);

}  // namespace synfire::network
