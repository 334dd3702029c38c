#include "core/spike_queue.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <queue>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.hpp"

using namespace synfire;

namespace {

using Ids = std::vector<std::uint32_t>;

Ids arrivals(TickQueue<std::uint32_t>& queue, int level) {
  Ids ids;
  queue.visit_arrivals(
      level, [&](std::span<const std::uint32_t> entries) { ids.insert(ids.end(), entries.begin(), entries.end()); });
  return ids;
}

/// Delays of all orders of magnitude, many of them equal.
std::int64_t any_delay(const RandomStream& random, std::uint64_t i, int most_bits) {
  const auto bits = random.below(2 * i, static_cast<std::uint64_t>(most_bits) + 1);
  return static_cast<std::int64_t>(random.below(2 * i + 1, std::uint64_t{1} << bits));
}

struct Later {
  bool operator()(const std::pair<std::int64_t, std::uint32_t>& a,
                  const std::pair<std::int64_t, std::uint32_t>& b) const {
    return b < a;
  }
};

std::string text_of_error(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a tick queue gives what arrives, by level and in the order of push") {
  TickQueue<std::uint32_t> queue(3, 2, 100);
  queue.push(3, 0, 7);
  queue.push(0, 1, 8);
  queue.push(3, 1, 9);
  queue.push(3, 0, 5);

  CHECK(queue.next_tick() == 0);
  CHECK(arrivals(queue, 0).empty());
  CHECK(arrivals(queue, 1) == Ids{8});
  CHECK(queue.next_tick() == 3);
  queue.advance_to(3);
  CHECK(arrivals(queue, 0) == Ids{7, 5});
  CHECK(arrivals(queue, 1) == Ids{9});
  CHECK(queue.next_tick() == -1);
  CHECK(queue.empty());
}

TEST_CASE("a spike reaches higher levels of its own tick, and its own level after the longest delay") {
  TickQueue<std::uint32_t> queue(2, 3, 100);
  queue.push(0, 0, 1);

  queue.visit_arrivals(0, [&](std::span<const std::uint32_t> entries) {
    REQUIRE(entries.size() == 1);
    queue.push(0, 2, 10);
    queue.push(2, 0, 11);
  });
  CHECK(arrivals(queue, 1).empty());
  CHECK(arrivals(queue, 2) == Ids{10});
  queue.advance_to(2);
  CHECK(arrivals(queue, 0) == Ids{11});
}

TEST_CASE("a tick queue agrees with an ordered map on random delays") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    CAPTURE(seed);
    const RandomStream random(seed, 1, 0);
    const auto max_delay = static_cast<std::int64_t>(random.below(0, seed < 4 ? 5 : 300));
    const int num_levels = 1 + static_cast<int>(random.below(1, 4));
    TickQueue<std::uint32_t> queue(max_delay, num_levels, 1'000'000);
    std::map<std::pair<std::int64_t, int>, Ids> expected;
    std::uint64_t draw = 10;
    std::uint32_t next_id = 0;
    const auto push = [&](std::int64_t delay, int level) {
      queue.push(delay, level, next_id);
      expected[{queue.tick() + delay, level}].push_back(next_id++);
    };

    for (int step = 0; step < 400; ++step) {
      if (step == 200) {
        queue.clear(77);
        expected.clear();
      }
      for (int level = 0; level < num_levels; ++level) {
        // More than a chunk holds, in some.
        for (std::uint64_t n = random.below(draw++, 200); n > 0; --n) {
          const auto target = static_cast<int>(random.below(draw++, static_cast<std::uint64_t>(num_levels)));
          const auto delay = static_cast<std::int64_t>(random.below(draw++, static_cast<std::uint64_t>(max_delay) + 1));
          if (delay > 0 || target >= level) push(delay, target);
        }
        CHECK(arrivals(queue, level) == expected[{queue.tick(), level}]);
        expected.erase({queue.tick(), level});
      }
      std::size_t waiting = 0;
      for (const auto& [key, ids] : expected) waiting += ids.size();
      REQUIRE(queue.size() == waiting);
      std::int64_t next = queue.tick() + 1 + static_cast<std::int64_t>(random.below(draw++, 1000));
      if (waiting > 0) next = queue.next_tick();
      queue.advance_to(next);
    }
  }
}

