#include "network/clocked_runtime.hpp"

#include <chrono>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "network/clocked_plan.hpp"
#include "network/elementwise.hpp"
#include "network/event_numbers.hpp"
#include "network/ledger_plan.hpp"
#include "network/op_count.hpp"
#include "synapses/add.hpp"

namespace synfire::network {

namespace {

/// Seconds since its construction.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

template <class Scalar>
struct ClockedRuntime<Scalar>::Impl {
  using Plan = ClockedPlan<Scalar>;

  explicit Impl(Network<Scalar>& of) : network(of), counted(of.spec.nodes.size()) {
    for (const NamedTensor<Scalar>& tensor : of.tensors) {
      gradient_memory.emplace_back(tensor.trained ? Tensor<Scalar>(tensor.value.shape()) : Tensor<Scalar>());
      gradients.push_back(gradient_memory.back().view());
    }
    times.resize(of.spec.nodes.size());
  }

  void use_rounded_delays(bool rounded) {
    rounded_delays = rounded;
    counted.forget_tables();
  }

  void check_input(const Shape& shape) const {
    if (shape.rank() == network.input.rank() + 2 && shape.drop_front(2) == network.input && shape.size() > 0) return;
    throw ShapeError(fmt::format("[forward] the network reads [T, B] times {}, none of them 0, got {}",
                                 network.input.text(), shape.text()));
  }

  typename Plan::Options options(Mode mode) const {
    return {mode, smooth, mode == Mode::train && want_input_grad, rounded_delays};
  }

  Plan plan_of(std::ptrdiff_t num_ticks, std::ptrdiff_t batch, Mode mode) {
    const Shape input = network.input.prepend(batch).prepend(num_ticks);
    check_input(input);
    return Plan(network, gradients, input, options(mode));
  }

  /// Lays the network out for this shape unless the last pass of this mode had it too.
  Plan& plan_for(const Shape& input, Mode mode) {
    std::optional<Plan>& plan = mode == Mode::train ? train_plan : eval_plan;
    if (!plan || !plan->fits(input, options(mode))) {
      plan.reset();
      plan.emplace(network, gradients, input, options(mode));
    }
    arena.fit(plan->arena);
    return *plan;
  }

  View<const Scalar> forward(View<const Scalar> input, Mode mode, const StepKey& key) {
    check_input(input.shape);
    if (input.device != arena.device()) throw BackendError("[forward] the clocked runtime reads host memory");
    current = nullptr;
    Plan& plan = plan_for(input.shape, mode);
    const bool counts = ledger != nullptr && mode == Mode::eval;
    run = {arena.data(), &plan.arena, input, key, counts ? &counted : nullptr};
    if (counts) counted.start();
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
      const Stopwatch watch;
      try {
        plan.nodes[i].stage->forward(run, plan.nodes[i].links);
      } catch (const ShapeError& error) {
        throw ShapeError(fmt::format("layer \"{}\": {}", network.spec.nodes[i].name, error.what()));
      }
      times[i] = {watch.seconds(), 0.0};
      const Wire& out = plan.nodes[i].links.output;
      if (watcher && out.spikes) watcher(static_cast<int>(i), run.spikes(out));
      if (counts) count_node(plan, i);
    }
    if (counts) {
      ledger->samples += static_cast<std::uint64_t>(input.shape[1]);
      ledger->ticks += static_cast<std::uint64_t>(input.shape[0] * input.shape[1]);
    }
    current = &plan;
    can_go_back = mode == Mode::train;

    const Wire& last = plan.nodes.back().links.output;
    const View<Scalar> output = run.template view<Scalar>(plan.output, last.shape);
    if (last.spikes) {
      spikes_to_real(run.spikes(last), output);
    } else if (last.values == kInputBuffer) {
      copy_bytes(input.data, input.device, output.data, output.device, input.span().size_bytes());
    }
    return output;
  }

  void count_into(OpLedger* to) {
    if (to != nullptr) {
      OpLedger none;
      none.layers = plan_ledger(network).layers;
      *to += none;
    }
    ledger = to;
    counted.forget_tables();
    ledger_plan = to != nullptr ? plan_ledger(network) : LedgerPlan{};
  }

  /// A layer's output is counted after the node that follows: its own count may come by it on the way.
  void count_node(const Plan& plan, std::size_t index) {
    const int layer = ledger_plan.layer_of_node[index];
    if (layer >= 0) {
      const auto at = static_cast<std::size_t>(layer);
      counted.start_node(index);
      plan.nodes[index].stage->count(run, plan.nodes[index].links,
                                     ledger_plan.first_node[at] == static_cast<int>(index), ledger->layers[at]);
    }
    if (index > 0) count_layer_output(plan, index - 1);
    if (index + 1 == plan.nodes.size()) count_layer_output(plan, index);
  }
  void count_layer_output(const Plan& plan, std::size_t node) {
    const int layer = ledger_plan.layer_of_node[node];
    if (layer < 0 || ledger_plan.last_node[static_cast<std::size_t>(layer)] != static_cast<int>(node)) return;
    const Wire& output = plan.nodes[node].links.output;
    count_output(run.signal(output), events_of(run, output), ledger->layers[static_cast<std::size_t>(layer)]);
  }

