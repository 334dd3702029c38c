#include "core/arena.hpp"

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.hpp"

using namespace synfire;

namespace {

struct Wanted {
  std::size_t bytes;
  int first, last;
};

std::vector<Wanted> random_buffers(std::uint64_t seed, int count) {
  const RandomStream random(seed, 0, 0);
  std::vector<Wanted> wanted;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t element = 4 * static_cast<std::uint64_t>(i);
    const int first = static_cast<int>(random.below(element, 60));
    const int length = static_cast<int>(random.below(element + 1, random.below(element + 2, 4) == 0 ? 60 : 6));
    wanted.push_back({random.below(element + 3, 100'000), first, first + length});
  }
  return wanted;
}

}  // namespace

TEST_CASE("two buffers that a step needs at the same time never overlap") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const std::vector<Wanted> wanted = random_buffers(seed, 80);
    ArenaPlan plan;
    for (const Wanted& buffer : wanted) plan.add(buffer.bytes, buffer.first, buffer.last);
    plan.place();

    for (int i = 0; i < 80; ++i) {
      const Wanted& a = wanted[static_cast<std::size_t>(i)];
      CHECK(plan.offset(i) % 64 == 0);
      CHECK(plan.offset(i) + a.bytes <= plan.bytes());
      for (int j = 0; j < i; ++j) {
        const Wanted& b = wanted[static_cast<std::size_t>(j)];
        const bool both_alive = a.first <= b.last && b.first <= a.last;
        const bool overlap = plan.offset(i) < plan.offset(j) + b.bytes && plan.offset(j) < plan.offset(i) + a.bytes;
        CHECK_FALSE((both_alive && overlap));
      }
    }
    CHECK(plan.bytes() >= plan.lower_bound());
    // Not a theorem: the worst of these 200 random plans takes 1.15 times its bound.
    CHECK(static_cast<double>(plan.bytes()) <= 1.2 * static_cast<double>(plan.lower_bound()));
  }
}

TEST_CASE("a chain of equal buffers, each needed by its neighbour only, takes the room of two") {
  ArenaPlan plan;
  for (int i = 0; i < 20; ++i) plan.add(640, i, i + 1);
  plan.place();

  CHECK(plan.bytes() == 2 * 640);
  CHECK(plan.lower_bound() == 2 * 640);
}

TEST_CASE("a buffer whose life is extended keeps its room until then") {
  ArenaPlan plan;
  const ArenaPlan::Id early = plan.add(64, 0, 1);
  const ArenaPlan::Id late = plan.add(64, 5, 6);
  plan.extend(early, 5);
  plan.extend(early, 2);
  plan.place();

  CHECK(plan.offset(early) != plan.offset(late));
}

TEST_CASE("an empty plan needs no memory") {
  ArenaPlan plan;
  plan.place();
  CHECK(plan.bytes() == 0);
  CHECK(plan.lower_bound() == 0);
}

TEST_CASE("an arena grows to the largest plan and does not shrink") {
  ArenaPlan small, large;
  small.add(100, 0, 0);
  large.add(1000, 0, 0);
  small.place();
  large.place();

  Arena arena(Device::cpu);
  arena.fit(large);
  const std::byte* block = arena.data();
  arena.fit(small);

  CHECK(arena.bytes() == 1024);
  CHECK(arena.data() == block);
  CHECK(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
}