TEST_CASE("a full tick queue says so, and has lost nothing") {
  TickQueue<std::uint32_t> queue(4, 1, 3);
  queue.push(4, 0, 1);
  queue.advance_to(2);
  queue.push(2, 0, 2);
  queue.push(1, 0, 3);

  try {
    queue.push(1, 0, 4);
    FAIL("no error");
  } catch (const QueueFullError& error) {
    CHECK(error.time == 2);
    CHECK(error.count == 3);
    CHECK(std::string(error.what()) == "[tick_queue] at time 2: 3 events wait, and no more are allowed");
  }
  queue.advance_to(3);
  CHECK(arrivals(queue, 0) == Ids{3});
  queue.push(1, 0, 4);
  queue.advance_to(4);
  CHECK(arrivals(queue, 0) == Ids{1, 2, 4});
}

TEST_CASE("a tick queue refuses what it would have to lose or reorder") {
  TickQueue<std::uint32_t> queue(4, 2, 10);
  queue.push(1, 0, 1);

  CHECK(text_of_error([&] { queue.push(5, 0, 1); }) == "[tick_queue] a delay must be 0 to 4 ticks, got 5");
  CHECK(text_of_error([&] { queue.push(-1, 0, 1); }) == "[tick_queue] a delay must be 0 to 4 ticks, got -1");
  CHECK(text_of_error([&] { queue.push(0, 2, 1); }) == "[tick_queue] a level must be 0 to 1, got 2");
  CHECK(text_of_error([&] { queue.advance_to(2); }) ==
        "[tick_queue] cannot go from tick 0 to 2: events wait for tick 1");
  CHECK(text_of_error([&] { queue.advance_to(0); }) == "[tick_queue] cannot go from tick 0 to 0, which is not later");
  arrivals(queue, 0);
  CHECK(text_of_error([&] { queue.push(0, 0, 1); }) == "[tick_queue] level 0 of tick 0 has been visited already");
  CHECK(text_of_error([&] { arrivals(queue, 0); }) == "[tick_queue] level 0 of tick 0 has been visited already");
  CHECK_NOTHROW(queue.push(0, 1, 1));
  CHECK_THROWS_AS(TickQueue<std::uint32_t>(-1, 1, 10), ShapeError);
  CHECK_THROWS_AS(TickQueue<std::uint32_t>(1, 0, 10), ShapeError);
  CHECK_THROWS_AS(TickQueue<std::uint32_t>(std::numeric_limits<std::int64_t>::max(), 1, 10), ShapeError);
}

TEST_CASE("a time queue gives the earliest first, and equal times by entry in any order of push") {
  TimeQueue<std::uint32_t> queue(100);
  for (const auto& [time, id] : {std::pair{30, 1U}, {20, 9U}, {20, 2U}, {5'000'000, 3U}, {20, 5U}, {0, 4U}}) {
    queue.push(time, id);
  }

  std::vector<std::pair<std::int64_t, std::uint32_t>> popped;
  while (!queue.empty()) {
    const std::int64_t next = queue.next_time();
    const auto [time, id] = queue.pop();
    CHECK(time == next);
    CHECK(time == queue.now());
    popped.emplace_back(time, id);
  }
  CHECK(popped == std::vector<std::pair<std::int64_t, std::uint32_t>>{
                      {0, 4}, {20, 2}, {20, 5}, {20, 9}, {30, 1}, {5'000'000, 3}});
  CHECK(queue.next_time() == TimeQueue<std::uint32_t>::kNever);
}

TEST_CASE("what is pushed for the present time joins those that still wait for it") {
  TimeQueue<std::uint32_t> queue(100);
  for (const std::uint32_t id : {2, 4, 6}) queue.push(10, id);
  CHECK(queue.pop().entry == 2);
  queue.push(10, 5);
  queue.push(10, 1);  // would have been the first
  queue.push(11, 0);

  for (const std::uint32_t id : {1, 4, 5, 6, 0}) CHECK(queue.pop().entry == id);
}

