// Neurons that feed back to themselves: recurrent.
#include "network/blocks/recurrent.hpp"

#include <algorithm>
#include <optional>

#include "network/blocks/delayed_feedback.hpp"
#include "network/blocks/one_tick_feedback.hpp"
#include "network/event_numbers.hpp"
#include "network/neuron_count.hpp"
#include "network/neuron_rows.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "synapses/delayed_linear.hpp"
#include "synapses/linear.hpp"

namespace synfire::network {

namespace {

/// The connections of a recurrent node: what carries spikes forward and gradients back, and the gradients of its
/// tensors. All scratch is lent by the stage.
template <class Scalar>
class OneTickConnections {
 public:
  static constexpr std::size_t kNumTensors = 1;

  OneTickConnections(const RecurrentSpec& spec, const NodeContext<Scalar>& context)
      : self_connections_(spec.self_connections), context_(context) {}

  void plan(const NodePlan& plan) { num_neurons_ = plan.output_shape().channels(); }
  bool fits() const { return true; }

  std::size_t forward_bytes() const { return static_cast<std::size_t>(num_neurons_ * num_neurons_) * sizeof(Scalar); }
  std::size_t backward_bytes(const Shape& shape) const {
    return std::max(forward_bytes(), synapses::linear_scratch_bytes<Scalar>(shape[0] * shape[1], shape[2], shape[2]));
  }
  std::ptrdiff_t sample_size() const { return OneTickFeedback<Scalar>(nullptr, num_neurons_).memory_size(); }
  std::ptrdiff_t group_size() const { return OneTickAdjoint<Scalar>(nullptr, num_neurons_).memory_size(); }

  OneTickFeedback<Scalar> feedback(std::span<std::byte> memory) const { return {transposed(memory), num_neurons_}; }
  OneTickAdjoint<Scalar> adjoint(std::span<std::byte> memory) const { return {transposed(memory), num_neurons_}; }

  /// \param spikes, grad_current  [T - 1, B, C]: spikes of the ticks before the last, gradients of those after the
  /// first
  void write_gradients(const Signal<Scalar>& spikes, View<const Scalar> grad_current, std::span<std::byte> scratch) {
    const View<Scalar> grad = context_.gradients[0];
    synapses::linear_backward<Scalar>(spikes, context_.tensors[0].value.view(), grad_current, grad, {}, {}, scratch);
    for (std::ptrdiff_t n = 0; !self_connections_ && n < num_neurons_; ++n) grad[n * num_neurons_ + n] = Scalar(0);
  }

  void count(const Signal<Scalar>& spikes, CountedPass& counted, LayerLedger& record) const {
    const View<const Scalar> weight = context_.tensors[0].value.view();
    count_feedback(spikes, counted.table([&] { return feedback_fan_out(weight, self_connections_); }), record);
  }

 private:
  const Scalar* transposed(std::span<std::byte> memory) const {
    auto* const to = reinterpret_cast<Scalar*>(memory.data());
    transpose_feedback(context_.tensors[0].value.data(), num_neurons_, self_connections_, to);
    return to;
  }

  bool self_connections_;
  NodeContext<Scalar> context_;
  std::ptrdiff_t num_neurons_ = 0;
};

template <class Scalar>
class DelayedConnections {
 public:
  static constexpr std::size_t kNumTensors = 3;

  DelayedConnections(const RecurrentSpec& spec, const NodeContext<Scalar>& context)
      : self_connections_(spec.self_connections),
        config_(spec.delays->delay),
        learn_delays_(spec.delays->learn_delays),
        learn_width_(spec.delays->learn_width),
        context_(context) {}

  void plan(const NodePlan& plan) {
    rounded_ = plan.rounded_delays;
    const std::ptrdiff_t n = plan.output_shape().channels();
    if (!self_connections_) {
      mask_ = Tensor<Scalar>(Shape{n, n});
      for (std::ptrdiff_t k = 0; k < mask_.size(); ++k) mask_[k] = k % (n + 1) == 0 ? Scalar(0) : Scalar(1);
    }
    sizes_ = {plan.output_shape()[0], n, config_.max_delay, synapses::delay_reach(config_, parameters())};
  }
  bool fits() const { return synapses::delay_reach(config_, parameters()) <= sizes_.reach; }

