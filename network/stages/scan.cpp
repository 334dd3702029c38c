// Nodes along sequences of tokens: causal_conv1d, selective_scan.
#include "core/parallel.hpp"
#include "network/node_facts.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "neurons/selective_scan.hpp"
#include "synapses/causal_conv1d.hpp"
#include "synapses/linear.hpp"

namespace synfire::network {

namespace {

template <class Scalar>
class CausalConv1dStage : public Stage<Scalar> {
 public:
  CausalConv1dStage(const CausalConv1dSpec& spec, const NodeContext<Scalar>& context)
      : spec_(spec), context_(context) {}

  void plan(NodePlan& plan) override {
    plan.output_real();
    plan.keep_input();
    scratch_bytes_ = synapses::causal_conv1d_scratch_bytes<Scalar>(plan.output_shape().channels(), spec_.kernel);
    forward_scratch_ = plan.forward_scratch(scratch_bytes_);
    backward_scratch_ = plan.backward_scratch(scratch_bytes_);
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::causal_conv1d_forward<Scalar>(run.signal(links.inputs[0]), weight(), bias(), spec_.order,
                                            run.output(links), run.bytes(forward_scratch_, scratch_bytes_));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::causal_conv1d_backward<Scalar>(run.signal(links.inputs[0]), weight(), run.grad_output(links), spec_.order,
                                             context_.gradients[0], spec_.bias ? context_.gradients[1] : View<Scalar>{},
                                             run.grad_input(links), run.bytes(backward_scratch_, scratch_bytes_));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_causal_conv1d(run.signal(links.inputs[0]), spec_.order, weight(), spec_.bias, record);
  }

 private:
  View<const Scalar> weight() const { return context_.tensors[0].value.view(); }
  View<const Scalar> bias() const {
    return spec_.bias ? View<const Scalar>(context_.tensors[1].value.view()) : View<const Scalar>{};
  }

  CausalConv1dSpec spec_;
  NodeContext<Scalar> context_;
  std::size_t scratch_bytes_ = 0;
  BufferId forward_scratch_ = kNoBuffer, backward_scratch_ = kNoBuffer;
};

/// Copies the first `width` values of every row of one to the other.
template <class Scalar>
void copy_columns(View<const Scalar> from, View<Scalar> to, std::ptrdiff_t width) {
  const std::ptrdiff_t from_width = from.shape.channels(), to_width = to.shape.channels();
  parallel_for(from.shape[0] * from.shape[1], 256, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t row = begin; row < end; ++row) {
      std::copy_n(from.data + row * from_width, width, to.data + row * to_width);
    }
  });
}

/// Keeps what W_p gives, [T, B P, rank + 2 states], and the states between chunks; the steps are computed again.
template <class Scalar>
class SelectiveScanStage : public Stage<Scalar> {
 public:
  SelectiveScanStage(const SelectiveScanSpec& spec, const NodeContext<Scalar>& context)
      : spec_(spec), context_(context) {}

  void plan(NodePlan& plan) override {
    const Shape& u = plan.output_shape();
    const std::ptrdiff_t channels = u.channels(), tokens = u[1] * (u.size_from(2) / channels);
    rank_ = scan_rank(spec_, channels);
    rows_ = Shape{u[0], tokens, channels};
    projected_shape_ = Shape{u[0], tokens, rank_ + 2 * spec_.states};
    low_rank_shape_ = Shape{u[0], tokens, rank_};
    states_shape_ = neurons::scan_chunk_states_shape(u, spec_.order, spec_.states);
    plan.output_real();
    plan.keep_input();
    plan.grad_in_place();

    const auto bytes = [](const Shape& shape) { return static_cast<std::size_t>(shape.size()) * sizeof(Scalar); };
    projected_ = plan.saved(bytes(projected_shape_));
    states_ = plan.saved(bytes(states_shape_));
    const std::ptrdiff_t frames = u[0] * tokens;
    linear_bytes_ = std::max(synapses::linear_scratch_bytes<Scalar>(frames, channels, projected_shape_.channels()),
                             synapses::linear_scratch_bytes<Scalar>(frames, rank_, channels));
    forward_bytes_ = std::max(linear_bytes_, neurons::scan_forward_scratch_bytes<Scalar>(u, spec_.order, spec_.states));
    backward_bytes_ =
        std::max(linear_bytes_, neurons::scan_backward_scratch_bytes<Scalar>(u, spec_.order, spec_.states));
    low_rank_ = plan.forward_scratch(bytes(low_rank_shape_));
    delta_ = plan.forward_scratch(bytes(rows_));
    forward_scratch_ = plan.forward_scratch(forward_bytes_);
    low_rank_again_ = plan.backward_scratch(bytes(low_rank_shape_));
    delta_again_ = plan.backward_scratch(bytes(rows_));
    grad_low_rank_ = plan.backward_scratch(bytes(low_rank_shape_));
    grad_projected_ = plan.backward_scratch(bytes(projected_shape_));
    backward_scratch_ = plan.backward_scratch(backward_bytes_);
  }

