#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor.hpp"
#include "network/event_program.hpp"

namespace synfire::network {

/// Which neurons are computed. Both ways give the same spikes, neuron by neuron and tick by tick: a neuron that is not
/// touched goes through the ticks that it missed by the same operations as soon as it is, and when its drive could make
/// it fire in between, it is looked at in time.
enum class EventMode : std::uint8_t {
  events,  ///< those that an event reaches, or that could fire by themselves
  clocked  ///< every neuron in every tick: the twin that proves it
};

/// How a neuron gets over the ticks in which nothing arrives at it. Both are defined to the bit, and differ from each
/// other in the last bits of a membrane: docs/numerics.md, section 3.4.
enum class EventArithmetic : std::uint8_t {
  stepped,  ///< tick by tick, by the operations of the runtime that trains
  lazy      ///< in closed form, for lif neurons and leaky integrators; others are stepped
};

/// What a run took, of one population. Sums over samples; the same for any number of threads.
struct EventCounts {
  std::uint64_t events_out = 0;       ///< spikes, or counted events of the input
  std::uint64_t synaptic_events = 0;  ///< weights that were added
  std::uint64_t graded_events = 0;    ///< of them, those that a count above 1 was multiplied with first
  std::uint64_t feedback_events = 0;  ///< of them, those that the population sent to itself
  std::uint64_t neuron_updates = 0;   ///< ticks of neurons in which they were tested for firing
  std::uint64_t replayed_ticks = 0;   ///< ticks of neurons that were made up for without a test
  std::uint64_t queue_push = 0;       ///< of spikes with a delay and of looks at neurons that could fire
  std::uint64_t queue_peak = 0;       ///< entries that waited at the same time, the most of any sample
  std::uint64_t looks_computed = 0;   ///< crossings or bounds that were computed to predict when a neuron could fire
  std::uint64_t looks_evaluated = 0;  ///< membranes that were computed to find such crossings; lazy neurons only
  std::uint64_t states_written = 0;   ///< of the updates, those that were kept; lazy neurons only
  std::uint64_t queue_stale = 0;      ///< such looks that came to nothing, since the neurons had been touched before

  EventCounts& operator+=(const EventCounts& other);
  bool operator==(const EventCounts&) const = default;
};

struct EventSpike {
  std::int32_t tick = 0;
  std::int32_t population = 0;
  std::int32_t neuron = 0;

  auto operator<=>(const EventSpike&) const = default;
};

/// Runs a program on samples that come as frames of counts, as the clocked runtime does, event by event: the cost
/// follows the spikes. Samples are run at the same time on several threads; where there are fewer samples than threads,
/// these share the targets of large linear layers.
class EventRuntime {
 public:
  explicit EventRuntime(EventProgram program);
  ~EventRuntime();
  EventRuntime(EventRuntime&&) noexcept;

  void use_mode(EventMode mode);
  /// Stepped by default.
  void use_arithmetic(EventArithmetic arithmetic);
  EventArithmetic arithmetic() const;
  /// Keep the spikes of the next passes; off by default.
  void record_spikes(bool record);
  /// Called from time to time within a pass with the ticks of a sample that were run since, from the thread that ran
  /// them; null: nothing is. For the display of long passes.
  void watch_ticks(std::function<void(std::int32_t ticks)> watcher);

  /// \param input  [T, B, ...] whole counts up to the program's max_count
  /// \return       [T', B, K] as ClockedRuntime::forward in evaluation, valid until the next pass
  /// \throws ShapeError if the input does not fit or holds something else than such counts
  View<const float> forward(View<const float> input);

  /// Mean firing rate of each node in the last pass, by node index; NaN for nodes that are no neurons.
  std::vector<double> firing_rates() const;

  /// The membrane potential of one neuron before its reset, in every tick of one sample [T', ...]: what the test for
  /// firing saw. `input` is the sample alone, [T, 1, ...].
  std::vector<float> trace(View<const float> input, int population, std::ptrdiff_t neuron);

  /// Of all passes since the construction or `clear_counts`, by population.
  std::vector<EventCounts> counts() const;
  void clear_counts();
  /// Of the last pass, by sample: in the order of ticks, populations and neurons.
  const std::vector<std::vector<EventSpike>>& spikes() const;
  const EventProgram& program() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synfire::network