  std::size_t forward_bytes() const { return sizes_.table<Scalar>().bytes() + synapses::kCacheLine; }
  std::size_t backward_bytes(const Shape& shape) const {
    return std::max(
        sizes_.adjoint_table<Scalar>().bytes() + synapses::kCacheLine,
        synapses::delayed_linear_scratch_bytes<Scalar>(config_, static_cast<int>(sizes_.reach), shape, shape[2]));
  }
  std::ptrdiff_t sample_size() const { return DelayedFeedback<Scalar>::memory_size(sizes_); }
  std::ptrdiff_t group_size() const { return DelayedAdjoint<Scalar>::memory_size(sizes_); }

  DelayedFeedback<Scalar> feedback(std::span<std::byte> memory) const {
    return {sizes_, config_, parameters(), memory};
  }
  DelayedAdjoint<Scalar> adjoint(std::span<std::byte> memory) const { return {sizes_, config_, parameters(), memory}; }

  void write_gradients(const Signal<Scalar>& spikes, View<const Scalar> grad_current, std::span<std::byte> scratch) {
    const synapses::DelayGradients<Scalar> grads{context_.gradients[0],
                                                 learn_delays_ ? context_.gradients[1] : View<Scalar>{},
                                                 learn_width_ ? context_.gradients[2] : View<Scalar>{}};
    synapses::delayed_linear_backward<Scalar>(spikes, config_, parameters(), grad_current, grads, {}, scratch);
  }

  void count(const Signal<Scalar>& spikes, CountedPass& counted, LayerLedger& record) const {
    count_delayed_feedback(spikes, counted.table([&] { return delay_fan_out(config_, parameters()); }), record);
  }

 private:
  synapses::DelayParameters<Scalar> parameters() const {
    const auto tensors = context_.tensors;
    return {tensors[0].value.view(), tensors[1].value.view(), tensors[2].value.view(), mask_.view(), rounded_};
  }

  bool self_connections_;
  synapses::DelayConfig config_;
  bool learn_delays_, learn_width_;
  NodeContext<Scalar> context_;
  bool rounded_ = false;
  DelayedFeedbackSizes sizes_{};
  Tensor<Scalar> mask_;
};

template <class Scalar, class Connections>
class RecurrentStage : public Stage<Scalar> {
 public:
  RecurrentStage(const RecurrentSpec& spec, const NodeContext<Scalar>& context)
      : neuron_(spec.neuron), context_(context), connections_(spec, context) {}

  void plan(NodePlan& plan) override {
    smooth_ = plan.smooth;
    connections_.plan(plan);
    const Shape& shape = plan.output_shape();
    const NeuronRows<Scalar> neurons = rows(shape);
    plan.output_spikes();
    plan.keep_output();
    input_.plan(plan, false);
    plan.grad_in_place();
    current_ = plan.saved(static_cast<std::size_t>(shape.size()) * sizeof(Scalar));
    constants_ = plan.saved(static_cast<std::size_t>(neurons.num_constants()) * sizeof(Scalar));
    totals_ = plan.backward_scratch(static_cast<std::size_t>(neurons.num_totals()) * sizeof(double));

    forward_.bytes = recurrent_forward_bytes<Scalar>(shape, connections_.sample_size());
    forward_.of_connections = connections_.forward_bytes();
    backward_.bytes =
        recurrent_backward_bytes<Scalar>(shape, neurons.num_kept(), connections_.group_size(), neurons.num_totals());
    backward_.of_connections = connections_.backward_bytes(shape);
    forward_.scratch = plan.forward_scratch(forward_.bytes);
    forward_.connections = plan.forward_scratch(forward_.of_connections);
    backward_.scratch = plan.backward_scratch(backward_.bytes);
    backward_.connections = plan.backward_scratch(backward_.of_connections);
  }
  bool fits() const override { return connections_.fits(); }

