// A program of its own: it counts every allocation of the process.
#include <doctest/doctest.h>

#include "core/random.hpp"
#include "core/spike_queue.hpp"
#include "tests/support/count_allocations.hpp"

using namespace synfire;

TEST_CASE("the counter sees an allocation") {
  const long before = test::num_allocations();
  int* volatile memory = new int(1);  // volatile: or the pair may be optimised away
  delete memory;
  CHECK(test::num_allocations() == before + 1);
}

TEST_CASE("a tick queue allocates nothing once it has held as much") {
  TickQueue<std::uint32_t> queue(50, 2, 20'000);
  const auto run = [&](std::uint64_t seed) {
    const RandomStream random(seed, 1, 0);
    queue.clear();
    for (std::uint64_t i = 0; i < 20'000; ++i) queue.push(static_cast<std::int64_t>(random.below(i, 51)), 1, 1);
    while (!queue.empty()) {
      queue.visit_arrivals(0, [](std::span<const std::uint32_t>) {});
      queue.visit_arrivals(1, [](std::span<const std::uint32_t>) {});
      queue.advance_to(queue.tick() + 1);
    }
  };

  for (std::uint64_t seed = 0; seed < 20; ++seed) run(seed);
  const auto before = test::num_allocations();
  for (std::uint64_t seed = 20; seed < 40; ++seed) run(seed);
  CHECK(test::num_allocations() == before);
}

TEST_CASE("a time queue allocates nothing once it has held as much") {
  TimeQueue<std::uint32_t> queue(20'000);
  const RandomStream random(1, 1, 0);
  std::uint64_t draw = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) queue.push(static_cast<std::int64_t>(random.below(draw++, 1 << 20)), i);
  const auto hold = [&](int steps) {
    for (int i = 0; i < steps; ++i) {
      const auto [time, id] = queue.pop();
      queue.push(time + static_cast<std::int64_t>(random.below(draw++, 1 << 20)), id);
    }
  };

  hold(100'000);
  const auto before = test::num_allocations();
  hold(200'000);
  CHECK(test::num_allocations() == before);
  CHECK(queue.size() == 20'000);
}
