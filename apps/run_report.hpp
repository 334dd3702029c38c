#pragma once

#include <string>

#include "apps/experiment.hpp"
#include "apps/run_folder.hpp"
#include "learning/evaluate_rounded.hpp"
#include "network/network.hpp"

namespace synfire::apps {

/// Writes report.html of a run from its metrics, its environment and, unless null, the evaluation of its test split.
/// \param protocol  how the weights were chosen
void write_run_report(const RunFolder& run, const Experiment& experiment, const network::Network<float>& network,
                      const learning::RoundedEvaluation* evaluation, const std::string& protocol);

}  // namespace synfire::apps
