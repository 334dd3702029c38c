#pragma once

#include <cstdint>

#include "core/random.hpp"
#include "network/stage.hpp"

namespace synfire::network {

/// A node that drops values at random in training, and outside training is not there: its output is its input. Rule has
/// `forward` and `backward`, and kFirstStream: random streams of a run are numbered, and those of a rule begin there, a
/// node each.
template <class Scalar, class Rule>
class RandomDropStage : public Stage<Scalar> {
 public:
  RandomDropStage(double p, int node_index)
      : p_(p), stream_(Rule::kFirstStream + static_cast<std::uint32_t>(node_index)) {}

  void plan(NodePlan& plan) override {
    active_ = plan.training && p_ > 0.0;
    if (active_) {
      plan.output_real();
    } else {
      plan.output_same_as_input();
    }
    plan.grad_in_place();
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    if (active_) Rule::template forward<Scalar>(run.signal(links.inputs[0]), p_, random(run), run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    if (active_) Rule::template backward<Scalar>(run.grad_output(links), p_, random(run), run.grad_input(links));
  }

 private:
  RandomStream random(const Run<Scalar>& run) const { return {run.key.seed, stream_, run.key.step}; }

  double p_;
  std::uint32_t stream_;
  bool active_ = false;
};

}  // namespace synfire::network
