#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "core/arena.hpp"
#include "core/op_ledger.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"
#include "network/clocked_runtime.hpp"
#include "network/counted_pass.hpp"
#include "network/network.hpp"
#include "neurons/lif.hpp"

/// How the clocked runtime runs one node. Each kind of node is a Stage: `plan` says what it gives, keeps and needs for
/// one length T and batch B; `forward` and `backward` then run in the memory that was planned and allocate nothing.
namespace synfire::network {

using BufferId = ArenaPlan::Id;
inline constexpr BufferId kNoBuffer = -1;
inline constexpr BufferId kInputBuffer = -2;  ///< the network's input, which the caller holds

/// What the consumers of a node read: values, or values behind an affine map per channel that the consumer applies on
/// the fly (a batch norm), so that the mapped values need no memory.
struct Wire {
  Shape shape;          ///< [T, B, ...]
  bool spikes = false;  ///< bytes, 0 or 1, instead of Scalars
  BufferId values = kNoBuffer;
  BufferId scale = kNoBuffer, shift = kNoBuffer;            ///< [C] each, or none
  BufferId grad_scale = kNoBuffer, grad_shift = kNoBuffer;  ///< where the consumer's backward leaves their gradients

  bool has_affine() const { return scale != kNoBuffer; }
};

/// How a node is connected. Gradients have the shape of their wire; a gradient that nobody wants is kNoBuffer.
struct Links {
  std::vector<Wire> inputs;
  Wire output;
  BufferId grad_output = kNoBuffer;
  std::vector<BufferId> grad_inputs;
};

/// What a stage tells the planner. Steps count 0 .. n-1 forward, n for the output, and on to 2n backward.
class NodePlan {
 public:
  NodePlan(ArenaPlan& arena, Links& links, std::size_t scalar_bytes, int forward_step, int backward_step);

  const Wire& input(int k = 0) const { return links_.inputs[static_cast<std::size_t>(k)]; }
  const Shape& output_shape() const { return links_.output.shape; }

  /// One of these says what the output is. The affine form is for a consumer that `consumer_applies_affine`.
  void output_real();
  void output_spikes();
  void output_same_as_input();
  void output_affine(BufferId scale, BufferId shift, BufferId grad_scale, BufferId grad_shift);

  /// Memory from the node's forward to its backward; to its forward only if no backward will come.
  BufferId saved(std::size_t bytes) {
    saved_bytes_ += bytes;
    return arena_.add(bytes, forward_step_, last_step());
  }
  BufferId forward_scratch(std::size_t bytes) { return arena_.add(bytes, forward_step_, forward_step_); }
  BufferId backward_scratch(std::size_t bytes) { return arena_.add(bytes, last_step(), last_step()); }

  /// The backward pass reads the values of this input again.
  void keep_input(int k = 0);
  /// It reads the values of the output again.
  void keep_output();
  /// The backward pass may write the gradient of this input over that of the output.
  void grad_in_place(int k = 0) { grad_in_place_ = k; }

  std::size_t scalar_bytes() const { return scalar_bytes_; }

  bool training = false;
  bool smooth = false;  ///< spikes are Scalars
  bool rounded_delays = false;
  bool consumer_applies_affine = false;  ///< the output has one consumer, and it takes the affine form
  int grad_in_place_of() const { return grad_in_place_; }
  std::size_t saved_bytes() const { return saved_bytes_; }

 private:
  int last_step() const { return backward_step_ < 0 ? forward_step_ : backward_step_; }

  ArenaPlan& arena_;
  Links& links_;
  std::size_t scalar_bytes_;
  int forward_step_, backward_step_;
  int grad_in_place_ = -1;
  std::size_t saved_bytes_ = 0;
};

/// The memory of a pass that runs.
template <class Scalar>
struct Run {
  std::byte* base = nullptr;
  const ArenaPlan* arena = nullptr;
  View<const Scalar> input;
  StepKey key;
  CountedPass* counted = nullptr;  ///< null: nothing is counted

  template <class T>
  View<T> view(BufferId id, const Shape& shape) const {
    if (id == kNoBuffer) return {};
    return {reinterpret_cast<T*>(base + arena->offset(id)), shape, input.device};
  }
  std::span<std::byte> bytes(BufferId id, std::size_t count) const { return {base + arena->offset(id), count}; }

