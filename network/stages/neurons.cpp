// Nodes with a membrane: lif, leaky_integrator.
#include <array>

#include "network/event_numbers.hpp"
#include "network/neuron_count.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "neurons/leaky_integrator.hpp"
#include "neurons/lif.hpp"
#include "neurons/parametric_lif.hpp"

namespace synfire::network {

namespace {

template <class Scalar>
class LifStage : public Stage<Scalar> {
 public:
  LifStage(const neurons::LifConfig& config, const NodeContext<Scalar>& context)
      : params_(neurons::lif_params(config, context.dt_ms)), config_(config), context_(context) {}

  bool applies_affine() const override { return true; }

  void plan(NodePlan& plan) override {
    smooth_ = plan.smooth;
    plan.output_spikes();
    current_.plan(plan, true);
    plan.grad_in_place();
    scratch_bytes_ = neurons::lif_scratch_bytes(plan.output_shape().channels());
    scratch_ = plan.backward_scratch(scratch_bytes_);
  }

  void forward(const Run<Scalar>& run, const Links& links) override {
    if (config_.learn_tau) {
      const auto w = static_cast<double>(context_.tensors[0].value[0]);
      params_ = neurons::with_leak_logit(params_, config_.decay_input, w);
    }
    const View<const Scalar> y = current_.forward(run, links);
    const neurons::ChannelAffine<Scalar> affine = run.affine(links.inputs[0]);
    std::uint64_t* const changed = run.counted != nullptr ? &changed_membranes_ : nullptr;
    if (smooth_) {
      neurons::lif_forward<Scalar, Scalar>(y, affine, params_, run.output(links), changed);
    } else {
      neurons::lif_forward<Scalar, std::uint8_t>(
          y, affine, params_, run.template view<std::uint8_t>(links.output.values, links.output.shape), changed);
    }
    rate_ = spike_rate(run, links.output);
  }

  void backward(const Run<Scalar>& run, const Links& links) override {
    const auto backward = smooth_ ? neurons::lif_backward<Scalar, Scalar> : neurons::lif_backward<Scalar, std::uint8_t>;
    std::array<double, 2> grad_constants{};
    const View<double> constants =
        config_.learn_tau ? View<double>{grad_constants.data(), Shape{2}, Device::cpu} : View<double>{};
    backward(current_.backward(run, links), run.affine(links.inputs[0]), params_, run.grad_output(links),
             grad_current(run, links), run.affine_grad(links.inputs[0]), constants,
             run.bytes(scratch_, scratch_bytes_));
    if (config_.learn_tau) {
      context_.gradients[0][0] = static_cast<Scalar>(
          neurons::leak_logit_gradient(params_, config_.decay_input, grad_constants[0], grad_constants[1]));
    }
  }

  void count(const Run<Scalar>& run, const Links& links, bool first, LayerLedger& record) const override {
    if (first) count_input(run, links.inputs[0], record);
    count_neurons_of(run, links.output, neuron_work(config_), changed_membranes_, record);
  }

  double firing_rate() const override { return rate_; }

 private:
  /// With a learned time constant a node has a backward pass even if nobody wants the gradient of its input; it then
  /// lies over that of the output.
  View<Scalar> grad_current(const Run<Scalar>& run, const Links& links) const {
    const View<Scalar> wanted = run.grad_input(links);
    return wanted.data == nullptr ? run.grad_output(links) : wanted;
  }

  neurons::LifParams params_;
  neurons::LifConfig config_;
  NodeContext<Scalar> context_;
  RealInput<Scalar> current_;
  bool smooth_ = false;
  std::size_t scratch_bytes_ = 0;
  BufferId scratch_ = kNoBuffer;
  std::uint64_t changed_membranes_ = 0;
  double rate_ = std::numeric_limits<double>::quiet_NaN();
};

template <class Scalar>
class LeakyIntegratorStage : public Stage<Scalar> {
 public:
  LeakyIntegratorStage(const LeakyIntegratorSpec& spec, double dt_ms)
      : spec_(spec), params_(neurons::lif_params(integrator_config(spec), dt_ms)) {}

  void plan(NodePlan& plan) override {
    plan.output_real();
    current_.plan(plan, false);
    plan.grad_in_place();
  }
  void forward(const Run<Scalar>& run, const Links& links) override {
    neurons::leaky_integrator_forward<Scalar>(current_.forward(run, links), params_.decay, params_.gain,
                                              run.output(links));
  }
  void backward(const Run<Scalar>& run, const Links& links) override {
    neurons::leaky_integrator_backward<Scalar>(run.grad_output(links), params_.decay, params_.gain,
                                               run.grad_input(links));
  }
  void count(const Run<Scalar>& run, const Links& links, bool first, LayerLedger& record) const override {
    if (first) count_input(run, links.inputs[0], record);
    count_layer_neurons(neuron_work(spec_), run.signal(links.output), 0, record);
    record.membrane_updates_nb += changed_values(View<const Scalar>(run.output(links)));
  }

 private:
  LeakyIntegratorSpec spec_;
  neurons::LifParams params_;
  RealInput<Scalar> current_;
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const LifSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<LifStage<Scalar>>(spec.config, context);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const LeakyIntegratorSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<LeakyIntegratorStage<Scalar>>(spec, context.dt_ms);
}

template StagePtr<float> make_stage(const LifSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const LifSpec&, const NodeContext<double>&);
template StagePtr<float> make_stage(const LeakyIntegratorSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const LeakyIntegratorSpec&, const NodeContext<double>&);

}  // namespace synfire::network
