#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/spike_queue.hpp"
#include "network/block_set.hpp"
#include "network/event_neurons.hpp"
#include "network/event_runtime.hpp"

/// One sample on its way through a program: the state of all populations, and the queue. Private to the room.
namespace synfire::network {

class EventSample {
 public:
  EventSample(const EventProgram& program, const std::vector<EventNeurons>& neurons);

  /// \param input       [T, B, ...] at the first element of sample b; ticks are `tick_stride` elements apart
  /// \param output      [T', B, K] likewise
  /// \param spikes      receives the spikes; null: not kept
  void run(EventMode mode, std::int32_t num_ticks, const float* input, std::ptrdiff_t tick_stride, float* output,
           std::ptrdiff_t output_stride, std::vector<EventSpike>* spikes);

  std::vector<EventCounts>& counts() { return counts_; }

  /// Called from time to time with the ticks that were run since; must stay alive. Null: not called.
  void watch_ticks(const std::function<void(std::int32_t ticks)>* watcher) { watcher_ = watcher; }

  /// How many threads share the targets of a large layer: one, where there are as many samples.
  void share_targets(int threads) { shares_ = threads; }

  /// Of one lif neuron in clocked mode, v before its reset in each tick of the next runs; null: of none.
  void trace(std::vector<float>* into, std::size_t population, std::ptrdiff_t neuron) {
    trace_ = into;
    traced_population_ = population;
    traced_neuron_ = neuron;
  }

 private:
  struct Event {
    std::int32_t neuron;
    std::int32_t value;
  };
  /// Synapses of one spike that have one delay.
  struct Arrival {
    std::int32_t projection;
    std::int32_t segment;
    std::int32_t value;
  };
  /// Of a population: 1.5 GiB of arrivals.
  static constexpr std::size_t kMaxWaiting = std::size_t{1} << 27;
  /// A block of neurons that could fire by itself.
  struct Look {
    std::int32_t block;
  };
  struct State {
    NeuronState neurons;
    std::vector<std::int32_t> sums;
    std::vector<std::int32_t> look_at;     ///< by block: the tick of its look that counts
    BlockSet touched;                      ///< in this tick
    std::vector<Event> events;             ///< spikes of this tick
    std::vector<Event> last_events;        ///< of the tick before
    std::uint64_t waiting = 0;             ///< entries of both queues
    std::vector<std::vector<Look>> looks;  ///< by tick
    TickQueue<Arrival> arrivals{0, 1, kMaxWaiting};
  };

  void reset(std::int32_t num_ticks);
  void read_input(const float* frame);
  void deliver(std::int32_t tick, std::size_t p);
  void deliver(const DenseWeights<std::int32_t>& w, const Projection& projection, std::int32_t tick, std::size_t p,
               std::int32_t index);
  void deliver(const ConvWeights<std::int32_t>& w, const Projection& projection, std::int32_t tick, std::size_t p,
               std::int32_t index);
  void deliver(const DelayedWeights<std::int32_t>& w, const Projection& projection, std::int32_t tick, std::size_t p,
               std::int32_t index);
  void deliver(const DirectWeights<std::int32_t>& w, const Projection& projection, std::int32_t tick, std::size_t p,
               std::int32_t index);
  void count_synapses(std::size_t p, const Projection& projection, std::int32_t value, std::ptrdiff_t number) {
    counts_[p].synaptic_events += static_cast<std::uint64_t>(number);
    if (value != 1) counts_[p].graded_events += static_cast<std::uint64_t>(number);
    if (projection.from_last_tick) counts_[p].feedback_events += static_cast<std::uint64_t>(number);
  }
  /// Counts an entry that has been put into a queue.
  void push(std::size_t p) {
    ++counts_[p].queue_push;
    counts_[p].queue_peak = std::max<std::uint64_t>(counts_[p].queue_peak, ++states_[p].waiting);
  }
  /// What a projection reads in this tick.
  const std::vector<Event>& events_for(const Projection& projection) const {
    const State& source = states_[static_cast<std::size_t>(projection.source)];
    return projection.from_last_tick ? source.last_events : source.events;
  }
  void fire_neurons(std::int32_t tick, std::size_t p);
  template <class Model>
  void update(const Model& model, std::int32_t tick, std::size_t p, std::int32_t block);
  template <class Model>
  void look_ahead(const Model& model, std::int32_t tick, std::size_t p, std::int32_t block);
  void fire_any(std::size_t p);
  void read_out(std::int32_t tick, std::size_t p, float* out);

  const EventProgram& program_;
  const std::vector<EventNeurons>& neurons_;
  EventMode mode_ = EventMode::events;
  std::int32_t num_ticks_ = 0;
  std::vector<State> states_;  ///< by population
  std::vector<EventCounts> counts_;
  std::ptrdiff_t shares_ = 1;
  std::vector<const std::int32_t*> rows_;  ///< of weights that are added together
  const std::function<void(std::int32_t ticks)>* watcher_ = nullptr;
  std::vector<float>* trace_ = nullptr;
  std::size_t traced_population_ = 0;
  std::ptrdiff_t traced_neuron_ = 0;
};

}  // namespace synfire::network
