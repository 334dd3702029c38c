#include "network/silent_reach.hpp"

#include <algorithm>
#include <cmath>

namespace synfire::network {

namespace {

/// Rounding errors of one tick, against the sizes of what it adds up: up to eleven in a row, as many in the model that
/// was probed, each of 2^-24.
constexpr double kRounding = 32.0 * 0x1p-24;

/// How far rounding can move the membrane within the ticks of `seen`, if variables of these sizes, the input and the
/// resting level go into every tick.
double moved_by_rounding(const SilentTick& tick, const SilentResponses& seen, const StateVector& sizes, double x,
                         double v_rest) {
  double total = 0.0;
  for (std::size_t state = 0; state < kMaxStates; ++state) {
    const double gain = std::abs(tick.gain[state]);
    double within_tick = 2.0 * gain * std::abs(x) + (state == 0 ? 4.0 * std::abs(v_rest) : 0.0);
    // What comes by the input's way through the tick can be larger than the entry of M that is left of it.
    for (std::size_t j = 0; j < kMaxStates; ++j) within_tick += (std::abs(tick.map[state][j]) + 2.0 * gain) * sizes[j];
    total += seen.sum[state] * within_tick;
  }
  return kRounding * total;
}

}  // namespace

SilentReach::SilentReach(const neurons::RowModel<float>& model, std::ptrdiff_t channels,
                         const std::vector<float>& currents)
    : num_states_(model.num_states),
      channels_(channels),
      level_(currents.size() * static_cast<std::size_t>(num_states_)) {
  constexpr std::array<std::int32_t, kWindows> kTicks{8192, 32, 8, 2};
  for (std::size_t w = 0; w < kWindows; ++w) {
    windows_[w].ticks = kTicks[w];
    windows_[w].low.resize(static_cast<std::size_t>(num_states_ * channels));
    windows_[w].high.resize(windows_[w].low.size());
    windows_[w].limit.resize(currents.size());
  }
  bool all_forget = true;
  SilentTick tick;
  std::array<SilentResponses, kWindows> seen;
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    // Without parameters of their own, all channels are alike.
    if (c == 0 || model.num_parameters > 0) {
      tick = silent_tick(model, channels, c);
      SilentWalk walk(tick.map);
      for (std::size_t w = kWindows; w-- > 0;) seen[w] = walk.until(windows_[w].ticks);
      all_forget = all_forget && seen[0].forgotten;
    }
    const StateVector level = tick.level();
    for (std::size_t w = 0; w < kWindows; ++w) bound(model, tick, level, seen[w], c, currents, windows_[w]);
  }
  if (all_forget) windows_[0].ticks = 0;
}

void SilentReach::bound(const neurons::RowModel<float>& model, const SilentTick& tick, const StateVector& unit_level,
                        const SilentResponses& seen, std::ptrdiff_t channel, const std::vector<float>& currents,
                        Window& window) {
  const auto size = std::ssize(currents);
  for (int k = 0; k < num_states_; ++k) {
    const auto state = static_cast<std::size_t>(k), at = static_cast<std::size_t>(k * channels_ + channel);
    StateVector sizes{};  // of all states, for one unit of this
    for (std::size_t j = 0; j < kMaxStates; ++j) sizes[j] = seen.largest[j][state];
    const double more = moved_by_rounding(tick, seen, sizes, 0.0, 0.0) + 10.0 * kForgotten * seen.largest[0][state];
    window.low[at] = seen.low[state] - more;
    window.high[at] = seen.high[state] + more;
  }
  const auto v_rest = static_cast<double>(model.constants.v_reset);
  for (std::ptrdiff_t n = channel; n < size; n += channels_) {
    const auto x = static_cast<double>(currents[static_cast<std::size_t>(n)]);
    StateVector level{}, sizes{};
    for (int k = 0; k < num_states_; ++k) {
      const auto state = static_cast<std::size_t>(k);
      if (x != 0.0) level[state] = unit_level[state] * x;
      sizes[state] = std::abs(level[state]);
      level_[static_cast<std::size_t>(k * size + n)] = level[state] + (k == 0 ? v_rest : 0.0);
    }
    window.limit[static_cast<std::size_t>(n)] = static_cast<double>(model.constants.v_fire) - v_rest - level[0] -
                                                moved_by_rounding(tick, seen, sizes, x, v_rest);
  }
}

std::int32_t SilentReach::could_fire_in(std::ptrdiff_t first, neurons::Rows<const float> state,
                                        std::uint64_t& examined) const {
  for (const Window& window : windows_) {
    if (stays_below(window, first, state, examined)) return window.ticks == 0 ? 0 : window.ticks + 1;
  }
  return 1;
}

bool SilentReach::stays_below(const Window& window, std::ptrdiff_t first, neurons::Rows<const float> state,
                              std::uint64_t& examined) const {
  const auto size = static_cast<std::ptrdiff_t>(window.limit.size());
  constexpr std::ptrdiff_t kStrip = 64;
  std::array<double, kStrip> bound;
  for (std::ptrdiff_t from = 0; from < state.width; from += kStrip) {
    const std::ptrdiff_t count = std::min(kStrip, state.width - from);
    bound.fill(0.0);
    for (int k = 0; k < num_states_; ++k) {
      const float* const z = state[k] + from;
      const double* const level = level_.data() + k * size + first + from;
      const double* const low = window.low.data() + k * channels_ + from;
      const double* const high = window.high.data() + k * channels_ + from;
      for (std::ptrdiff_t n = 0; n < count; ++n) {
        const double y = static_cast<double>(z[n]) - level[n];
        bound[static_cast<std::size_t>(n)] += std::max(low[n] * y, high[n] * y);
      }
    }
    const double* const limit = window.limit.data() + first + from;
    bool below = true;
    // What is not a number is not below.
    for (std::ptrdiff_t n = 0; n < count; ++n) below = below && bound[static_cast<std::size_t>(n)] < limit[n];
    examined += static_cast<std::uint64_t>(count);
    if (!below) return false;
  }
  return true;
}

}  // namespace synfire::network