TEST_CASE("a time queue agrees with a priority queue on random delays") {
  for (const int most_bits : {0, 2, 8, 20, 40, 61}) {
    CAPTURE(most_bits);
    const RandomStream random(static_cast<std::uint64_t>(most_bits), 2, 0);
    TimeQueue<std::uint32_t> queue(100'000);
    std::priority_queue<std::pair<std::int64_t, std::uint32_t>, std::vector<std::pair<std::int64_t, std::uint32_t>>,
                        Later>
        expected;
    std::uint64_t draw = 0;
    std::int64_t now = most_bits == 20 ? -1'000'000 : 0;  // times may begin below zero
    queue.clear(now);

    for (int step = 0; step < 20'000; ++step) {
      if (step == 7'000) {
        queue.clear();
        expected = {};
        now = 0;
      }
      // Grows for a while, then shrinks, so that it also runs empty.
      const std::uint64_t pushes = random.below(draw++, step % 4000 < 2000 ? 4 : 2);
      for (std::uint64_t i = 0; i < pushes; ++i) {
        const auto id = static_cast<std::uint32_t>(random.below(draw++, 50));
        std::int64_t delay = any_delay(random, draw++, most_bits);
        if (now > 0 && delay > std::numeric_limits<std::int64_t>::max() - now) delay = 0;
        queue.push(now + delay, id);
        expected.emplace(now + delay, id);
      }
      REQUIRE(queue.size() == expected.size());
      if (expected.empty()) continue;
      REQUIRE(queue.next_time() == expected.top().first);
      const auto [time, id] = queue.pop();
      REQUIRE(std::pair(time, id) == expected.top());
      expected.pop();
      now = time;
    }
  }
}

TEST_CASE("to ask for the next time does not keep earlier ones out") {
  TimeQueue<std::uint32_t> queue(10);
  queue.push(1000, 1);
  CHECK(queue.next_time() == 1000);
  queue.push(3, 2);

  CHECK(queue.pop().entry == 2);
  CHECK(queue.pop().entry == 1);
}

TEST_CASE("a full time queue says so, and has lost nothing") {
  TimeQueue<std::uint32_t> queue(2);
  queue.push(5, 1);
  queue.push(6, 2);

  try {
    queue.push(4, 3);
    FAIL("no error");
  } catch (const QueueFullError& error) {
    CHECK(error.time == 0);
    CHECK(error.count == 2);
    CHECK(std::string(error.what()) == "[time_queue] at time 0: 2 events wait, and no more are allowed");
  }
  CHECK(queue.pop().time == 5);
  queue.push(5, 3);
  CHECK_THROWS_AS(queue.push(5, 4), QueueFullError);
  CHECK(queue.pop().entry == 3);
  CHECK(queue.pop().entry == 2);
}

TEST_CASE("a time queue refuses the past, and to pop nothing") {
  TimeQueue<std::uint32_t> queue(2);
  CHECK(text_of_error([&] { queue.pop(); }) == "[time_queue] nothing waits");
  queue.push(5, 1);
  queue.pop();

  CHECK(text_of_error([&] { queue.push(4, 1); }) == "[time_queue] time 4 is over, now is 5");
  CHECK(text_of_error([&] { queue.pop(); }) == "[time_queue] nothing waits");
  CHECK(queue.next_time() == TimeQueue<std::uint32_t>::kNever);
}

TEST_CASE("queues hold little more than their entries") {
  // 124 entries of 4 bytes and 31 of 16 in chunks of 512; the pool grows by at most 1024 chunks; 8 and 256 lists whose
  // last chunk is not full.
  TickQueue<std::uint32_t> ticks(7, 1, 1'000'000);
  TimeQueue<std::uint32_t> times(1'000'000);
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    ticks.push(i % 8, 0, i);
    times.push(1 + i * std::int64_t{977}, i);
  }

  CHECK(ticks.bytes() <= (1'000'000 / 124 + 1024 + 8) * 512 + 8 * 16);
  CHECK(times.bytes() <= (1'000'000 / 31 + 1024 + 256) * 512);
}

TEST_CASE("a touch makes the predictions of its neuron stale, and of no other") {
  Generations generations(3);
  const Prediction before = generations.predict(0), first = generations.predict(1), after = generations.predict(2);
  CHECK(generations.holds(first));

  generations.touch(1);
  const Prediction second = generations.predict(1);
  generations.touch(1);
  CHECK(!generations.holds(first));
  CHECK(!generations.holds(second));
  CHECK(generations.holds(generations.predict(1)));
  CHECK(generations.holds(before));
  CHECK(generations.holds(after));
}
