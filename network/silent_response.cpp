#include "network/silent_response.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace synfire::network {

namespace {

using Values = std::array<float, neurons::kMaxRows>;

StateVector after_a_tick(const neurons::RowModel<float>& model, const Values& parameters, Values state, float x) {
  Values kept{};
  float spike = 0.0F;
  model.forward(model.constants, {parameters.data(), 1}, &x, {state.data(), 1}, {kept.data(), 1}, &spike);
  StateVector result{};
  for (std::size_t k = 0; k < static_cast<std::size_t>(model.num_states); ++k) {
    result[k] = static_cast<double>(state[k]);
  }
  return result;
}

StateMatrix product(const StateMatrix& a, const StateMatrix& b) {
  StateMatrix c{};
  for (std::size_t i = 0; i < kMaxStates; ++i) {
    for (std::size_t j = 0; j < kMaxStates; ++j) {
      for (std::size_t k = 0; k < kMaxStates; ++k) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}

}  // namespace

SilentTick silent_tick(const neurons::RowModel<float>& of, std::ptrdiff_t channels, std::ptrdiff_t channel) {
  neurons::RowModel<float> model = of;
  model.constants.v_reset = 0.0F;
  model.constants.v_fire = std::numeric_limits<float>::infinity();
  Values parameters{};
  for (int k = 0; k < model.num_parameters; ++k) {
    parameters[static_cast<std::size_t>(k)] = model.parameters[0][k * channels + channel];
  }
  SilentTick result;
  for (std::size_t k = 0; k < static_cast<std::size_t>(model.num_states); ++k) {
    Values state{};
    state[k] = 1.0F;
    const StateVector column = after_a_tick(model, parameters, state, 0.0F);
    for (std::size_t j = 0; j < kMaxStates; ++j) result.map[j][k] = column[j];
  }
  result.gain = after_a_tick(model, parameters, {}, 1.0F);
  return result;
}

StateVector SilentTick::level() const {
  std::array<std::array<double, kMaxStates + 1>, kMaxStates> rows{};
  for (std::size_t i = 0; i < kMaxStates; ++i) {
    for (std::size_t j = 0; j < kMaxStates; ++j) rows[i][j] = (i == j ? 1.0 : 0.0) - map[i][j];
    rows[i][kMaxStates] = gain[i];
  }
  for (std::size_t i = 0; i < kMaxStates; ++i) {
    std::size_t pivot = i;
    for (std::size_t k = i + 1; k < kMaxStates; ++k) {
      if (std::abs(rows[k][i]) > std::abs(rows[pivot][i])) pivot = k;
    }
    std::swap(rows[i], rows[pivot]);
    if (std::abs(rows[i][i]) < 1e-12) return {HUGE_VAL, HUGE_VAL, HUGE_VAL};
    for (std::size_t k = 0; k < kMaxStates; ++k) {
      const double factor = k == i ? 0.0 : rows[k][i] / rows[i][i];
      for (std::size_t j = 0; j <= kMaxStates; ++j) rows[k][j] -= factor * rows[i][j];
    }
  }
  StateVector z{};
  for (std::size_t i = 0; i < kMaxStates; ++i) z[i] = rows[i][kMaxStates] / rows[i][i];
  return z;
}

SilentWalk::SilentWalk(const StateMatrix& map) : map_(map) {
  for (std::size_t k = 0; k < kMaxStates; ++k) power_[k][k] = seen_.largest[k][k] = 1.0;
  seen_.low.fill(HUGE_VAL);
  seen_.high.fill(-HUGE_VAL);
}

const SilentResponses& SilentWalk::until(std::int32_t ticks) {
  for (; ticks_ < ticks && !seen_.forgotten; ++ticks_) {
    for (std::size_t k = 0; k < kMaxStates; ++k) seen_.sum[k] += std::abs(power_[0][k]);
    power_ = product(map_, power_);
    double size = 0.0;
    for (std::size_t j = 0; j < kMaxStates; ++j) {
      for (std::size_t k = 0; k < kMaxStates; ++k) {
        seen_.largest[j][k] = std::max(seen_.largest[j][k], std::abs(power_[j][k]));
        size = std::max(size, std::abs(power_[j][k]));
      }
    }
    for (std::size_t k = 0; k < kMaxStates; ++k) {
      seen_.low[k] = std::min(seen_.low[k], power_[0][k]);
      seen_.high[k] = std::max(seen_.high[k], power_[0][k]);
    }
    seen_.forgotten = size < kForgotten;
  }
  return seen_;
}

}  // namespace synfire::network