  View<const Scalar> real(const Wire& wire) const {
    return wire.values == kInputBuffer ? input : View<const Scalar>(view<Scalar>(wire.values, wire.shape));
  }
  View<const std::uint8_t> spikes(const Wire& wire) const { return view<std::uint8_t>(wire.values, wire.shape); }
  Signal<Scalar> signal(const Wire& wire) const {
    if (wire.spikes) return {wire.shape, nullptr, spikes(wire).data, input.device};
    return {wire.shape, real(wire).data, nullptr, input.device};
  }
  neurons::ChannelAffine<Scalar> affine(const Wire& wire) const {
    if (!wire.has_affine()) return {};
    const Shape row{wire.shape.channels()};
    return {view<Scalar>(wire.scale, row), view<Scalar>(wire.shift, row)};
  }
  neurons::ChannelAffineGrad<Scalar> affine_grad(const Wire& wire) const {
    if (!wire.has_affine()) return {};
    const Shape row{wire.shape.channels()};
    return {view<Scalar>(wire.grad_scale, row), view<Scalar>(wire.grad_shift, row)};
  }

  View<Scalar> output(const Links& links) const { return view<Scalar>(links.output.values, links.output.shape); }
  View<Scalar> grad_output(const Links& links) const { return view<Scalar>(links.grad_output, links.output.shape); }
  /// Empty if the gradient is not wanted.
  View<Scalar> grad_input(const Links& links, int k = 0) const {
    const auto i = static_cast<std::size_t>(k);
    return view<Scalar>(links.grad_inputs[i], links.inputs[i].shape);
  }
};

template <class Scalar>
class Stage {
 public:
  virtual ~Stage() = default;

  /// True if it reads an input in the affine form and gives back the gradients of scale and shift.
  virtual bool applies_affine() const { return false; }
  virtual void plan(NodePlan& plan) = 0;
  /// False if the parameters have changed so that the memory that was planned is too small.
  virtual bool fits() const { return true; }
  virtual void forward(const Run<Scalar>& run, const Links& links) = 0;
  virtual void backward(const Run<Scalar>& run, const Links& links) = 0;
  /// Adds to the node's layer of a ledger what the forward pass in evaluation mode did that has just run; `run.counted`
  /// was there during that pass, too.
  /// \param first  the layer begins with this node: it reads the layer's input
  virtual void count(const Run<Scalar>& /*run*/, const Links& /*links*/, bool /*first*/,
                     LayerLedger& /*record*/) const {}
  /// Of the last forward pass; NaN if the node does not spike.
  virtual double firing_rate() const { return std::numeric_limits<double>::quiet_NaN(); }
};

/// What a stage may know about its node.
template <class Scalar>
struct NodeContext {
  int index = 0;
  double dt_ms = 1.0;
  std::span<NamedTensor<Scalar>> tensors;   ///< in the order of `describe`
  std::span<const View<Scalar>> gradients;  ///< parallel to tensors
};

/// Real values of an input that may come as spikes: a copy in that case.
template <class Scalar>
class RealInput {
 public:
  /// \param kept  the backward pass reads them too
  void plan(NodePlan& plan, bool kept);
  View<const Scalar> forward(const Run<Scalar>& run, const Links& links) const;
  View<const Scalar> backward(const Run<Scalar>& run, const Links& links) const;

 private:
  BufferId copy_ = kNoBuffer;
};

// One line a kind of node; defined in stages/.
template <class Scalar>
using StagePtr = std::unique_ptr<Stage<Scalar>>;
template <class Scalar>
StagePtr<Scalar> make_stage(const LinearSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const Conv2dSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const MaxPoolSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const AvgPoolSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const BatchNormSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const DropoutSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const FlattenSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const LifSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const CubaLifSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const AdlifSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const RecurrentSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const LeakyIntegratorSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const AddSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const VoteSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const DelayedLinearSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const DepthwiseConv2dSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const LayerNormSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const ActivationSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const MultiplySpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const PositionSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const DropPathSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const MeanTokensSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const AttentionSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const CausalConv1dSpec& spec, const NodeContext<Scalar>& context);
template <class Scalar>
StagePtr<Scalar> make_stage(const SelectiveScanSpec& spec, const NodeContext<Scalar>& context);

}  // namespace synfire::network
