// Neurons that are run row by row: cuba_lif, adlif.
#include "network/event_numbers.hpp"
#include "network/neuron_count.hpp"
#include "network/neuron_rows.hpp"
#include "network/op_count.hpp"
#include "network/stage.hpp"
#include "neurons/row_scan.hpp"

namespace synfire::network {

namespace {

template <class Scalar>
class RowNeuronStage : public Stage<Scalar> {
 public:
  RowNeuronStage(const NeuronConfig& config, const NodeContext<Scalar>& context) : config_(config), context_(context) {}

  void plan(NodePlan& plan) override {
    smooth_ = plan.smooth;
    plan.output_spikes();
    current_.plan(plan, true);
    plan.grad_in_place();
    const NeuronRows<Scalar> neurons = rows(plan.output_shape());
    constants_ = plan.saved(static_cast<std::size_t>(neurons.num_constants()) * sizeof(Scalar));
    totals_ = plan.backward_scratch(static_cast<std::size_t>(neurons.num_totals()) * sizeof(double));
    scratch_bytes_ = neurons::row_scan_scratch_bytes(neurons.num_totals());
    scratch_ = plan.backward_scratch(scratch_bytes_);
  }

  void forward(const Run<Scalar>& run, const Links& links) override {
    const View<const Scalar> x = current_.forward(run, links);
    const neurons::RowModel<Scalar> model = row_model(run, links);
    std::uint64_t* const changed = run.counted != nullptr ? &changed_membranes_ : nullptr;
    if (smooth_) {
      neurons::row_scan_forward<Scalar, Scalar>(model, x, run.output(links), changed);
    } else {
      neurons::row_scan_forward<Scalar, std::uint8_t>(
          model, x, run.template view<std::uint8_t>(links.output.values, links.output.shape), changed);
    }
    rate_ = spike_rate(run, links.output);
  }

  void backward(const Run<Scalar>& run, const Links& links) override {
    const NeuronRows<Scalar> neurons = rows(links.output.shape);
    const std::span<double> totals = run.template view<double>(totals_, Shape{neurons.num_totals()}).span();
    const View<Scalar> wanted = run.grad_input(links);
    const View<Scalar> grad_x = wanted.data == nullptr ? run.grad_output(links) : wanted;
    neurons::row_scan_backward<Scalar>(row_model(run, links), current_.backward(run, links), run.grad_output(links),
                                       grad_x, totals, run.bytes(scratch_, scratch_bytes_));
    if (!totals.empty()) neurons.write_gradients(totals, context_.tensors, context_.gradients);
  }

  void count(const Run<Scalar>& run, const Links& links, bool first, LayerLedger& record) const override {
    if (first) count_input(run, links.inputs[0], record);
    count_neurons_of(run, links.output, neuron_work(config_), changed_membranes_, record);
  }

  double firing_rate() const override { return rate_; }

 private:
  NeuronRows<Scalar> rows(const Shape& shape) const { return {config_, context_.dt_ms, shape.channels()}; }
  neurons::RowModel<Scalar> row_model(const Run<Scalar>& run, const Links& links) const {
    const NeuronRows<Scalar> neurons = rows(links.output.shape);
    const View<Scalar> constants = run.template view<Scalar>(constants_, Shape{neurons.num_constants()});
    return neurons.model(context_.tensors, constants.data, smooth_);
  }

  NeuronConfig config_;
  NodeContext<Scalar> context_;
  RealInput<Scalar> current_;
  bool smooth_ = false;
  std::size_t scratch_bytes_ = 0;
  BufferId constants_ = kNoBuffer, totals_ = kNoBuffer, scratch_ = kNoBuffer;
  std::uint64_t changed_membranes_ = 0;
  double rate_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace

template <class Scalar>
StagePtr<Scalar> make_stage(const CubaLifSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<RowNeuronStage<Scalar>>(spec.config, context);
}
template <class Scalar>
StagePtr<Scalar> make_stage(const AdlifSpec& spec, const NodeContext<Scalar>& context) {
  return std::make_unique<RowNeuronStage<Scalar>>(spec.config, context);
}

template StagePtr<float> make_stage(const CubaLifSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const CubaLifSpec&, const NodeContext<double>&);
template StagePtr<float> make_stage(const AdlifSpec&, const NodeContext<float>&);
template StagePtr<double> make_stage(const AdlifSpec&, const NodeContext<double>&);

}  // namespace synfire::network
