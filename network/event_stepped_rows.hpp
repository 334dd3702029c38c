#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/event_program.hpp"
#include "network/event_runtime.hpp"
#include "network/neuron_state.hpp"
#include "network/silent_reach.hpp"

/// Neurons of the event engine that are run row by row: cuba_lif, adlif. Private to the room.
namespace synfire::network {

/// A model of network/event_neurons.hpp that calls the tick of the clocked engine (neurons/row_model.hpp). The ticks
/// that a block was not computed in are made up for when it is, one by one. `last` is kept by block; the values are
/// rows of a block behind each other, block by block, and rows to compute a tick in.
class SteppedRows {
 public:
  /// \param population  has rows
  explicit SteppedRows(const Population& population);

  void prepare(std::int32_t) {}
  void start(NeuronState& state) const;

  template <class Fired>
  void tick(std::int32_t tick, std::int32_t block, NeuronState& state, std::int32_t* sums, EventCounts& counts,
            const Fired& fired) const {
    const float* const spikes = advance(tick, block, state, sums, counts);
    for (std::ptrdiff_t n = 0; n < block_; ++n) {
      if (spikes[n] != 0.0F) fired(block * block_ + n);
    }
  }

  std::int32_t could_fire_in(std::int32_t tick, std::int32_t block, std::int32_t horizon, NeuronState& state,
                             EventCounts& counts) const;
  float charged(std::int32_t tick, std::size_t n, const NeuronState& state, std::int32_t sum) const;
  /// Such neurons are never a readout.
  void read(std::int32_t, NeuronState&, std::int32_t*, float*, EventCounts&) const {}

 private:
  neurons::Rows<float> rows(NeuronState& state, std::ptrdiff_t block) const;
  neurons::Rows<const float> parameters() const { return {neurons_.parameters.data(), block_}; }
  /// x of neuron n from the sum of its weights: one rounding, of a sum that is exact.
  float current(std::int32_t sum, std::size_t n) const;
  /// Everything of a tick but telling who fired: a row of 0 and 1.
  const float* advance(std::int32_t tick, std::int32_t block, NeuronState& state, std::int32_t* sums,
                       EventCounts& counts) const;

  RowNeurons neurons_;
  std::ptrdiff_t block_;
  float unit_;
  std::vector<std::int32_t> whole_drive_;  ///< [size]
  std::vector<float> drive_;               ///< [size] current of a tick in which nothing arrives
  SilentReach reach_;
};

}  // namespace synfire::network
