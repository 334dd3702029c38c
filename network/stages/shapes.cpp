// Nodes without weights or state: pools, flatten, add, vote.
#include <algorithm>

#include "network/event_numbers.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "synapses/add.hpp"
#include "synapses/flatten.hpp"
#include "synapses/pool.hpp"
#include "synapses/vote.hpp"

namespace synfire::network {

namespace {

std::uint64_t size_of(const Wire& wire) { return static_cast<std::uint64_t>(wire.shape.size()); }

/// Sizes of a window.
std::uint64_t area(const synapses::PoolGeometry& g) { return static_cast<std::uint64_t>(g.kernel) * g.kernel; }

template <class Scalar>
class MaxPoolStage : public Stage<Scalar> {
 public:
  explicit MaxPoolStage(const synapses::PoolGeometry& geometry) : geometry_(geometry) {}

  void plan(NodePlan& plan) override {
    if (plan.input().spikes) {
      plan.output_spikes();
    } else {
      plan.output_real();
    }
    plan.keep_input();
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    const Wire& in = links.inputs[0];
    if (in.spikes) {
      synapses::max_pool_forward_spikes(run.spikes(in), geometry_,
                                        run.template view<std::uint8_t>(links.output.values, links.output.shape));
    } else {
      synapses::max_pool_forward(run.signal(in), geometry_, run.output(links));
    }
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::max_pool_backward<Scalar>(run.signal(links.inputs[0]), geometry_, run.grad_output(links),
                                        run.grad_input(links));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_input(run, links.inputs[0], record);
    record.cmp += size_of(links.output) * (area(geometry_) - 1);
  }

 private:
  synapses::PoolGeometry geometry_;
};

template <class Scalar>
class AvgPoolStage : public Stage<Scalar> {
 public:
  explicit AvgPoolStage(const synapses::PoolGeometry& geometry) : geometry_(geometry) {}

  void plan(NodePlan& plan) override { plan.output_real(); }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::avg_pool_forward(run.signal(links.inputs[0]), geometry_, run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::avg_pool_backward<Scalar>(geometry_, run.grad_output(links), run.grad_input(links));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_input(run, links.inputs[0], record);
    record.add += size_of(links.output) * (area(geometry_) - 1);
    record.mul += size_of(links.output);
  }

 private:
  synapses::PoolGeometry geometry_;
};

template <class Scalar>
class FlattenStage : public Stage<Scalar> {
 public:
  void plan(NodePlan& plan) override {
    if (plan.input().spikes) {
      plan.output_spikes();
    } else {
      plan.output_real();
    }
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    const Wire& in = links.inputs[0];
    if (in.spikes) {
      synapses::flatten_forward<std::uint8_t>(run.spikes(in),
                                              run.template view<std::uint8_t>(links.output.values, links.output.shape));
    } else {
      synapses::flatten_forward<Scalar>(run.real(in), run.output(links));
    }
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::flatten_backward<Scalar>(run.grad_output(links), run.grad_input(links));
  }
};

template <class Scalar>
class AddStage : public Stage<Scalar> {
 public:
  void plan(NodePlan& plan) override {
    plan.output_real();
    plan.grad_in_place();
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    signals_.resize(links.inputs.size());  // grows in the first pass only
    for (std::size_t k = 0; k < signals_.size(); ++k) signals_[k] = run.signal(links.inputs[k]);
    synapses::add_forward<Scalar>(signals_, run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    const View<const Scalar> grad = run.grad_output(links);
    for (std::size_t k = 0; k < links.inputs.size(); ++k) {
      const View<Scalar> to = run.grad_input(links, static_cast<int>(k));
      if (to.data == nullptr || to.data == grad.data) continue;
      copy_bytes(grad.data, grad.device, to.data, to.device, static_cast<std::size_t>(grad.size()) * sizeof(Scalar));
    }
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    for (const Wire& wire : links.inputs) count_input(run, wire, record);
    record.add += size_of(links.output) * (links.inputs.size() - 1);
  }

 private:
  std::vector<Signal<Scalar>> signals_;
};

template <class Scalar>
class VoteStage : public Stage<Scalar> {
 public:
  explicit VoteStage(int group) : group_(group) {}

  void plan(NodePlan& plan) override { plan.output_real(); }
  void forward(const Run<Scalar>& run, const Links& links) override {
    synapses::vote_forward(run.signal(links.inputs[0]), group_, run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    synapses::vote_backward<Scalar>(run.grad_output(links), group_, run.grad_input(links));
  }
  void count(const Run<Scalar>& run, const Links& links, bool /*first*/, LayerLedger& record) const override {
    count_input(run, links.inputs[0], record);
    record.add += size_of(links.output) * static_cast<std::uint64_t>(group_ - 1);
    record.mul += size_of(links.output);
  }

 private:
  int group_;
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const MaxPoolSpec& spec, const NodeContext<Scalar>&) {
  return std::make_unique<MaxPoolStage<Scalar>>(spec.geometry);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const AvgPoolSpec& spec, const NodeContext<Scalar>&) {
  return std::make_unique<AvgPoolStage<Scalar>>(spec.geometry);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const FlattenSpec&, const NodeContext<Scalar>&) {
  return std::make_unique<FlattenStage<Scalar>>();
}
template <class Scalar>
StagePtr<Scalar> make_stage(const AddSpec&, const NodeContext<Scalar>&) {
  return std::make_unique<AddStage<Scalar>>();
}
template <class Scalar>
StagePtr<Scalar> make_stage(const VoteSpec& spec, const NodeContext<Scalar>&) {
  return std::make_unique<VoteStage<Scalar>>(spec.group);
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                     \
  template StagePtr<Scalar> make_stage(const MaxPoolSpec&, const NodeContext<Scalar>&); \
  template StagePtr<Scalar> make_stage(const AvgPoolSpec&, const NodeContext<Scalar>&); \
  template StagePtr<Scalar> make_stage(const FlattenSpec&, const NodeContext<Scalar>&); \
  template StagePtr<Scalar> make_stage(const AddSpec&, const NodeContext<Scalar>&);     \
  template StagePtr<Scalar> make_stage(const VoteSpec&, const NodeContext<Scalar>&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
