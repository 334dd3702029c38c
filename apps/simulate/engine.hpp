#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.hpp"
#include "network/event_runtime.hpp"
#include "network/network.hpp"

namespace synfire::apps {

/// Part of a network that spikes go into or come out of.
struct SimulatedLayer {
  std::string name;
  std::string kind;  ///< "input", "lif", "max_pool", ...; of the last one, "readout"
  Shape shape;       ///< of one tick
  int extra_ticks = 0;
  bool fires = true;
  bool has_trace = false;  ///< membranes of its neurons can be asked for
  double v_th = 0.0;       ///< of these
};

/// Whatever runs a network for `synfire simulate`: event by event, or in time steps.
class SimulationEngine {
 public:
  virtual ~SimulationEngine() = default;

  /// The input first, the readout last.
  virtual const std::vector<SimulatedLayer>& layers() const = 0;
  /// \param input  [T, B, ...]
  /// \return       [T', B, K], valid until the next run
  virtual View<const float> run(View<const float> input) = 0;
  /// Called from time to time within a run with the ticks of a sample that were run since; by some engines.
  virtual void watch_ticks(std::function<void(std::int32_t ticks)> watcher) = 0;
  /// Of the last run, by sample, in the order of ticks; `population` is the number of the layer. Those of the input are
  /// not among them.
  virtual const std::vector<std::vector<network::EventSpike>>& spikes() const = 0;
  /// What all runs took, by layer; empty if it is not counted.
  virtual std::vector<network::EventCounts> counts() const = 0;
  /// Membrane of a neuron in every tick of one sample [T, 1, ...], before the reset.
  virtual std::vector<float> trace(View<const float> input, std::size_t layer, std::ptrdiff_t neuron) = 0;
};

/// \throws UsageError for a network that the event engine does not run
std::unique_ptr<SimulationEngine> make_event_engine(const network::Network<float>& network,
                                                    network::EventArithmetic arithmetic);
/// With delays on whole ticks. Runs every network; does not count and does not trace.
std::unique_ptr<SimulationEngine> make_clocked_engine(network::Network<float>& network);

}  // namespace synfire::apps