  void forward(const Run<Scalar>& run, const Links& links) override {
    const View<const Scalar> x = input_.forward(run, links);
    const auto feedback = connections_.feedback(run.bytes(forward_.connections, forward_.of_connections));
    const std::span<std::byte> scratch = run.bytes(forward_.scratch, forward_.bytes);
    const View<Scalar> current = run.template view<Scalar>(current_, links.output.shape);
    std::uint64_t* const changed = run.counted != nullptr ? &changed_membranes_ : nullptr;
    if (smooth_) {
      recurrent_forward<Scalar, Scalar>(row_model(run, links), feedback, x, current, run.output(links), scratch,
                                        changed);
    } else {
      const auto spikes = run.template view<std::uint8_t>(links.output.values, links.output.shape);
      recurrent_forward<Scalar, std::uint8_t>(row_model(run, links), feedback, x, current, spikes, scratch, changed);
    }
    rate_ = spike_rate(run, links.output);
  }

  void backward(const Run<Scalar>& run, const Links& links) override {
    const Shape& shape = links.output.shape;
    const NeuronRows<Scalar> neurons = rows(shape);
    const std::span<double> totals = run.template view<double>(totals_, Shape{neurons.num_totals()}).span();
    const View<Scalar> wanted = run.grad_input(links);
    const View<Scalar> grad = wanted.data == nullptr ? run.grad_output(links) : wanted;
    const std::span<std::byte> of_connections = run.bytes(backward_.connections, backward_.of_connections);
    recurrent_backward<Scalar>(row_model(run, links), connections_.adjoint(of_connections),
                               run.template view<Scalar>(current_, shape), run.grad_output(links), grad, totals,
                               run.bytes(backward_.scratch, backward_.bytes));
    if (!totals.empty()) neurons.write_gradients(totals, neuron_tensors(), neuron_gradients());

    // What a spike of tick t does, it does from tick t + 1 on.
    const Shape one_less{shape[0] - 1, shape[1], shape[2]};
    Signal<Scalar> spikes = run.signal(links.output);
    spikes.shape = one_less;
    if (one_less[0] == 0) {
      for (std::size_t k = 0; k < Connections::kNumTensors; ++k) {
        std::fill(context_.gradients[k].span().begin(), context_.gradients[k].span().end(), Scalar(0));
      }
      return;
    }
    const View<const Scalar> later{grad.data + shape[1] * shape[2], one_less, grad.device};
    connections_.write_gradients(spikes, later, of_connections);
  }

  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    const Signal<Scalar> spikes = run.signal(links.output);
    connections_.count(spikes, *run.counted, record);
    record.io_rd += static_cast<std::uint64_t>(links.inputs[0].shape.size()) * sizeof(Scalar);
    count_neurons_of(run, links.output, neuron_work(neuron_), changed_membranes_, record);
  }

  double firing_rate() const override { return rate_; }

 private:
  struct Scratch {
    std::size_t bytes = 0, of_connections = 0;
    BufferId scratch = kNoBuffer, connections = kNoBuffer;
  };

  NeuronRows<Scalar> rows(const Shape& shape) const { return {neuron_, context_.dt_ms, shape.channels()}; }
  std::span<NamedTensor<Scalar>> neuron_tensors() const { return context_.tensors.subspan(Connections::kNumTensors); }
  std::span<const View<Scalar>> neuron_gradients() const {
    return context_.gradients.subspan(Connections::kNumTensors);
  }
  neurons::RowModel<Scalar> row_model(const Run<Scalar>& run, const Links& links) const {
    const NeuronRows<Scalar> neurons = rows(links.output.shape);
    const View<Scalar> constants = run.template view<Scalar>(constants_, Shape{neurons.num_constants()});
    return neurons.model(neuron_tensors(), constants.data, smooth_);
  }

  NeuronConfig neuron_;
  NodeContext<Scalar> context_;
  Connections connections_;
  RealInput<Scalar> input_;
  bool smooth_ = false;
  Scratch forward_, backward_;
  BufferId current_ = kNoBuffer, constants_ = kNoBuffer, totals_ = kNoBuffer;
  std::uint64_t changed_membranes_ = 0;
  double rate_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const RecurrentSpec& spec, const NodeContext<Scalar>& context) {
  if (spec.delays) return std::make_unique<RecurrentStage<Scalar, DelayedConnections<Scalar>>>(spec, context);
  return std::make_unique<RecurrentStage<Scalar, OneTickConnections<Scalar>>>(spec, context);
}

template StagePtr<float> make_stage(const RecurrentSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const RecurrentSpec&, const NodeContext<double>&);

}  // namespace synfire::network
