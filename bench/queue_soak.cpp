// bench_queue_soak [EVENTS]: sends so many events (10^9) through each queue, with delays of all orders of magnitude in
// random order, and checks that none is lost or changed, that times never go back, and that memory stays flat. Prints
// one JSON object; the exit code is 1 if something was wrong.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <unistd.h>

#include "core/random.hpp"
#include "core/spike_queue.hpp"

using namespace synfire;

namespace {

constexpr std::uint32_t kWaiting = 100'000;

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double all = 0.0, resident = 0.0;
  file >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

/// Random words, four for each block that is drawn.
class Words {
 public:
  std::uint32_t next() {
    if (used_ == 4) {
      block_ = random_.words(draw_++);
      used_ = 0;
    }
    return block_[used_++];
  }
  /// 1 to 2^bits, every order of magnitude equally often.
  std::uint32_t delay(unsigned bits) {
    const std::uint32_t word = next();
    const unsigned kept = word % (bits + 1);
    return kept == 0 ? 1 : 1 + (word >> (32 - kept));
  }

 private:
  RandomStream random_{1, 0, 0};
  Philox::Block block_{};
  std::uint64_t draw_ = 0;
  std::size_t used_ = 4;
};

/// Depends on every (time, id), and not on their order.
struct Checksum {
  std::uint64_t sum = 0;
  std::uint64_t count = 0;
  void add(std::int64_t time, std::uint32_t id) {
    sum += (static_cast<std::uint64_t>(time) * 0x9E3779B97F4A7C15U + id) * 0xBF58476D1CE4E5B9U ^ id;
    ++count;
  }
  bool operator==(const Checksum&) const = default;
};

struct Outcome {
  Checksum in, out;
  std::uint64_t backwards = 0;
  double warm_mib = 0.0, end_mib = 0.0, seconds = 0.0;
  bool good() const { return in == out && backwards == 0 && end_mib <= warm_mib + 1.0; }
};

/// `run(outcome, events)` sends `events` more; the queue is emptied by `finish`.
template <class Run, class Finish>
Outcome soak(std::uint64_t events, const Run& run, const Finish& finish) {
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  run(outcome, events / 10);
  outcome.warm_mib = resident_mib();
  run(outcome, events - events / 10);
  outcome.end_mib = resident_mib();
  finish(outcome);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

Outcome soak_time_queue(std::uint64_t events) {
  TimeQueue<std::uint32_t> queue(kWaiting);
  Words words;
  std::int64_t last_time = 0;
  const auto push = [&](Outcome& outcome, std::uint32_t id) {
    const std::int64_t time = queue.now() + words.delay(31);
    queue.push(time, id);
    outcome.in.add(time, id);
  };
  const auto pop = [&](Outcome& outcome) {
    const auto [time, id] = queue.pop();
    outcome.backwards += time < last_time;
    last_time = time;
    outcome.out.add(time, id);
  };
  return soak(
      events,
      [&](Outcome& outcome, std::uint64_t more) {
        for (std::uint64_t i = 0; i < more; ++i) {
          if (queue.size() == kWaiting) pop(outcome);
          push(outcome, static_cast<std::uint32_t>(i));
        }
      },
      [&](Outcome& outcome) {
        while (!queue.empty()) pop(outcome);
      });
}

Outcome soak_tick_queue(std::uint64_t events) {
  struct Entry {
    std::uint32_t id;
    std::uint32_t tick;
  };
  constexpr unsigned kDelayBits = 10;
  TickQueue<Entry> queue(1 << kDelayBits, 1, kWaiting);
  Words words;
  const auto visit = [&](Outcome& outcome) {
    queue.visit_arrivals(0, [&](std::span<const Entry> entries) {
      for (const Entry& entry : entries) {
        outcome.backwards += entry.tick != static_cast<std::uint32_t>(queue.tick());
        outcome.out.add(queue.tick(), entry.id);
      }
    });
  };
  return soak(
      events,
      [&](Outcome& outcome, std::uint64_t more) {
        for (std::uint64_t i = 0; i < more; ++i) {
          while (queue.size() == kWaiting) {
            queue.advance_to(queue.next_tick());
            visit(outcome);
          }
          const std::int64_t delay = words.delay(kDelayBits);
          const auto id = static_cast<std::uint32_t>(i);
          queue.push(delay, 0, {id, static_cast<std::uint32_t>(queue.tick() + delay)});
          outcome.in.add(queue.tick() + delay, id);
        }
      },
      [&](Outcome& outcome) {
        while (!queue.empty()) {
          queue.advance_to(queue.next_tick());
          visit(outcome);
        }
      });
}

void print(const char* name, const Outcome& outcome, const char* end) {
  std::printf(
      "\"%s\": {\"in\": %llu, \"out\": %llu, \"same\": %s, \"backwards\": %llu, \"warm_mib\": %.2f, \"end_mib\": %.2f, "
      "\"seconds\": %.1f}%s",
      name, static_cast<unsigned long long>(outcome.in.count), static_cast<unsigned long long>(outcome.out.count),
      outcome.in == outcome.out ? "true" : "false", static_cast<unsigned long long>(outcome.backwards),
      outcome.warm_mib, outcome.end_mib, outcome.seconds, end);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t events = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000'000;
  const Outcome by_time = soak_time_queue(events);
  const Outcome by_tick = soak_tick_queue(events);
  std::printf("{");
  print("time_queue", by_time, ", ");
  print("tick_queue", by_tick, "}\n");
  return by_time.good() && by_tick.good() ? 0 : 1;
}