  void backward(View<const Scalar> grad_output) {
    if (current == nullptr || !can_go_back) throw Error("[backward] there is no training forward pass to go back from");
    Plan& plan = *current;
    const Links& last = plan.nodes.back().links;
    if (grad_output.shape != last.output.shape) {
      throw ShapeError(fmt::format("[backward] the gradient of the output must be {}, got {}", last.output.shape.text(),
                                   grad_output.shape.text()));
    }
    can_go_back = false;
    if (!plan.nodes.back().has_backward) return;
    copy_bytes(grad_output.data, grad_output.device, run.grad_output(last).data, arena.device(),
               grad_output.span().size_bytes());
    for (std::size_t i = plan.nodes.size(); i-- > 0;) {
      const auto& node = plan.nodes[i];
      if (!node.has_backward) continue;
      const Stopwatch watch;
      node.stage->backward(run, node.links);
      for (const auto& sum : node.sums_after_backward) {
        synapses::accumulate<Scalar>(run.template view<Scalar>(sum.from, sum.shape),
                                     run.template view<Scalar>(sum.to, sum.shape));
      }
      times[i].backward_s = watch.seconds();
    }
  }

  Network<Scalar>& network;
  std::vector<Tensor<Scalar>> gradient_memory;
  std::vector<View<Scalar>> gradients;
  bool smooth = false;
  bool want_input_grad = false;
  bool rounded_delays = false;
  SpikeWatcher watcher;

  Arena arena{Device::cpu};
  std::optional<Plan> train_plan, eval_plan;
  Plan* current = nullptr;  // of the last pass that went through
  bool can_go_back = false;
  Run<Scalar> run;
  std::vector<NodeTime> times;
  OpLedger* ledger = nullptr;  // null: nothing is counted
  LedgerPlan ledger_plan;
  CountedPass counted;
};

template <class Scalar>
ClockedRuntime<Scalar>::ClockedRuntime(Network<Scalar>& network) : impl_(std::make_unique<Impl>(network)) {}
template <class Scalar>
ClockedRuntime<Scalar>::~ClockedRuntime() = default;
template <class Scalar>
ClockedRuntime<Scalar>::ClockedRuntime(ClockedRuntime&&) noexcept = default;

template <class Scalar>
void ClockedRuntime<Scalar>::use_smooth_spikes(bool smooth) {
  impl_->smooth = smooth;
}

template <class Scalar>
void ClockedRuntime<Scalar>::use_rounded_delays(bool rounded) {
  impl_->use_rounded_delays(rounded);
}

template <class Scalar>
void ClockedRuntime<Scalar>::count_into(OpLedger* ledger) {
  impl_->count_into(ledger);
}

template <class Scalar>
View<const Scalar> ClockedRuntime<Scalar>::forward(View<const Scalar> input, Mode mode, const StepKey& key) {
  return impl_->forward(input, mode, key);
}

template <class Scalar>
void ClockedRuntime<Scalar>::backward(View<const Scalar> grad_output) {
  impl_->backward(grad_output);
}

template <class Scalar>
const std::vector<View<Scalar>>& ClockedRuntime<Scalar>::gradients() const {
  return impl_->gradients;
}

template <class Scalar>
void ClockedRuntime<Scalar>::want_input_grad(bool wanted) {
  impl_->want_input_grad = wanted;
}

template <class Scalar>
View<const Scalar> ClockedRuntime<Scalar>::input_grad() const {
  if (impl_->current == nullptr) return {};
  return impl_->run.template view<Scalar>(impl_->current->input_grad, impl_->current->input);
}

template <class Scalar>
void ClockedRuntime<Scalar>::watch_spikes(SpikeWatcher watcher) {
  impl_->watcher = std::move(watcher);
}

template <class Scalar>
std::vector<double> ClockedRuntime<Scalar>::firing_rates() const {
  std::vector<double> rates(impl_->network.spec.nodes.size(), std::numeric_limits<double>::quiet_NaN());
  if (impl_->current == nullptr) return rates;
  for (std::size_t i = 0; i < rates.size(); ++i) rates[i] = impl_->current->nodes[i].stage->firing_rate();
  return rates;
}

template <class Scalar>
const std::vector<NodeTime>& ClockedRuntime<Scalar>::node_times() const {
  return impl_->times;
}

template <class Scalar>
std::size_t ClockedRuntime<Scalar>::planned_bytes(std::ptrdiff_t num_ticks, std::ptrdiff_t batch, Mode mode) const {
  return impl_->plan_of(num_ticks, batch, mode).arena.bytes();
}

template <class Scalar>
std::vector<std::size_t> ClockedRuntime<Scalar>::kept_bytes(std::ptrdiff_t num_ticks, std::ptrdiff_t batch) const {
  std::vector<std::size_t> result;
  for (const auto& node : impl_->plan_of(num_ticks, batch, Mode::train).nodes) result.push_back(node.kept_bytes);
  return result;
}

template <class Scalar>
Network<Scalar>& ClockedRuntime<Scalar>::network() const {
  return impl_->network;
}

template class ClockedRuntime<float>;
template class ClockedRuntime<double>;

}  // namespace synfire::network
