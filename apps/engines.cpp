#include "apps/engines.hpp"

#include <iostream>
#include <string>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/text_table.hpp"
#include "core/progress.hpp"
#include "network/clocked_runtime.hpp"
#include "network/event_ledger.hpp"
#include "network/event_parity.hpp"
#include "network/event_runtime.hpp"

namespace synfire::apps {

namespace {

/// A progress bar over the batches of a split, gone through `times` times.
class BatchBar {
 public:
  BatchBar(const std::string& name, const BatchSource& source, int times) : bar_(name, options(source, times)) {}
  bool operator()(std::int64_t, std::int64_t) {
    bar_.advance();
    return true;
  }

 private:
  static Progress::Options options(const BatchSource& source, int times) {
    Progress::Options result;
    result.total = times * source.num_batches();
    result.unit = "batches";
    return result;
  }
  Progress bar_;
};

}  // namespace

network::EventArithmetic read_arithmetic(const std::string& command, const std::string& text) {
  if (text == "stepped") return network::EventArithmetic::stepped;
  if (text == "lazy") return network::EventArithmetic::lazy;
  throw UsageError(fmt::format("synfire {}: --arithmetic: expected stepped or lazy, got \"{}\"", command, text));
}

learning::RoundedEvaluation evaluate_clocked(network::Network<float>& network, BatchSource& source,
                                             const learning::LossConfig& loss) {
  network::ClockedRuntime<float> runtime(network);
  BatchBar bar("clocked", source, learning::num_evaluations(network));
  return learning::evaluate_rounded(runtime, source, loss, bar);
}

learning::RoundedEvaluation count_clocked(network::Network<float>& network, BatchSource& source,
                                          const learning::LossConfig& loss, OpLedger& ledger) {
  network::ClockedRuntime<float> runtime(network);
  BatchBar bar("counting", source, learning::num_evaluations(network));
  runtime.count_into(&ledger);
  return learning::evaluate_rounded(runtime, source, loss, [&](std::int64_t done, std::int64_t all) {
    if (done == source.num_batches()) runtime.count_into(nullptr);  // the pass that follows, if any, is not rounded
    return bar(done, all);
  });
}

learning::RoundedEvaluation evaluate_events(const network::Network<float>& network, BatchSource& source,
                                            const learning::LossConfig& loss, network::EventArithmetic arithmetic) {
  network::EventRuntime runtime(network::make_event_program(network));
  runtime.use_arithmetic(arithmetic);
  BatchBar bar("events", source, 1);
  const auto forward = [&](View<const float> input) { return runtime.forward(input); };
  const auto firing_rates = [&] { return runtime.firing_rates(); };
  return {learning::evaluate(network, {forward, firing_rates}, source, loss, bar), {}};
}

learning::RoundedEvaluation count_by_events(network::Network<float>& network, BatchSource& source,
                                            const learning::LossConfig& loss, network::EventArithmetic arithmetic,
                                            OpLedger& ledger) {
  network::EventRuntime runtime(network::make_event_program(network));
  runtime.use_arithmetic(arithmetic);
  BatchBar bar("counting", source, 1);
  network::EventLedger counting(network, runtime, ledger);
  const auto forward = [&](View<const float> input) { return counting.forward(input); };
  const auto firing_rates = [&] { return runtime.firing_rates(); };
  return {learning::evaluate(network, {forward, firing_rates}, source, loss, bar), {}};
}

/// The spikes of all engines on a split, compared. Exit code 1 if the event engine and its twin differ.
int verify_engines(network::Network<float>& network, BatchSource& source, network::EventArithmetic arithmetic) {
  network::EngineParity parity;
  {
    BatchBar bar("engines", source, 1);
    Batch batch;
    source.start_epoch(0, 0, 0);
    while (source.next(batch)) {
      network::compare_engines(network, batch.input.view(), arithmetic, parity);
      bar(0, 0);
    }
  }
  std::cout << fmt::format(
      "{} samples, {} spikes\n"
      "event engine and its clocked twin: {} spikes differ\n"
      "event engine and float runtime:    {} samples without a difference, {} with one\n",
      parity.samples, parity.spikes, parity.twin_differences, parity.samples_as_float, parity.differences.size());
  if (!parity.differences.empty()) {
    TextTable table({"sample", "tick", "layer", "neuron", "|h - threshold|"});
    for (const network::FirstDifference& d : parity.differences) {
      table.add({std::to_string(d.sample), std::to_string(d.tick), d.node, std::to_string(d.neuron),
                 fmt::format("{:.2e}", d.distance)});
    }
    std::cout << "first spike that only one of them fired:\n" << table.text();
  }
  return parity.twin_differences == 0 ? kExitOk : kExitDiffer;
}

}  // namespace synfire::apps
