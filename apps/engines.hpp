#pragma once

#include <string>

#include "core/batch.hpp"
#include "core/op_ledger.hpp"
#include "learning/evaluate_rounded.hpp"
#include "learning/losses.hpp"
#include "network/event_runtime.hpp"
#include "network/network.hpp"

/// The engines that run a trained network, behind a progress bar each.
namespace synfire::apps {

/// `stepped` or `lazy`, of the option --arithmetic. \throws UsageError that begins with `command`
network::EventArithmetic read_arithmetic(const std::string& command, const std::string& text);

/// In time steps, as it was trained: with delays on whole ticks, and before.
learning::RoundedEvaluation evaluate_clocked(network::Network<float>& network, BatchSource& source,
                                             const learning::LossConfig& loss);

/// The same, and counts the pass with delays on whole ticks.
learning::RoundedEvaluation count_clocked(network::Network<float>& network, BatchSource& source,
                                          const learning::LossConfig& loss, OpLedger& ledger);

/// Event by event, counting into `ledger`.
learning::RoundedEvaluation count_by_events(network::Network<float>& network, BatchSource& source,
                                            const learning::LossConfig& loss, network::EventArithmetic arithmetic,
                                            OpLedger& ledger);

/// Event by event.
learning::RoundedEvaluation evaluate_events(const network::Network<float>& network, BatchSource& source,
                                            const learning::LossConfig& loss, network::EventArithmetic arithmetic);

/// Compares the spikes of all engines on a split and prints what it finds.
/// \return  kExitOk, or kExitDiffer if the event engine and its clocked twin do not fire the same spikes
int verify_engines(network::Network<float>& network, BatchSource& source, network::EventArithmetic arithmetic);

}  // namespace synfire::apps
