#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/silent_response.hpp"
#include "neurons/row_model.hpp"

/// When a neuron that is run row by row could fire without input: a bound that is never late. Private to the room.
namespace synfire::network {

/// Between spikes the variables z of such a neuron follow a linear map, z[n] = M z[n-1] + g x, about a level z* = M z*
/// + g x. The membrane is then u[n] = u* + sum_k (M^n)_uk (z_k - z*_k), and within N ticks it stays below
///
///     u* + sum_k max(low_k y_k, high_k y_k),   y = z - z*,   low, high: the extremes of (M^n)_uk over n = 1 .. N
///
/// raised by all that rounding can add up to (docs/numerics.md).
class SilentReach {
 public:
  /// \param model     its parameters are rows of `channels` numbers behind each other
  /// \param currents  [neurons] x of a tick in which nothing arrives; the channel of neuron n is n % channels
  SilentReach(const neurons::RowModel<float>& model, std::ptrdiff_t channels, const std::vector<float>& currents);

  /// In how many ticks one of the neurons [first, first + state.width) could fire, at the earliest; 0 if none ever can.
  /// \param first     a whole number of `channels`
  /// \param state     rows of the model
  /// \param examined  is raised by the bounds that were computed
  std::int32_t could_fire_in(std::ptrdiff_t first, neurons::Rows<const float> state, std::uint64_t& examined) const;

 private:
  static constexpr int kWindows = 4;

  struct Window {
    std::int32_t ticks = 0;         ///< 0: all to come
    std::vector<double> low, high;  ///< [states, channels]
    std::vector<double> limit;      ///< [neurons] what the sum above must stay below
  };

  /// Fills a window for the neurons of one channel.
  /// \param unit_level  for x = 1
  void bound(const neurons::RowModel<float>& model, const SilentTick& tick, const StateVector& unit_level,
             const SilentResponses& seen, std::ptrdiff_t channel, const std::vector<float>& currents, Window& window);
  bool stays_below(const Window& window, std::ptrdiff_t first, neurons::Rows<const float> state,
                   std::uint64_t& examined) const;

  int num_states_;
  std::ptrdiff_t channels_;
  std::vector<double> level_;  ///< [states, neurons] z*
  std::array<Window, kWindows> windows_;
};

}  // namespace synfire::network
