#include "learning/evaluate_rounded.hpp"

#include <limits>
#include <utility>

#include "network/delays.hpp"

namespace synfire::learning {

double RoundedEvaluation::unrounded_accuracy() const {
  return unrounded ? unrounded->confusion.accuracy() : std::numeric_limits<double>::quiet_NaN();
}

int num_evaluations(const network::Network<float>& network) { return network::has_unrounded_delays(network) ? 2 : 1; }

RoundedEvaluation evaluate_rounded(network::ClockedRuntime<float>& runtime, BatchSource& source,
                                   const LossConfig& loss_config,
                                   FunctionRef<bool(std::int64_t, std::int64_t)> keep_going) {
  const int passes = num_evaluations(runtime.network());
  const auto pass = [&](int number) {
    return evaluate(runtime, source, loss_config,
                    [&](std::int64_t done, std::int64_t all) { return keep_going(number * all + done, passes * all); });
  };
  const bool learned = network::has_learned_delays(runtime.network().spec);
  if (learned) runtime.use_rounded_delays(true);
  RoundedEvaluation result{pass(0), {}};
  if (passes == 2) {
    runtime.use_rounded_delays(false);
    if (result.rounded.complete) result.unrounded = pass(1);
  }
  return result;
}

}  // namespace synfire::learning
