// Hold test: the earliest event is taken out and pushed back with an exponential delay, so that the number of those
// that wait stays. A mean of 1000 pending times gives about one event a microsecond.
#include "core/spike_queue.hpp"

#include <cmath>
#include <cstdint>
#include <queue>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/random.hpp"

namespace {

using namespace synfire;

struct Timed {
  std::int64_t time;
  std::uint32_t entry;
};

/// What a simulator would take from the standard library.
class StandardQueue {
 public:
  explicit StandardQueue(std::size_t) {}
  void push(std::int64_t time, std::uint32_t entry) { queue_.push({time, entry}); }
  Timed pop() {
    const Timed first = queue_.top();
    queue_.pop();
    return first;
  }

 private:
  struct Later {
    bool operator()(const Timed& a, const Timed& b) const {
      return a.time != b.time ? a.time > b.time : a.entry > b.entry;
    }
  };
  std::priority_queue<Timed, std::vector<Timed>, Later> queue_;
};

std::vector<std::int64_t> exponential_delays(double mean) {
  std::vector<std::int64_t> delays(1 << 16);
  const RandomStream random(1, 0, 0);
  for (std::size_t i = 0; i < delays.size(); ++i) {
    delays[i] = 1 + static_cast<std::int64_t>(-mean * std::log(1.0 - random.uniform(i)));
  }
  return delays;
}

template <class Queue>
void hold(benchmark::State& state) {
  const auto pending = static_cast<std::size_t>(state.range(0));
  const std::vector<std::int64_t> delays = exponential_delays(static_cast<double>(pending));
  Queue queue(pending);
  std::size_t draw = 0;
  const auto next_delay = [&] { return delays[draw++ % delays.size()]; };
  for (std::size_t i = 0; i < pending; ++i) queue.push(next_delay(), static_cast<std::uint32_t>(i));
  for (std::size_t i = 0; i < 3 * pending; ++i) {  // until ages are mixed
    const auto [time, entry] = queue.pop();
    queue.push(time + next_delay(), entry);
  }

  for (auto _ : state) {
    const auto [time, entry] = queue.pop();
    queue.push(time + next_delay(), entry);
  }
  state.SetItemsProcessed(state.iterations());
}

/// The same with whole ticks: each event goes up to 255 ticks ahead.
void hold_ticks(benchmark::State& state) {
  const auto pending = static_cast<std::size_t>(state.range(0));
  TickQueue<std::uint32_t> queue(255, 1, pending);
  const RandomStream random(1, 0, 0);
  std::vector<std::uint8_t> delays(1 << 16);
  for (std::size_t i = 0; i < delays.size(); ++i) delays[i] = static_cast<std::uint8_t>(1 + random.below(i, 255));
  std::size_t draw = 0;
  for (std::size_t i = 0; i < pending; ++i) queue.push(delays[draw++ % delays.size()], 0, 1);

  for (auto _ : state) {
    queue.advance_to(queue.tick() + 1);
    queue.visit_arrivals(0, [&](std::span<const std::uint32_t> entries) {
      for (const std::uint32_t entry : entries) queue.push(delays[draw++ % delays.size()], 0, entry);
    });
  }
  state.counters["ns_per_event"] = benchmark::Counter(static_cast<double>(draw - pending) * 1e-9,
                                                      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(hold<StandardQueue>)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(hold<TimeQueue<std::uint32_t>>)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(hold_ticks)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
