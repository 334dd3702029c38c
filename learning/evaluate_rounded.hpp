#pragma once

#include <cstdint>
#include <optional>

#include "learning/evaluate.hpp"

namespace synfire::learning {

/// What a network makes of a split when it is deployed, with delays on whole ticks, and what it makes of it as it is
/// trained. Without learned delays, and when they have been rounded for good, the two are one.
struct RoundedEvaluation {
  Evaluation rounded;
  std::optional<Evaluation> unrounded;

  bool complete() const { return rounded.complete && (!unrounded || unrounded->complete); }
  /// NaN where there is nothing unrounded.
  double unrounded_accuracy() const;
};

/// As `evaluate`, twice where a delay lies between two ticks; `keep_going` counts the batches of both. Leaves the
/// runtime as the network is trained: with bumps, or with rounded delays where all of them are whole.
RoundedEvaluation evaluate_rounded(network::ClockedRuntime<float>& runtime, BatchSource& source,
                                   const LossConfig& loss_config,
                                   FunctionRef<bool(std::int64_t, std::int64_t)> keep_going);

/// Passes over a split that this takes: 1 or 2.
int num_evaluations(const network::Network<float>& network);

}  // namespace synfire::learning
