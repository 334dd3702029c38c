#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "neurons/row_model.hpp"

/// What becomes of the variables of a neuron that is run row by row while nothing arrives. Private to the room.
namespace synfire::network {

inline constexpr int kMaxStates = 3;
using StateVector = std::array<double, kMaxStates>;
using StateMatrix = std::array<StateVector, kMaxStates>;

/// One tick of a model as a linear map, without a threshold and counted from the resting level: z -> M z + g x.
struct SilentTick {
  StateMatrix map{};   ///< M
  StateVector gain{};  ///< g

  /// z* for x = 1: z = M z + g. Infinite where there is no such level.
  StateVector level() const;
};

/// Found by running the model itself.
/// \param model  its parameters are rows of `channels` numbers behind each other
SilentTick silent_tick(const neurons::RowModel<float>& model, std::ptrdiff_t channels, std::ptrdiff_t channel);

/// What states do to the membrane within N ticks.
struct SilentResponses {
  StateVector low{}, high{};  ///< extremes of (M^n)_0k over n = 1 .. N
  StateVector sum{};          ///< of |(M^n)_0k| over n = 0 .. N - 1
  StateMatrix largest{};      ///< of all |(M^n)_jk|
  bool forgotten = false;     ///< nothing is left of a state: what comes later is smaller than kForgotten
};
inline constexpr double kForgotten = 1e-7;

/// Walks through the powers of M.
class SilentWalk {
 public:
  explicit SilentWalk(const StateMatrix& map);
  /// For N = `ticks`, not fewer than before, or once all is forgotten.
  const SilentResponses& until(std::int32_t ticks);

 private:
  StateMatrix map_, power_{};
  SilentResponses seen_;
  std::int32_t ticks_ = 0;
};

}  // namespace synfire::network
