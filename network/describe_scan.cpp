#include <cmath>

#include "network/node_facts.hpp"

namespace synfire::network {

namespace {

using Start = ParameterFacts::Start;

/// Steps at the start, in tokens.
constexpr double kShortestStep = 1e-3, kLongestStep = 1e-1;
constexpr std::ptrdiff_t kChannelsPerRank = 32;

}  // namespace

std::ptrdiff_t scan_rank(const SelectiveScanSpec& spec, std::ptrdiff_t channels) {
  return spec.rank > 0 ? spec.rank : (channels + kChannelsPerRank - 1) / kChannelsPerRank;
}

NodeFacts facts(const CausalConv1dSpec& spec, NodeInputs inputs) {
  const std::ptrdiff_t channels = inputs[0].channels();
  NodeFacts result{inputs[0], {}, static_cast<double>(inputs[0].size()) * spec.kernel};
  result.parameters.push_back({"weight", Shape{channels, spec.kernel}, start_for(spec.kernel)});
  if (spec.bias) {
    result.parameters.push_back({"bias", Shape{channels}, start_for(spec.kernel), true, TensorKind::offset});
  }
  return result;
}

NodeFacts facts(const SelectiveScanSpec& spec, NodeInputs inputs) {
  const std::ptrdiff_t channels = inputs[0].channels(), rank = scan_rank(spec, channels), states = spec.states;
  const double tokens = static_cast<double>(inputs[0].size()) / static_cast<double>(channels);
  NodeFacts result{inputs[0], {}, 0.0};
  // W_p, W_dt; of a state its decay, its input and its read-out; the skip.
  result.macs_per_tick =
      tokens * static_cast<double>(channels) * static_cast<double>((rank + 2 * states) + rank + 3 * states + 1);
  // A_log is an offset to those who train: weight decay would pull every rate to 1.
  result.parameters = {
      {"x_proj.weight", Shape{rank + 2 * states, channels}, start_for(channels)},
      {"dt_proj.weight", Shape{channels, rank}, start_for(rank)},
      {"dt_proj.bias", Shape{channels}, Start::of_steps(kShortestStep, kLongestStep), true, TensorKind::offset},
      {"A_log", Shape{channels, states}, Start::log_count(), true, TensorKind::offset},
      {"D", Shape{channels}, Start::constant(1.0), true, TensorKind::offset}};
  return result;
}

}  // namespace synfire::network