  void forward(const Run<Scalar>& run, const Links& links) override {
    const std::span<std::byte> scratch = run.bytes(forward_scratch_, forward_bytes_);
    synapses::linear_forward<Scalar>(rows_of(run.signal(links.inputs[0])), tensor(kXProj), {}, projected(run), scratch);
    const View<Scalar> delta = delta_of(run, low_rank_, delta_, scratch);
    neurons::selective_scan_forward<Scalar>(input(run, links, delta), parameters(), spec_.order, run.output(links),
                                            states(run), {}, scratch);
  }

  void backward(const Run<Scalar>& run, const Links& links) override {
    const std::span<std::byte> scratch = run.bytes(backward_scratch_, backward_bytes_);
    const View<Scalar> delta = delta_of(run, low_rank_again_, delta_again_, scratch);
    const View<Scalar> grad_projected = run.template view<Scalar>(grad_projected_, projected_shape_);
    const View<Scalar> grad_low_rank = run.template view<Scalar>(grad_low_rank_, low_rank_shape_);
    const View<Scalar> grad_u = run.grad_input(links);  // over the output's, or not wanted
    neurons::selective_scan_backward<Scalar>(
        input(run, links, delta), parameters(), spec_.order, states(run), {}, run.grad_output(links),
        {grad_u, reshaped(delta, links.output.shape), grad_projected, context_.gradients[kALog], context_.gradients[kD],
         context_.gradients[kDtBias]},
        {}, scratch);
    const View<const Scalar> low_rank = run.template view<Scalar>(low_rank_again_, low_rank_shape_);
    synapses::linear_backward<Scalar>({low_rank_shape_, low_rank.data, nullptr, low_rank.device}, tensor(kDtProj),
                                      delta, context_.gradients[kDtProj], {}, grad_low_rank, scratch);
    copy_columns<Scalar>(grad_low_rank, grad_projected, rank_);
    // The steps and their gradients are done with: the memory takes what comes to u through W_p.
    const View<Scalar> through_projection = grad_u.data == nullptr ? View<Scalar>{} : delta;
    synapses::linear_backward<Scalar>(rows_of(run.signal(links.inputs[0])), tensor(kXProj), grad_projected,
                                      context_.gradients[kXProj], {}, through_projection, scratch);
    parallel_for(grad_u.size(), 4096, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin; i < end; ++i) grad_u[i] += through_projection[i];
    });
  }

  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    const View<const Scalar> low_rank = run.template view<Scalar>(low_rank_, low_rank_shape_);
    count_selective_scan<Scalar>(run.signal(links.inputs[0]), spec_.order, {low_rank_shape_, low_rank.data},
                                 tensor(kXProj), tensor(kDtProj), record);
  }

 private:
  enum : std::size_t { kXProj, kDtProj, kDtBias, kALog, kD };  // as described

  View<const Scalar> tensor(std::size_t k) const { return context_.tensors[k].value.view(); }
  neurons::ScanParameters<Scalar> parameters() const { return {tensor(kALog), tensor(kD), tensor(kDtBias)}; }
  View<Scalar> projected(const Run<Scalar>& run) const {
    return run.template view<Scalar>(projected_, projected_shape_);
  }
  View<Scalar> states(const Run<Scalar>& run) const { return run.template view<Scalar>(states_, states_shape_); }

  static View<Scalar> reshaped(View<Scalar> view, const Shape& shape) { return {view.data, shape, view.device}; }
  Signal<Scalar> rows_of(Signal<Scalar> signal) const {
    signal.shape = rows_;
    return signal;
  }
  neurons::ScanInput<Scalar> input(const Run<Scalar>& run, const Links& links, View<Scalar> delta) const {
    return {run.signal(links.inputs[0]), reshaped(delta, links.output.shape), projected(run)};
  }
  View<Scalar> delta_of(const Run<Scalar>& run, BufferId low_rank_id, BufferId delta_id,
                        std::span<std::byte> scratch) const {
    const View<Scalar> low_rank = run.template view<Scalar>(low_rank_id, low_rank_shape_);
    const View<Scalar> delta = run.template view<Scalar>(delta_id, rows_);
    copy_columns<Scalar>(projected(run), low_rank, rank_);
    synapses::linear_forward<Scalar>({low_rank_shape_, low_rank.data, nullptr, low_rank.device}, tensor(kDtProj), {},
                                     delta, scratch);
    return delta;
  }

  SelectiveScanSpec spec_;
  NodeContext<Scalar> context_;
  std::ptrdiff_t rank_ = 0;
  Shape rows_, projected_shape_, low_rank_shape_, states_shape_;
  std::size_t linear_bytes_ = 0, forward_bytes_ = 0, backward_bytes_ = 0;
  BufferId projected_ = kNoBuffer, states_ = kNoBuffer, low_rank_ = kNoBuffer, delta_ = kNoBuffer,
           forward_scratch_ = kNoBuffer, low_rank_again_ = kNoBuffer, delta_again_ = kNoBuffer,
           grad_low_rank_ = kNoBuffer, grad_projected_ = kNoBuffer, backward_scratch_ = kNoBuffer;
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const CausalConv1dSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<CausalConv1dStage<Scalar>>(spec, context);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const SelectiveScanSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<SelectiveScanStage<Scalar>>(spec, context);
}

template StagePtr<float> make_stage(const CausalConv1dSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const CausalConv1dSpec&, const NodeContext<double>&);
template StagePtr<float> make_stage(const SelectiveScanSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const SelectiveScanSpec&, const NodeContext<double>&);

}  // namespace synfire::network
