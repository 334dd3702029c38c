#pragma once

#include <cstdint>
#include <vector>

#include "core/batch.hpp"
#include "core/function_ref.hpp"
#include "learning/losses.hpp"
#include "learning/metrics.hpp"
#include "network/clocked_runtime.hpp"

namespace synfire::learning {

/// What a network makes of a split. The three columns have one entry per sample, in the order of the split.
struct Evaluation {
  explicit Evaluation(int num_classes) : confusion(num_classes) {}

  ConfusionMatrix confusion;
  double mean_loss = 0.0;
  std::vector<std::int64_t> index;
  std::vector<std::int32_t> label;
  std::vector<std::int32_t> prediction;
  std::vector<double> firing_rates;  ///< mean over the samples, by node of the network; NaN where there is none
  bool complete = false;             ///< false if it was stopped
};

/// Whatever runs a network: one of its runtimes. Both functions must stay alive.
struct Engine {
  FunctionRef<View<const float>(View<const float> input)> forward;  ///< as ClockedRuntime::forward, for evaluation
  FunctionRef<std::vector<double>()> firing_rates;                  ///< of the last pass, by node
};

/// Runs the network in evaluation mode over the whole split.
///
/// \param loss_config  as in training, label smoothing included, so that the curves can be compared
/// \param keep_going   called after each batch with the numbers of batches done and in all; false stops
/// \throws ShapeError if the network has not one output per class
Evaluation evaluate(const network::Network<float>& network, const Engine& engine, BatchSource& source,
                    const LossConfig& loss_config, FunctionRef<bool(std::int64_t, std::int64_t)> keep_going);
Evaluation evaluate(network::ClockedRuntime<float>& runtime, BatchSource& source, const LossConfig& loss_config,
                    FunctionRef<bool(std::int64_t, std::int64_t)> keep_going);

/// Throws unless the network ends in one output per class of the data.
void check_classes(const network::Network<float>& network, const BatchSource& source);

}  // namespace synfire::learning
